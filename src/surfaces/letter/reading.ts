import { visible } from "../../cli/text";
import type { Count } from "../../store/listing";
import type { Sql } from "../../store/sql";
import { BEGINS_CHARACTERS } from "../../store/tables";
import { byteLength } from "../../words";
import {
  beginnings,
  findLetter,
  openEnvelopes,
  TEXTS,
  toLetter,
  type EnvelopeRow,
  type Letter,
  type Texts,
} from "./store";
import { ownText } from "./text";

/** A letter as `letter read` gives it. */
export interface ReadLetter extends Omit<Letter, "body"> {
  /** The text, or as much of it as fits; null where only its line is shown. What was said with moves comes after it. */
  body: string | null;
  /** How its text begins, where that is all there is to call it by: it has no title, and only its line is shown. Never kept. */
  begins?: string;
  /** How many bytes its long texts have in all. */
  bytes: number;
  /** Whether its long texts are there in full. */
  complete: boolean;
  /** Whether it is to the reader, is given in full, and the store has it as read. */
  marked: boolean;
}

/** What one `letter read` shows. */
export interface Reading {
  letters: ReadLetter[];
  /** How many are open, also those that have no line here. */
  total: Count;
}

/** How much text is shown at once, beside a line for each letter. */
export const FULL_BYTES = 24 * 1024;
const MOST_LETTERS = 200;

/** One letter, in full whatever its length. */
export async function readOne(on: Sql, to: string, number: number): Promise<Reading> {
  const letter = await findLetter(on, number);
  return {
    letters: [asRead(letter, to, bytesOf(letter), letter)],
    total: { count: 1, exact: true },
  };
}

/**
 * The open letters to an id: those of a scope and of none in full as far as they fit, newest first, then those of
 * other scopes without their text. Without a scope, all are treated alike.
 * @param kept whether it is kept for a key, where a redaction by any coop finds a part of a text as a record's column only.
 * @param marked what was marked as read just now, because it was to be shown in full.
 */
export async function readOpen(
  on: Sql,
  to: string,
  scope: string | undefined,
  { kept, marked }: { kept: boolean; marked: ReadonlySet<number> },
): Promise<Reading> {
  const here = await openEnvelopes(on, to, scope === undefined ? {} : { in: scope }, MOST_LETTERS);
  const elsewhere =
    scope === undefined
      ? { envelopes: [], total: { count: 0, exact: true } }
      : await openEnvelopes(on, to, { notIn: scope }, MOST_LETTERS);

  const isFresh = ({ number, state }: EnvelopeRow) => state === "unread" || marked.has(number);
  const texts = await fitting(on, here.envelopes, isFresh);
  const all = [...here.envelopes, ...elsewhere.envelopes];
  const untitled = all
    .filter(({ number, title }) => title === "" && !kept && !texts.has(number))
    .map(({ number }) => number);
  const begun = await beginnings(on, untitled, BEGINS_CHARACTERS);
  const read = (envelope: EnvelopeRow): ReadLetter => {
    const begins = begun.get(envelope.number)?.body;
    return {
      ...asRead(toLetter(envelope), to, envelope.bytes, texts.get(envelope.number)),
      ...(begins && { begins }),
    };
  };
  return {
    letters: all.map(read),
    total: {
      count: here.total.count + elsewhere.total.count,
      exact: here.total.exact && elsewhere.total.exact,
    },
  };
}

/**
 * What there is room for of which letters' texts, newest first: of those that are unread the whole of what fits, so that a
 * long one keeps no other from being read, then the lines that do; then the same of the others, but no part of what was read
 * in full. One whose first line is already too long takes no room from the others.
 */
async function fitting(
  on: Sql,
  envelopes: readonly EnvelopeRow[],
  isFresh: (envelope: EnvelopeRow) => boolean,
): Promise<Map<number, Texts>> {
  const numbers = envelopes.map(({ number }) => number);
  const found = await beginnings(on, numbers, FULL_BYTES);
  const shown = new Map<number, Texts>();
  let left = FULL_BYTES;
  const show = (envelope: EnvelopeRow, texts: Texts, bytes: number) => {
    shown.set(envelope.number, texts);
    left -= bytes;
  };
  const printed = (envelope: EnvelopeRow, texts: Texts) =>
    byteLength(ownText({ ...toLetter(envelope), ...texts }));
  const showWhole = (some: readonly EnvelopeRow[]) => {
    for (const envelope of some) {
      const all = found.get(envelope.number);
      const bytes = all && bytesOf(all) === envelope.bytes ? printed(envelope, all) : Infinity;
      if (all && bytes <= left) show(envelope, all, bytes);
    }
  };
  const showPart = (some: readonly EnvelopeRow[]) => {
    for (const envelope of some) {
      const beginning = found.get(envelope.number);
      if (!beginning || shown.has(envelope.number)) continue;
      // A title and fences take room too; around a part of the texts never more than around all.
      const around = printed(envelope, beginning) - bytesOf(beginning, visible);
      const texts = cutAtLine(beginning, left - around);
      if (texts !== null) show(envelope, texts, printed(envelope, texts));
    }
  };
  const fresh = envelopes.filter(isFresh);
  const others = envelopes.filter((envelope) => !isFresh(envelope));
  showWhole(fresh);
  showPart(fresh);
  showWhole(others);
  showPart(others.filter(({ state }) => state !== "read"));
  return shown;
}

/** The lines of a letter's texts that fit into so many bytes; null when not even the first of its body does. */
function cutAtLine(texts: Texts, bytes: number): Texts | null {
  let left = bytes;
  const fit = (text: string | null) => {
    const part = text === null ? null : linesOf(text, left);
    // Nothing comes after what is cut.
    left = part === text ? left - byteLength(visible(part ?? "")) : -1;
    return part;
  };
  const body = fit(texts.body);
  if (body === null) return null;
  return { body, acknowledgement: fit(texts.acknowledgement), note: fit(texts.note) };
}

/** The lines of a text that fit into so many bytes as they are printed; null when not even the first does. */
function linesOf(text: string, bytes: number): string | null {
  const printed = visible(text);
  if (byteLength(printed) <= bytes) return text;
  const start = Buffer.from(printed).subarray(0, Math.max(0, bytes)).toString();
  const count = start.split("\n").length - 1;
  return count === 0 ? null : `${text.split("\n", count).join("\n")}\n`;
}

/** How many bytes a letter's long texts have in all, each in a form of it. */
function bytesOf(texts: Texts, form = (text: string) => text): number {
  let bytes = 0;
  for (const name of TEXTS) bytes += byteLength(form(texts[name] ?? ""));
  return bytes;
}

/** A letter with as much of its texts as is shown to a reader. */
function asRead(letter: Letter, to: string, bytes: number, shown: Texts | undefined): ReadLetter {
  const complete = shown !== undefined && bytesOf(shown) === bytes;
  return {
    ...letter,
    body: shown?.body ?? null,
    acknowledgement: shown?.acknowledgement ?? null,
    note: shown?.note ?? null,
    bytes,
    complete,
    marked: complete && letter.to === to && letter.state !== "unread",
  };
}
