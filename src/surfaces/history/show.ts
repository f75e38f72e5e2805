import { answer } from "../../cli/answer";
import { showing } from "../../cli/args";
import { defineVerb, word } from "../../cli/define";
import { entryName, resolveName } from "./name";
import { findEntry } from "./store";
import { entryText } from "./text";

export default defineVerb({
  about: "show an entry in full",
  examples: ["coop history show H7", "coop history show 2026-05-17-evolve-v2"],
  args: { entry: word(entryName, "SLUG|H7", "the entry"), ...showing },
  run: async ({ entry, raw }, context) => {
    const name = await resolveName(entry, context);
    const found = await findEntry(await context.store(), name);
    return answer(found, entryText, raw ? { raw: found.body } : {});
  },
});
