import { written } from "../../cli/answer";
import { changing, optionalBody, requireChange } from "../../cli/args";
import { defineVerb, flag, word } from "../../cli/define";
import { slug, title } from "../../words";
import { entryName, resolveName } from "./name";
import { editEntry, findEntry, type Edit } from "./store";
import { entryChanged } from "./text";

export default defineVerb({
  about: "change an entry's title, body or slug; the log keeps what was there",
  examples: [
    "coop --as claude-code-pippa history edit H7 --edit",
    'coop --as codex-pippa history edit H7 --title "Split it"',
  ],
  notes:
    "One that no commit came of can become the entry of the next: give it another title, body and slug.",
  args: {
    entry: { ...word(entryName, "SLUG|H7", "the entry"), ref: "history" },
    title: flag(title, "TITLE", "the new title"),
    body: optionalBody("the new text"),
    slug: flag(slug, "SLUG", "the new slug"),
    ...changing,
  },
  editing: async ({ entry }, context) =>
    (await findEntry(await context.store(), await resolveName(entry, context))).body,
  run: async ({ entry, ifVersion, title: name, body, slug: called }, context) => {
    const edit: Edit = { title: name, body, slug: called };
    requireChange("history", { ...edit });
    const which = await resolveName(entry, context);
    return written(
      await context.write((writing) => editEntry(writing, which, ifVersion, edit)),
      entryChanged,
    );
  },
});
