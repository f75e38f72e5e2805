import {
  ages,
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
import type { Letter } from "./store";

/** One line: `L12 unread 3h from codex-pippa: Where I stopped`. */
export function letterLine(letter: Letter, view: View, called = heading): string {
  const from = letter.author === letter.to ? undefined : `from ${inline(letter.author)}`;
  const to = letter.to === view.me ? undefined : `to ${inline(letter.to)}`;
  return titled(
    line(letter.ref, letter.state, age(letter, view), scopeTag(view, letter), from, to),
    called(letter.title, letter.body),
  );
}

/** That it was read changes it, and says nothing of how it stands. */
const age = (letter: Letter, view: View) =>
  letter.state === "read" ? ago(view, letter.created_at) : ages(view, letter);

/** What a write or a move answers: `L12 working to codex-pippa: Where I stopped`. */
export const letterMoved = (letter: Letter, view: View) =>
  titled(
    line(letter.ref, letter.state, scopeTag(view, letter), `to ${inline(letter.to)}`),
    heading(letter.title, letter.body),
  );

/** A letter in full. */
export const letterText = (letter: Letter, view: View) =>
  lines(letterLine(letter, view, fullHeading), below(letter));

/** What of a letter's text is its own: all but who wrote it, when, and in what state it is. */
export const ownText = (letter: Letter) =>
  lines(fullHeading(letter.title, letter.body), below(letter));

const below = (letter: Letter) =>
  lines(
    letter.supersedes.length > 0 && `supersedes ${letter.supersedes.join(" ")}`,
    letter.superseded_by !== null && `superseded by ${letter.superseded_by}`,
    fenced(letter.body),
    letter.acknowledgement !== null &&
      `${letter.state === "done" ? "acknowledged" : "acknowledged before"}:\n${fenced(letter.acknowledgement)}`,
    letter.note !== null && `note:\n${fenced(letter.note)}`,
  );
