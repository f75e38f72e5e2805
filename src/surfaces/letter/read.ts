import { CoopError, usage, type ErrorCode } from "../../errors";
import { answer } from "../../cli/answer";
import { changing } from "../../cli/args";
import type { Context } from "../../cli/context";
import { defineVerb, optionalWord } from "../../cli/define";
import { onStore } from "../../cli/on-store";
import { countText, inline, lines, type View } from "../../cli/text";
import { firstFew } from "../../few";
import { refNumber } from "../../ref";
import type { Kind } from "../../store/addressed";
import { isKnown } from "../../store/events";
import { openOn } from "../../store/open-on";
import type { Sql } from "../../store/sql";
import { refOf } from "../../words";
import { FULL_BYTES, readOne, readOpen, type Reading, type ReadLetter } from "./reading";
import { addresseesWithOpenLetters, markRead, OPEN, requireAt } from "./store";
import { letterLine, letterText } from "./text";

export default defineVerb({
  about: "read the open letters to you; what is shown in full becomes read",
  examples: [
    "coop --as claude-code-pippa letter read",
    "coop --as claude-code-pippa letter read L12",
  ],
  notes: `Shows every open letter to you of this project or of none, newest first; outside a git work tree those of all
projects. A letter keeps coming back until it is acked, abandoned or superseded. Up to 24 KB are shown in full, first what was
not read before; a letter that does not fit stays unread and says how to see it. Open letters of other projects are one
line each, and at the end it says what else is open on you. That nothing was open is not kept with --key: the next read with
it looks again.`,
  args: {
    letter: {
      ...optionalWord(refOf("letter"), "LETTER", "one letter, in full whatever its length"),
      ref: "letter",
    },
    ...changing,
  },
  run: async ({ letter, key, ifVersion }, context) => {
    if (ifVersion !== undefined && letter === undefined)
      throw usage("--if-version goes with one letter", "name it");
    const me = context.requireSpeaker();
    const here = context.scopeOrNone();
    // A ref works in any scope, so then it does not matter if the folder's name can be none.
    const scope = await (letter === undefined ? here : here.catch(() => undefined));
    const store = await context.store();
    // Letters are shown there all the same, unmarked.
    await context.warnClosed(store);
    const asksAll = letter === undefined && !context.settings.quiet;
    const beside = asksAll ? await openOn(store, me, BESIDE) : [];
    if (letter === undefined) await context.warnUnknownScope(store, false);
    const told = (reading: Reading, replayed = false) =>
      readAnswer(reading, scope, beside, replayed);
    const look = (on: Sql, marked: ReadonlySet<number> = new Set()) =>
      letter === undefined
        ? readOpen(on, me, scope, { kept: key !== undefined, marked })
        : readOne(on, me, letter);
    // Refs alone are no letters in full.
    const becomesRead = ({ state, complete, to }: ReadLetter) =>
      !context.settings.quiet && state === "unread" && complete && to === me;
    const readAndMark = async () => {
      await explainUnknown(context, store, me);
      const { data, replayed } = await context.write(async (writing) => {
        if (letter !== undefined) await requireAt(writing, { number: letter, ifVersion });
        const { letters } = await look(writing.tx);
        if (key !== undefined && letters.length === 0) throw new NothingOpen();
        const unread = letters.filter(becomesRead).map(({ ref }) => refNumber("letter", ref));
        await markRead(writing, unread);
        return look(writing.tx, new Set(unread));
      });
      return told(data, replayed);
    };

    if (key !== undefined || ifVersion !== undefined)
      return readAndMark().catch(async (thrown) => {
        if (thrown instanceof NothingOpen) return told(await look(store));
        throw thrown;
      });
    const seen = await look(store);
    const marks = seen.letters.map(becomesRead).includes(true);
    try {
      if (marks) return await readAndMark();
      await explainUnknown(context, store, me);
    } catch (thrown) {
      if (!(marks && thrown instanceof CoopError && SHOWN_UNMARKED.includes(thrown.code)))
        throw thrown;
      context.warn("not_marked", `shown, but not marked as read: ${thrown.message}`);
    }
    return told(seen);
  },
});

