import { usage } from "../../errors";
import { written } from "../../cli/answer";
import { body, optionalTitle, repeatable } from "../../cli/args";
import { defineVerb, flag } from "../../cli/define";
import { line } from "../../cli/text";
import { day } from "../../time";
import { fits, LONGEST, sha, slug, slugWords } from "../../words";
import { addEntry } from "./store";
import { entryChanged } from "./text";

export default defineVerb({
  about: "write down the why of a commit, before the commit",
  examples: [
    'coop --as claude-code-pippa history add "Split the parser" --body "one file did two things; see T14"',
    "coop --as codex-pippa history add --slug 2026-05-17-evolve-v2 --body-file why.md",
  ],
  notes: `The slug is the day (UTC) and the title by default. A slug is there once in a scope: the same entry again is a success that
adds no other ("created":false), and fills its commit in where that is not known yet; another one is a conflict.`,
  args: {
    title: optionalTitle("what was done"),
    body: body("why"),
    slug: flag(slug, "SLUG", "its name in the scope (by default the day and the title)"),
    commit: flag(sha, "SHA", "the commit, where it is known already"),
    ...repeatable,
  },
  run: async (input, context) => {
    const scope = await context.scope();
    if (input.title === undefined && input.slug === undefined) {
      throw usage(
        "an entry needs a title or a slug",
        'for example: coop history add "Split the parser" --body "one file did two things"',
      );
    }
    const draft = {
      scope,
      title: input.title ?? input.slug!,
      body: input.body,
      commitSha: input.commit ?? null,
    };
    const result = await context.write(async (writing) => {
      await context.warnUnknownScope(writing.tx, true);
      return addEntry(writing, { ...draft, slug: input.slug ?? slugOf(input.title!, writing.at) });
    });
    return written(result, (entry, view) =>
      line(entryChanged(entry, view), !entry.created && "(was there already)"),
    );
  },
});

/** `2026-11-22-split-the-parser`: the day, in UTC like all times, and the title's letters and digits. */
function slugOf(text: string, now: number): string {
  const date = day(now);
  let whole = date;
  for (const word of slugWords(text)) {
    const longer = `${whole}-${word}`;
    if (!fits(longer, LONGEST.word)) return whole === date ? shortened(longer) : whole;
    whole = longer;
  }
  return whole;
}

/** As much of a slug as there is room for, between two letters. */
function shortened(text: string): string {
  const letters = Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment);
  while (!fits(letters.join(""), LONGEST.word)) letters.pop();
  return letters.join("");
}
