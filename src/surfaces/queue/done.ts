import { written } from "../../cli/answer";
import { note } from "../../cli/args";
import { defineVerb, flag } from "../../cli/define";
import { longText } from "../../words";
import { heldItem, holding, item } from "./args";
import { done } from "./store";
import { itemMoved } from "./text";

export default defineVerb({
  about: "finish an item that is taken, with a reply if there is one: taken → done",
  examples: [
    'coop --as codex-pippa queue done Q9 --reply "merged in abc1234"',
    "coop --as codex-pippa queue done Q9 --reply-file review.md",
    'coop --as claude-code-pippa queue done Q9 --from codex-pippa --note "it was done by hand"',
  ],
  args: {
    item,
    reply: {
      ...flag(longText, "TEXT", "the answer, for whoever pushed it"),
      text: { file: "reply-file", edit: true },
    },
    body: {
      ...note("a word on how it ended, kept with the item; --reply is the answer"),
      text: { file: "body-file", edit: false },
    },
    ...holding,
  },
  run: async ({ reply, body, ...which }, context) => {
    const target = heldItem(which, context);
    return written(
      await context.write((writing) => done(writing, target, { reply, note: body })),
      itemMoved,
    );
  },
});
