import { CoopError, type ConflictReason } from "../errors";
import { ref, type Surface } from "../ref";
import { age, timestamp } from "../time";
import { insertAlike, type Columns } from "./alike";
import { nextNumber } from "./counters";
import { appendCreations, appendEvents } from "./events";
import {
  assignments,
  first,
  inBatches,
  join,
  raw,
  sql,
  tuples,
  type Fragment,
  type Row,
  type Sql,
  type Value,
} from "./sql";
import type { Writing } from "./write";

/** The columns that every record has. Times are milliseconds since 1970. */
export interface RecordRow extends Row {
  number: number;
  scope: string;
  version: number;
  created_at: number;
  updated_at: number;
  author: string;
}

/** A table of records, named by the surface it belongs to. */
export interface Table {
  readonly surface: Surface;
  readonly name: string;
  /** The states that nothing more is expected of. */
  readonly finished: readonly string[];
  /** The state of a row, where it is not the column `state`. */
  readonly stateOf?: (row: RecordRow) => string;
  /** The ref of what stands in a row's place, where something does. */
  readonly replacedBy?: (row: RecordRow) => string | null;
  /** Columns of long text, whose new value an event leaves to the record. */
  readonly long: readonly string[];
}

/** What every record shows of itself, in JSON's words. */
export interface RecordHead {
  ref: string;
  scope: string;
  version: number;
  created_at: string;
  updated_at: string;
  author: string;
}

/** The state that a record is in. */
export const stateOf = (table: Table, row: RecordRow) =>
  table.stateOf?.(row) ?? String(row["state"]);

/** What a row shows of itself as any record does. */
export const head = (table: Table, row: RecordRow): RecordHead => ({
  ref: ref(table.surface, row.number),
  scope: row.scope,
  version: row.version,
  created_at: timestamp(row.created_at),
  updated_at: timestamp(row.updated_at),
  author: row.author,
});

/** Creates records with numbers in a row and an event each; gives them in the order of `drafts`. */
export async function create<R extends RecordRow>(
  { tx, actor, at }: Writing,
  table: Table,
  verb: string,
  drafts: readonly Omit<R, Exclude<keyof RecordRow, "scope">>[],
): Promise<R[]> {
  const start = await nextNumber(tx, table.surface, drafts.length);
  const rows = drafts.map((draft, index) => {
    const number = start + index;
    return {
      number,
      version: 1,
      created_at: at,
      updated_at: at,
      author: actor.id,
      ...draft,
    } as unknown as R;
  });
  for (const batch of inBatches(rows)) {
    const columns = Object.keys(batch[0]!);
    const values: Value[] = [];
    for (const row of batch) for (const column of columns) values.push(row[column] ?? null);
    await tx.all(sql`insert into ${raw(table.name)} (${raw(columns.join(", "))})
      values ${tuples(columns.length, values)}`);
    await appendEvents(
      tx,
      actor,
      at,
      batch.map((row) => ({
        surface: table.surface,
        number: row.number,
        verb,
        version: row.version,
        state: stateOf(table, row),
      })),
    );
  }
  return rows;
}

/**
 * Creates many records that are alike but for some columns, with numbers in a row and an event each; gives the numbers
 * in the order of the columns' values.
 */
export async function createAlike(
  { tx, actor, at }: Writing,
  table: Table,
  verb: string,
  common: Row & { state: string },
  columns: Columns,
): Promise<number[]> {
  const { length } = Object.values(columns)[0]!;
  const start = await nextNumber(tx, table.surface, length);
  const numbers = Array.from({ length }, (_, index) => start + index);
  const made = { version: 1, created_at: at, updated_at: at, author: actor.id };
  await insertAlike(tx, table.name, { ...made, ...common }, { number: numbers, ...columns });
  await appendCreations(tx, actor, at, table, verb, [start, start + length - 1]);
  return numbers;
}

/**
 * One record by its number.
 * @throws CoopError not_found.
 */
export async function find<R extends RecordRow>(on: Sql, table: Table, number: number): Promise<R> {
  const row = await first<R>(on, sql`select * from ${raw(table.name)} where number = ${number}`);
  if (row) return row;
  const { absent } = await import("./archived");
  throw await absent(on, { surface: table.surface, number });
}

