import { written } from "../../cli/answer";
import { optionalBody, repeatable, titleWord } from "../../cli/args";
import { defineVerb, flag, list } from "../../cli/define";
import { DEFAULT_PRIORITY, oneId, priority, refOf } from "../../words";
import { addTodo } from "./store";
import { todoMoved } from "./text";

export default defineVerb({
  about: "add something to be done",
  examples: [
    'coop --as claude-code-pippa todo add "Fix parser" --to codex-pippa --priority 1',
    'coop --as dad todo add "Release" --after T4,T5 --body "once both are in"',
  ],
  args: {
    title: titleWord("what is to be done"),
    body: optionalBody("the details"),
    to: flag(oneId, "ID", "whose it is (nobody's)", ["assign"]),
    priority: flag(priority, "0-4", `0 is first, 4 is last (${DEFAULT_PRIORITY})`),
    after: {
      ...list(refOf("todo"), "REF", "todos that must be finished before", ["depends-on"]),
      ref: "todo",
    },
    ...repeatable,
  },
  run: async (input, context) => {
    const scope = await context.scope();
    const to = input.to === undefined ? null : context.resolveId(input.to);
    const result = await context.write(async (writing) => {
      await context.warnUnknown(writing.tx, [to]);
      await context.warnUnknownScope(writing.tx, true);
      return addTodo(writing, {
        scope,
        to,
        priority: input.priority ?? DEFAULT_PRIORITY,
        title: input.title,
        body: input.body ?? "",
        after: input.after ?? [],
      });
    });
    return written(result, todoMoved);
  },
});
