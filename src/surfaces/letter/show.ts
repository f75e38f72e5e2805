import { answer } from "../../cli/answer";
import { record, showing } from "../../cli/args";
import { defineVerb } from "../../cli/define";
import { findLetter } from "./store";
import { letterText } from "./text";

export default defineVerb({
  about: "show a letter; changes nothing, so it stays unread",
  examples: ["coop letter show L12", "coop letter show L12 --raw > letter.md"],
  args: { letter: record("letter"), ...showing },
  run: async ({ letter, raw }, context) => {
    const found = await findLetter(await context.store(), letter);
    return answer(found, letterText, raw ? { raw: found.body } : {});
  },
});
