import { firstFew } from "../../few";
import { ADDRESSED } from "../../store/addressed";
import { ref } from "../../ref";
import { among, join, raw, sql, type Row, type Sql } from "../../store/sql";
import { distinct } from "../../store/distinct";
import { keptJson } from "../../store/json";
import {
  combinations,
  count,
  firstOf,
  list,
  newest,
  only,
  oneOf,
  oneOfStates,
  stateIn,
  type Listable,
  type Listed,
  type ListQuery,
} from "../../store/listing";
import { requireState, saidWith, target, type MoveRule, type Target } from "../../store/moves";
import { change, create, find, head, type RecordHead, type RecordRow } from "../../store/records";
import type { Writing } from "../../store/write";

/** The states in which a letter keeps coming back. */
export const OPEN = ADDRESSED.letters.states;
const CLOSED = ["done", "abandoned", "superseded"] as const;
/** Every state of a letter. */
export const STATES = [...OPEN, ...CLOSED] as const;

/** The columns of long text, in the order in which they are read. */
export const TEXTS = ["body", "acknowledgement", "note"] as const;

/** The table of letters. */
export const LETTERS: Listable = {
  surface: "letter",
  name: "letters",
  states: STATES,
  finished: CLOSED,
  replacedBy: (row) => replacementOf(row as LetterRow),
  long: TEXTS,
};

const replacementOf = ({ superseded_by: number }: LetterRow) =>
  number === null ? null : ref("letter", number);

const MOVES = {
  start: { from: ["unread", "read"], to: "working" },
  ack: { from: OPEN, to: "done" },
  abandon: { from: OPEN, to: "abandoned" },
  supersede: { from: OPEN, to: "superseded" },
  reopen: { from: CLOSED, to: "unread" },
} as const satisfies Record<string, MoveRule>;

interface LetterRow extends RecordRow {
  state: string;
  addressee: string;
  title: string;
  body: string;
  acknowledgement: string | null;
  note: string | null;
  supersedes: string | null;
  superseded_by: number | null;
}

/** A letter, in JSON's words. */
export interface Letter extends RecordHead {
  state: string;
  to: string;
  title: string;
  body: string;
  /** What was said when it was acked. */
  acknowledgement: string | null;
  /** What was said with its last other move. */
  note: string | null;
  supersedes: string[];
  superseded_by: string | null;
}

/** A letter, of its row. */
export const toLetter = (row: LetterRow): Letter => ({
  ...head(LETTERS, row),
  state: row.state,
  to: row.addressee,
  title: row.title,
  body: row.body,
  acknowledgement: row.acknowledgement,
  note: row.note,
  supersedes: row.supersedes === null ? [] : (keptJson(row.supersedes) as string[]),
  superseded_by: replacementOf(row),
});

/** What a new letter says. */
export interface Draft {
  scope: string;
  to: string;
  title: string;
  body: string;
  /** Numbers of letters that this one replaces. */
  supersedes: readonly number[];
}

/**
 * Writes a letter, and supersedes the open ones that it replaces. One that is closed already is linked and left.
 * @throws CoopError not_found, for a letter to supersede that is not there.
 */
export async function writeLetter(
  writing: Writing,
  { scope, to, title, body, supersedes }: Draft,
): Promise<Letter> {
  const replaced: LetterRow[] = [];
  // One after the other: what fails is then the last that the transaction was asked.
  for (const number of supersedes) replaced.push(await find(writing.tx, LETTERS, number));
  const [row] = await create<LetterRow>(writing, LETTERS, "write", [
    {
      scope,
      state: "unread",
      addressee: to,
      title,
      body,
      acknowledgement: null,
      note: null,
      supersedes:
        supersedes.length === 0
          ? null
          : JSON.stringify(supersedes.map((number) => ref("letter", number))),
      superseded_by: null,
    },
  ]);
  for (const letter of replaced) {
    const open = MOVES.supersede.from.some((state) => state === letter.state);
    const link = { superseded_by: row!.number };
    const name = ref("letter", letter.number);
    if (open) {
      await change(writing, LETTERS, letter, "supersede", { ...link, state: MOVES.supersede.to });
      if (letter.addressee !== to)
        writing.warn(
          "readdressed",
          `${name} was for ${letter.addressee}, and ${ref("letter", row!.number)} is for ${to}: ${letter.addressee} gets nothing in its place`,
        );
    } else {
      writing.warn(
        "already_closed",
        `${name} is already ${letter.state}: it stays so, and only points to the new letter`,
      );
      await change(writing, LETTERS, letter, "supersede", link);
    }
  }
  return toLetter(row!);
}

/**
 * Starts, acks, abandons or reopens a letter. Warns who takes another's away from it.
 * @throws CoopError not_found, conflict state, conflict version.
 */
