import { written } from "../../cli/answer";
import { textWord } from "../../cli/args";
import { defineVerb } from "../../cli/define";
import { longText } from "../../words";
import { heldItem, holding, item } from "./args";
import { reply } from "./store";
import { itemReplied } from "./text";

export default defineVerb({
  about: "reply to an item that is not dropped; moves nothing",
  examples: [
    'coop --as codex-pippa queue reply Q9 "looks good, one nit in parse.ts"',
    "bun test 2>&1 | coop --as codex-pippa queue reply Q9 -",
  ],
  notes: `It answers the item if you are whom it is for, or took it. While another holds it, --from must name that one.`,
  args: {
    item,
    body: { ...textWord(longText, "body", "TEXT", "the reply"), required: true },
    ...holding,
  },
  run: async ({ body, ...which }, context) => {
    const target = heldItem(which, context);
    return written(await context.write((writing) => reply(writing, target, body)), itemReplied);
  },
});
