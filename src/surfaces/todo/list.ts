import { assigned, listing } from "../../cli/args";
import { defineVerb, list } from "../../cli/define";
import { listAnswer, listQuery } from "../../cli/listing";
import { priority } from "../../words";
import { listTodos, TODOS } from "./store";
import { todoLine } from "./text";

export default defineVerb({
  about: "list unfinished todos, newest first",
  examples: [
    "coop --as codex-pippa todo list --mine",
    "coop todo list --status done --since 2d --priority 0,1",
  ],
  args: {
    ...listing(TODOS),
    ...assigned,
    priority: list(priority, "0-4", "of this priority"),
  },
  run: async ({ priority: priorities, ...input }, context) => {
    const store = await context.store();
    const query = await listQuery(input, context, store, TODOS, true);
    return listAnswer("todos", await listTodos(store, query, { priorities }), todoLine);
  },
});