export async function moveLetter(
  writing: Writing,
  verb: "start" | "ack" | "abandon" | "reopen",
  which: Target,
  body: string | undefined,
): Promise<Letter> {
  const row = await target<LetterRow>(writing, LETTERS, which);
  const { from, to } = MOVES[verb];
  await requireState(writing, LETTERS, row, from);
  const moved = await change<LetterRow>(writing, LETTERS, row, verb, {
    // An ack without words leaves those of an earlier one, which a reopened letter still has.
    ...(verb === "ack" ? { acknowledgement: body } : { note: saidWith(verb, body) }),
    ...(verb === "reopen" && { superseded_by: null }),
    state: to,
  });
  const mine = [moved.addressee, moved.author].includes(writing.actor.id);
  if (!mine && verb !== "reopen") {
    const name = ref("letter", moved.number);
    const loses = verb === "start" ? "cannot start it any more" : "does not get it any more";
    const back = `${verb === "start" ? `coop letter abandon ${name} && ` : ""}coop letter reopen ${name}`;
    writing.warn(
      "not_yours",
      `${name} was for ${moved.addressee}, who ${loses}; if another was meant: ${back}`,
    );
  }
  if (verb === "reopen") await unlinkAll(writing, which.number);
  return toLetter(moved);
}

/** The numbers of the letters that ever superseded one. */
async function superseding(on: Sql, number: number): Promise<number[]> {
  const rows = await on.all<{ after: string }>(
    sql`select after from events where surface = 'letter' and number = ${number} and verb = 'supersede'`,
  );
  const numbers = rows.map(
    ({ after }) => (keptJson(after) as Pick<LetterRow, "superseded_by">).superseded_by,
  );
  return [...new Set(numbers)].filter((each) => each !== null);
}

/** Has a letter that was reopened superseded by none, and says which are changed by that. */
async function unlinkAll(writing: Writing, number: number): Promise<void> {
  const older = ref("letter", number);
  const changed: string[] = [];
  for (const each of await superseding(writing.tx, number)) {
    const newer = await find<LetterRow>(writing.tx, LETTERS, each);
    const { supersedes: named } = toLetter(newer);
    if (!named.includes(older)) continue;
    const left = named.filter((name) => name !== older);
    const supersedes = left.length === 0 ? null : JSON.stringify(left);
    await change(writing, LETTERS, newer, "edit", { supersedes });
    changed.push(ref("letter", each));
  }
  if (changed.length > 0)
    writing.warn(
      "no_longer_superseded",
      `${firstFew(changed)} ${changed.length === 1 ? "supersedes" : "supersede"} ${older} no longer`,
    );
}

/** @throws CoopError not_found. */
export const findLetter = async (on: Sql, number: number) =>
  toLetter(await find<LetterRow>(on, LETTERS, number));

/** Letters, newest first. */
export async function listLetters(on: Sql, query: ListQuery): Promise<Listed<Letter>> {
  const listed = await list<LetterRow>(on, LETTERS, query);
  return { ...listed, rows: listed.rows.map(toLetter) };
}

/** The long texts of a letter. */
export type Texts = Pick<Letter, (typeof TEXTS)[number]>;

/** A letter with its long texts left in the store, and how many bytes those have. */
export interface EnvelopeRow extends LetterRow {
  bytes: number;
}

const ENVELOPE =
  raw(`number, scope, version, created_at, updated_at, author, state, addressee, title, '' as body,
  null as acknowledgement, null as note, supersedes, superseded_by,
  octet_length(body) + coalesce(octet_length(acknowledgement), 0) + coalesce(octet_length(note), 0) as bytes`);

/** Open letters to an id, newest first and without their long texts: those of one scope and of none, or all others. */
export async function openEnvelopes(
  on: Sql,
  to: string,
  scope: { in?: string; notIn?: string },
  limit: number,
) {
  const elsewhere = sql`scope not in (${scope.notIn ?? ""}, '')`;
  const choices = [
    oneOf("addressee", [to]),
    oneOfStates(LETTERS, OPEN),
    ...(scope.in === undefined ? [] : [oneOf("scope", [...new Set([scope.in, ""])])]),
    ...(scope.notIn === undefined ? [] : [only(elsewhere)]),
  ];
  const envelopes = await on.all<EnvelopeRow>(
    sql`select ${ENVELOPE} from ${firstOf(LETTERS.name, combinations(choices), newest(limit))}`,
  );
  const all = envelopes.length < limit;
  return {
    envelopes,
    total: all ? { count: envelopes.length, exact: true } : await count(on, LETTERS.name, choices),
  };
}

/** The beginnings of letters' long texts by their numbers. */
export async function beginnings(
  on: Sql,
  numbers: readonly number[],
  characters: number,
): Promise<Map<number, Texts>> {
  if (numbers.length === 0) return new Map();
  const parts = TEXTS.map(
    (name) => sql`substr(${raw(name)}, 1, cast(${characters} as integer)) as ${raw(name)}`,
  );
  const rows = await on.all<Row & Texts & { number: number }>(
    sql`select number, ${join(parts)} from letters where ${among("number", numbers)}`,
  );
  return new Map(rows.map(({ number, ...texts }) => [number, texts]));
}

/**
 * Holds a letter to the version that its reader saw.
 * @throws CoopError not_found, conflict version.
 */
export async function requireAt(writing: Writing, letter: Target): Promise<void> {
  await target(writing, LETTERS, letter);
}

/** Marks unread letters as read; one that was moved since it was looked at is left as it is. */
export async function markRead(writing: Writing, numbers: readonly number[]): Promise<void> {
  for (const number of numbers) {
    const row = await find<LetterRow>(writing.tx, LETTERS, number);
    if (row.state === "unread") await change(writing, LETTERS, row, "read", { state: "read" });
  }
}

/** Every id that has open letters, for a reader whose id is unknown and may be misspelt. */
export const addresseesWithOpenLetters = (on: Sql) =>
  distinct(on, "letters", "addressee", stateIn(OPEN));
