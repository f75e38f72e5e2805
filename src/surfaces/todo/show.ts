import { answer } from "../../cli/answer";
import { record, showing } from "../../cli/args";
import { defineVerb } from "../../cli/define";
import { findTodo } from "./store";
import { todoText } from "./text";

export default defineVerb({
  about: "show a todo",
  examples: ["coop todo show T14", "coop todo show T14 --raw > details.md"],
  args: { todo: record("todo"), ...showing },
  run: async ({ todo, raw }, context) => {
    const found = await findTodo(await context.store(), todo);
    return answer(found, todoText, raw ? { raw: found.body } : {});
  },
});
