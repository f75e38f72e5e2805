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

const FULL_BYTES = 24 * 1024;
const MOST_LETTERS = 200;

/** One letter, in full whatever its length. */
export async function readOne(on: Sql, number: number): Promise<Reading> {
  const letter = await findLetter(on, number);
  return { letters: [asRead(letter, letter.body, true)], total: { count: 1, exact: true } };
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

  const fitting = fit(here.envelopes);
  const texts = await bodies(on, [...fitting.keys()]);
  const letters = here.envelopes.map((envelope) => {
    const room = fitting.get(envelope.number);
    const text = texts.get(envelope.number);
    if (room === undefined || text === undefined) return asRead(toLetter(envelope), null, false);
    const whole = envelope.bytes <= room;
    return asRead(toLetter(envelope), whole ? text : cutAtLine(text, room), whole);
  });
  const others = elsewhere.envelopes.map((envelope) => asRead(toLetter(envelope), null, false));
  return {
    letters: [...letters, ...others],
    total: {
      count: here.total.count + elsewhere.total.count,
      exact: here.total.exact && elsewhere.total.exact,
    },
  };
}

/** How many bytes of which letters can be shown: whole ones while they fit, then the beginning of one more. */
function fit(envelopes: readonly EnvelopeRow[]): Map<number, number> {
  const rooms = new Map<number, number>();
  let left = FULL_BYTES;
  for (const { number, bytes } of envelopes) {
    rooms.set(number, left);
    left -= bytes;
    if (left < 0) break;
  }
  return rooms;
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

const asRead = (letter: Letter, body: string | null, complete: boolean): ReadLetter => ({
  ...letter,
  body,
  complete,
  marked: letter.state !== "unread",
});
