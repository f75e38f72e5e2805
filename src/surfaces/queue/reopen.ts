import { written } from "../../cli/answer";
import { changing, note } from "../../cli/args";
import { defineVerb } from "../../cli/define";
import { item } from "./args";
import { moveItem } from "./store";
import { itemMoved } from "./text";

export default defineVerb({
  about: "let an item wait again: done, dropped → waiting",
  examples: ['coop --as claude-code-pippa queue reopen Q9 --reason "the fix did not hold"'],
  args: { item, body: note("why"), ...changing },
  run: async ({ item: number, ifVersion, body }, context) =>
    written(
      await context.write((writing) => moveItem(writing, "reopen", { number, ifVersion }, body)),
      itemMoved,
    ),
});
