import { usage } from "../../errors";
import { ref } from "../../ref";
import { written } from "../../cli/answer";
import { changing, optionalBody, record, requireChange } from "../../cli/args";
import { defineVerb, flag, list } from "../../cli/define";
import { priority, refOf, title } from "../../words";
import { editTodo, findTodo, type Edit } from "./store";
import { todoMoved } from "./text";

export default defineVerb({
  about: "change a todo's title, text, priority or what it comes after, in any state",
  examples: [
    "coop --as claude-code-pippa todo edit T14 --priority 0 --after T12",
    "coop --as claude-code-pippa todo edit T14 --not-after T12",
  ],
  args: {
    todo: record("todo"),
    title: flag(title, "TITLE", "what is to be done"),
    body: optionalBody("the details"),
    priority: flag(priority, "0-4", "0 is first, 4 is last"),
    after: {
      ...list(refOf("todo"), "REF", "todos that must be finished before too", ["depends-on"]),
      ref: "todo",
    },
    notAfter: {
      ...list(refOf("todo"), "REF", "todos that need not be finished before any more"),
      ref: "todo",
    },
    ...changing,
  },
  editing: async ({ todo }, context) => (await findTodo(await context.store(), todo)).body,
  run: async (
    { todo, ifVersion, title: name, body, priority: urgency, after, notAfter },
    context,
  ) => {
    const edit: Edit = { title: name, body, priority: urgency, after, notAfter };
    requireChange("todo", { ...edit });
    const both = after?.find((number) => notAfter?.includes(number));
    if (both !== undefined)
      throw usage(
        `${ref("todo", both)} is in --after and in --not-after`,
        "give it in one of them",
      );
    return written(
      await context.write((writing) => editTodo(writing, { number: todo, ifVersion }, edit)),
      todoMoved,
    );
  },
});
