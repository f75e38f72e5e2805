import {
  ago,
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
import type { Entry } from "./store";

const SHORT_SHA = 10;

const commitOf = ({ commit_sha }: Entry) => commit_sha?.slice(0, SHORT_SHA) ?? "pending";

/** One line: `H7 abc1234567 3h codex-pippa 2026-11-22-split-the-parser: Split the parser`. */
export const entryLine = (entry: Entry, view: View, called = heading): string =>
  titled(
    line(
      entry.ref,
      commitOf(entry),
      ago(view, entry.created_at),
      scopeTag(view, entry),
      inline(entry.author),
      inline(entry.slug),
    ),
    called(entry.title, entry.body),
  );

/** What a write answers: `H7 pending 2026-11-22-split-the-parser`. */
export const entryChanged = (entry: Entry): string =>
  line(entry.ref, commitOf(entry), inline(entry.slug));

/** An entry in full. */
export const entryText = (entry: Entry, view: View): string =>
  lines(
    entryLine(entry, view, fullHeading),
    entry.commit_sha !== null && `commit ${entry.commit_sha}`,
    fenced(entry.body),
  );
