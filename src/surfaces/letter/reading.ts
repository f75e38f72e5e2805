import type { Count } from "../../store/listing";
import type { Sql } from "../../store/sql";
import {
  bodies,
  findLetter,
  openEnvelopes,
  toLetter,
  type EnvelopeRow,
  type Letter,
} from "./store";

/** A letter as `letter read` gives it. */
export interface ReadLetter extends Omit<Letter, "body"> {
  /** The text, or as much of it as fits; null where only its line is shown. */
  body: string | null;
  /** How many bytes the whole text has. */
  bytes: number;
  /** Whether the body is there in full. */
  complete: boolean;
  /** Whether the store has it as read. */
  marked: boolean;
}

export interface Reading {
  letters: ReadLetter[];
  /** How many are open, also those that have no line here. */
  total: Count;
}

/** How much text is shown at once. */
export const FULL_BYTES = 24 * 1024;
const MOST_LETTERS = 200;

/** One letter, in full whatever its length. */
export async function readOne(on: Sql, number: number): Promise<Reading> {
  const letter = await findLetter(on, number);
  const bytes = Buffer.byteLength(letter.body);
  return { letters: [asRead(letter, bytes, letter.body)], total: { count: 1, exact: true } };
}

/**
 * The open letters to an id: those of a scope and of none in full as far as they fit, newest first, then those of
 * other scopes without their text. Without a scope, all are treated alike.
 */
export async function readOpen(on: Sql, to: string, scope: string | undefined): Promise<Reading> {
  const here = await openEnvelopes(on, to, scope === undefined ? {} : { in: scope }, MOST_LETTERS);
  const elsewhere =
    scope === undefined
      ? { envelopes: [], total: { count: 0, exact: true } }
      : await openEnvelopes(on, to, { notIn: scope }, MOST_LETTERS);

  const texts = await fitting(on, here.envelopes);
  const read = (envelope: EnvelopeRow) =>
    asRead(toLetter(envelope), envelope.bytes, texts.get(envelope.number) ?? null);
  return {
    letters: [...here.envelopes, ...elsewhere.envelopes].map(read),
    total: {
      count: here.total.count + elsewhere.total.count,
      exact: here.total.exact && elsewhere.total.exact,
    },
  };
}

/**
 * What there is room for of which letters: whole texts while they fit, then the beginning of one more. One whose first
 * line is already too long takes no room from the others.
 */
async function fitting(on: Sql, envelopes: readonly EnvelopeRow[]): Promise<Map<number, string>> {
  const numbers = envelopes.map(({ number }) => number);
  const beginnings = await bodies(on, numbers, FULL_BYTES);
  const texts = new Map<number, string>();
  let left = FULL_BYTES;
  for (const { number, bytes } of envelopes) {
    const beginning = beginnings.get(number);
    if (beginning === undefined) continue;
    const text = bytes <= left ? beginning : cutAtLine(beginning, left);
    if (text === null) continue;
    texts.set(number, text);
    if (bytes > left) break;
    left -= bytes;
  }
  return texts;
}

/** The lines of a text that fit into so many bytes; null when not even the first does. */
function cutAtLine(text: string, bytes: number): string | null {
  const end = Buffer.from(text).subarray(0, bytes).lastIndexOf("\n");
  return end < 0
    ? null
    : Buffer.from(text)
        .subarray(0, end + 1)
        .toString();
}

const asRead = (letter: Letter, bytes: number, body: string | null): ReadLetter => ({
  ...letter,
  body,
  bytes,
  complete: body !== null && Buffer.byteLength(body) === bytes,
  marked: letter.state !== "unread",
});
