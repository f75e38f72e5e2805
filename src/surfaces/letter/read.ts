import { CoopError, type ErrorCode } from "../../errors";
import { answer } from "../../cli/answer";
import { repeatable } from "../../cli/args";
import type { Context } from "../../cli/context";
import { defineVerb, optionalWord } from "../../cli/define";
import { countText, inline, lines, type View } from "../../cli/text";
import { refNumber } from "../../ref";
import { isKnown } from "../../store/events";
import type { Sql } from "../../store/sql";
import { refOf } from "../../words";
import { FULL_BYTES, readOne, readOpen, type Reading, type ReadLetter } from "./reading";
import { addresseesWithOpenLetters, markRead, OPEN } from "./store";
import { letterLine, letterText } from "./text";

export default defineVerb({
  about: "read the open letters to you; what is shown in full becomes read",
  examples: [
    "coop --as claude-code-pippa letter read",
    "coop --as claude-code-pippa letter read L12",
  ],
  notes: `Shows every open letter to you of this project or of none, newest first; outside a git work tree those of all
projects. A letter keeps coming back until it is acked, abandoned or superseded. Up to 24 KB are shown in full; a letter
that does not fit stays unread and says how to see it. Open letters of other projects are one line each.`,
  args: {
    letter: optionalWord(refOf("letter"), "LETTER", "one letter, in full whatever its length"),
    ...repeatable,
  },
  run: async ({ letter, key }, context) => {
    const me = context.requireSpeaker();
    const scope = await context.scopeOrNone();
    const look = (on: Sql) =>
      letter === undefined ? readOpen(on, me, scope) : readOne(on, letter);
    const store = await context.store();
    const seen = await look(store);
    // Refs alone are no letters in full.
    const { quiet } = context.settings;
    const marks = !quiet && seen.letters.some((each) => becomesRead(each, me));
    try {
      await explainUnknown(context, store, me);
      if (quiet || (key === undefined && !marks)) return readAnswer(seen);
      const { data, replayed } = await context.write(async (writing) => {
        const { letters } = await look(writing.tx);
        await markRead(
          writing,
          letters
            .filter((each) => becomesRead(each, me))
            .map(({ ref }) => refNumber("letter", ref)),
        );
        return look(writing.tx);
      });
      return readAnswer(data, replayed);
    } catch (thrown) {
      const shown =
        marks &&
        key === undefined &&
        thrown instanceof CoopError &&
        SHOWN_UNMARKED.includes(thrown.code);
      if (!shown) throw thrown;
      context.warn("not_marked", `shown, but not marked as read: ${thrown.message}`);
      return readAnswer(seen);
    }
  },
});

/** What keeps letters from being marked does not keep them from being read. */
const SHOWN_UNMARKED: readonly ErrorCode[] = ["unavailable", "busy", "unknown"];

const becomesRead = ({ state, complete, to }: ReadLetter, me: string) =>
  state === "unread" && complete && to === me;

/** A misspelt id has no letters: name the ids that do. */
async function explainUnknown(context: Context, on: Sql, me: string): Promise<void> {
  if (await isKnown(on, me)) return;
  await context.warnUnknown(on, [me]);
  const others = (await addresseesWithOpenLetters(on)).filter((id) => id !== me);
  if (others.length > 0) context.warn("open_letters", `open letters are for ${others.join(", ")}`);
}

function readAnswer({ letters, total }: Reading, replayed = false) {
  const missing = total.count - letters.length;
  const rest =
    missing > 0
      ? `${countText({ ...total, count: missing })} more: coop letter list --mine --status ${OPEN.join()} --all-scopes --limit 0`
      : undefined;
  return answer(letters, (shown, view) => readText(shown, rest, view), {
    total,
    truncated: missing > 0 || letters.some(({ complete }) => !complete),
    rest,
    ...(replayed && { replayed }),
  });
}

const readText = (letters: readonly ReadLetter[], rest: string | undefined, view: View) =>
  letters.length === 0
    ? `no open letters to ${inline(view.me ?? "")}`
    : lines(...letters.map((letter) => readLetterText(letter, view)), rest);

function readLetterText(letter: ReadLetter, view: View): string {
  const { ref, body, complete } = letter;
  if (complete) return letterText({ ...letter, body: body! }, view);
  const all = `coop letter read ${ref}`;
  if (body === null)
    return `${letterLine({ ...letter, body: "" }, view)} (${whyNot(letter, view)}${all})`;
  const stays = letter.state === "unread" && "; it stays unread";
  return lines(letterText({ ...letter, body }, view), `cut here${stays || ""}. all of it: ${all}`);
}

/** Why nothing of a letter is shown; that it belongs to another project its line says. */
function whyNot({ bytes, scope }: ReadLetter, view: View): string {
  const size = `${Math.ceil(bytes / 1000)} kB`;
  if (bytes > FULL_BYTES) return `${size}, too long to show here: `;
  return scope === "" || scope === view.scope ? `${size}, no room left here: ` : "";
}