/** Values before and after of what a change did in other tables. */
export interface Beside {
  before: Row;
  after: Row;
}

/** That a text was written beside a change, where one was. */
export const wrote = (what: string, text: string | undefined): Beside => ({
  before: text === undefined ? {} : { [what]: null },
  after: {},
});

/**
 * Changes columns of a record by compare-and-set on its version, and appends the event. A column whose new value is
 * undefined stays as it is, and one that has its new value already is left out of the event. `beside` is what changed with
 * it in other tables, for the event alone.
 * @throws CoopError conflict version, where another command changed it since the row was read.
 */
export async function change<R extends RecordRow>(
  writing: Writing,
  table: Table,
  row: R,
  verb: string,
  changes: Partial<R>,
  beside: Beside = { before: {}, after: {} },
): Promise<R> {
  const { tx, actor, at } = writing;
  const columns = Object.keys(changes).filter(
    (column) => changes[column] !== undefined && changes[column] !== row[column],
  );
  const set = { ...pick(changes, columns), version: row.version + 1, updated_at: at };
  const [changed] = await tx.all<R>(sql`update ${raw(table.name)} set ${assignments(set)}
    where number = ${row.number} and version = ${row.version} returning *`);
  if (!changed)
    throw await conflict(writing, table, row, {
      reason: "version",
      says: "was changed by another command",
    });
  const short = columns.filter((column) => !table.long.includes(column));
  await appendEvents(tx, actor, at, [
    {
      surface: table.surface,
      number: row.number,
      verb,
      version: changed.version,
      ...(stateOf(table, row) === stateOf(table, changed)
        ? {}
        : { state: stateOf(table, changed) }),
      before: { ...pick(row, columns), ...beside.before },
      after: { ...pick(changed, short), ...beside.after },
    },
  ]);
  return changed;
}

const pick = (row: Record<string, Value | undefined>, columns: readonly string[]): Row =>
  Object.fromEntries(columns.map((column) => [column, row[column] ?? null]));

/**
 * Holds a command to the version that its user saw (`--if-version`).
 * @throws CoopError conflict version.
 */
export async function requireVersion(
  writing: Writing,
  table: Table,
  row: RecordRow,
  expected: number | undefined,
) {
  if (expected === undefined || expected === row.version) return;
  throw await conflict(writing, table, row, {
    reason: "version",
    says: `is at version ${row.version}, not ${expected}`,
  });
}

/** The last event of a record of which a condition holds: who wrote it, when and where. */
async function lastEvent(on: Sql, table: Table, row: RecordRow, condition: Fragment) {
  const event = await first<{ author: string; at: number; host: string; folder: string }>(
    on,
    sql`select author, at, host, folder from events
      where surface = ${table.surface} and number = ${row.number} and ${condition} order by id desc limit 1`,
  );
  // Events can have been archived with what they told.
  return event ?? { author: row.author, at: row.updated_at, host: "?", folder: "?" };
}

/** Why a command lost a conflict. */
export interface Lost {
  reason: ConflictReason;
  /** What is said after the record's ref, such as `is done`. */
  says: string;
  /** What to do; to look at the record if left out. */
  hint?: string | undefined;
  /** What the conflict is about, where that is not the record's state or version. */
  columns?: readonly string[];
}

/** The error for the loser of a conflict: what the record is now, since when, by whom and where. */
export async function conflict(
  { tx, at }: Writing,
  table: Table,
  row: RecordRow,
  { reason, says, hint = `coop show ${ref(table.surface, row.number)}`, columns = [] }: Lost,
): Promise<CoopError> {
  const name = ref(table.surface, row.number);
  const made =
    columns.length === 0
      ? raw("state is not null")
      : sql`(${join(
          columns.map((column) => sql`before like ${`%"${column}":%`}`),
          " or ",
        )})`;
  const condition = reason === "version" ? raw("1 = 1") : sql`(version = 1 or ${made})`;
  const last = await lastEvent(tx, table, row, condition);
  return new CoopError(
    "conflict",
    `${name} ${says}: by ${last.author} on ${last.host} in ${last.folder}, ${age(at - last.at)} ago`,
    {
      reason,
      ref: name,
      current: {
        state: stateOf(table, row),
        by: last.author,
        at: timestamp(last.at),
        version: row.version,
      },
      hint,
    },
  );
}
