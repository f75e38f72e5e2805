import {
  ages,
  fenced,
  fullHeading,
  heading,
  inline,
  line,
  lines,
  scopeTag,
  titled,
  type View,
} from "../../cli/text";
import { slugWords } from "../../words";
import type { Entry } from "./store";

const SHORT_SHA = 10;

const commitOf = ({ commit_sha }: Entry) => commit_sha?.slice(0, SHORT_SHA) ?? "pending";

/** One line: `H7 abc1234567 3h codex-pippa: Split the parser`, with a slug that says more than its day and the title do. */
export const entryLine = (entry: Entry, view: View): string =>
  titled(told(entry, view, briefly(entry)), heading(entry.title, entry.body));

const told = (entry: Entry, view: View, slug: string | undefined) =>
  line(
    entry.ref,
    commitOf(entry),
    ages(view, entry),
    scopeTag(view, entry),
    inline(entry.author),
    slug !== undefined && inline(slug),
  );

/** The slug, unless it is what a title gives by itself. */
function briefly({ slug, title }: Entry): string | undefined {
  const [, words] = /^\d{4}-\d{2}-\d{2}-(.+)$/s.exec(slug) ?? [];
  return words && slugWords(title).join("-").startsWith(words) ? undefined : slug;
}

/** What a write answers: `H7 pending 2026-11-22-split-the-parser`. */
export const entryChanged = (entry: Entry, view: View): string =>
  line(entry.ref, commitOf(entry), scopeTag(view, entry), inline(entry.slug));

/** An entry in full. */
export const entryText = (entry: Entry, view: View): string =>
  lines(
    titled(told(entry, view, entry.slug), fullHeading(entry.title, entry.body)),
    entry.commit_sha !== null && `commit ${entry.commit_sha}`,
    fenced(entry.body),
  );
