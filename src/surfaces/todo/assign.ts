import { usage } from "../../errors";
import { written } from "../../cli/answer";
import { changing, record } from "../../cli/args";
import { defineVerb, flag, toggle } from "../../cli/define";
import { oneId } from "../../words";
import { assignTodo } from "./store";
import { todoMoved } from "./text";

export default defineVerb({
  about: "give an unfinished todo to an id, or to nobody; its state stays",
  examples: [
    "coop --as dad todo assign T14 --to codex-pippa",
    "coop --as codex-pippa todo assign T14 --nobody",
  ],
  args: {
    todo: record("todo"),
    to: flag(oneId, "ID", "whose it is now"),
    nobody: toggle("nobody's: whoever starts it takes it"),
    ...changing,
  },
  run: async ({ todo, to: given, nobody, ifVersion }, context) => {
    if (given !== undefined && nobody)
      throw usage("--to and --nobody exclude each other", "give one of them");
    if (given === undefined && !nobody)
      throw usage("`coop todo assign` needs whose it is", "give --to ID, or --nobody");
    const to = given === undefined ? null : context.resolveId(given);
    const result = await context.write(async (writing) => {
      await context.warnUnknown(writing.tx, [to]);
      return assignTodo(writing, { number: todo, ifVersion }, to);
    });
    return written(result, todoMoved);
  },
});