/** Undoes the transaction, so that a key keeps no answer that would hide the next letter. */
class NothingOpen extends Error {}

/** What keeps letters from being marked does not keep them from being read: also not that a store was moved. */
const SHOWN_UNMARKED: readonly ErrorCode[] = ["unavailable", "busy", "unknown", "conflict"];

/** An unknown id may be a misspelt one, also where somebody wrote to it: name the others that have letters. */
async function explainUnknown(context: Context, on: Sql, me: string): Promise<void> {
  if (await isKnown(on, me)) return;
  await context.warnUnknown(on, [me]);
  const all = await addresseesWithOpenLetters(on);
  const others = all.filter((id) => id !== me);
  if (others.length === 0) return;
  const also = others.length < all.length ? "also " : "";
  context.warn("open_letters", `open letters are ${also}for ${firstFew(others, "coop who")}`);
}

/** What else can be open on a reader: who comes without memory asks for letters first. */
const BESIDE = ["requests", "todos", "items", "taken"] as const satisfies Kind[];
const NAMES: Record<(typeof BESIDE)[number], string> = {
  requests: "requests",
  todos: "todos",
  items: "queue items",
  taken: "queue items",
};

/**
 * @param here the scope that was looked in; undefined for all.
 * @param beside of what kinds else something is open on the reader.
 */
function readAnswer(
  { letters, total }: Reading,
  here: string | undefined,
  beside: readonly (typeof BESIDE)[number][],
  replayed: boolean,
) {
  const also = [...new Set(beside.map((kind) => NAMES[kind]))].join(", ");
  const missing = total.count - letters.length;
  const rest =
    missing > 0
      ? `${countText({ ...total, count: missing })} more: coop letter list --mine --status ${OPEN.join()} --all-scopes --limit 0`
      : undefined;
  const text = (shown: readonly ReadLetter[], view: View) =>
    lines(
      readText(shown, rest, view, here),
      also && onStore(`also on you: ${also}: coop who me`, view.storeFlag),
    );
  return answer(letters, text, {
    total,
    truncated: missing > 0 || letters.map(({ complete }) => complete).includes(false),
    rest,
    alsoOpen: beside,
    ...(replayed && { replayed }),
  });
}

function readText(
  letters: readonly ReadLetter[],
  rest: string | undefined,
  view: View,
  here: string | undefined,
): string {
  if (letters.length === 0) return `no open letters to ${inline(view.me ?? "")}`;
  const alone = letters.filter(({ body }) => body === null);
  const inFull = (which: string, letter: ReadLetter | undefined) =>
    letter && onStore(`${which}, in full: coop letter read ${letter.ref}`, view.storeFlag);
  return lines(
    letters.map((letter) => readLetterText(letter, view, here)),
    inFull(
      "did not fit here",
      alone.find((letter) => !isAway(letter, here)),
    ),
    inFull(
      "of other projects",
      alone.find((letter) => isAway(letter, here)),
    ),
    rest && onStore(rest, view.storeFlag),
  );
}

function readLetterText(letter: ReadLetter, view: View, here: string | undefined): string {
  const { ref, body, bytes, complete, begins = "" } = letter;
  if (complete) return letterText({ ...letter, body: body! }, view);
  if (body === null) {
    const told = letterLine({ ...letter, body: begins }, view);
    return isAway(letter, here) ? told : `${told} (${Math.ceil(bytes / 1000)} kB)`;
  }
  const stays = letter.state === "unread" && "; it stays unread";
  const all = onStore(`coop letter read ${ref}`, view.storeFlag);
  return lines(letterText({ ...letter, body }, view), `cut here${stays || ""}. all of it: ${all}`);
}

/** Whether nothing of a letter is shown because it belongs to another project, and not for want of room. */
const isAway = ({ bytes, scope }: ReadLetter, here: string | undefined) =>
  bytes <= FULL_BYTES && here !== undefined && scope !== "" && scope !== here;
