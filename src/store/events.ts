import type { Surface } from "../ref";
import type { ArchiveEvent, RestoreEvent } from "./archived";
import { distinct } from "./distinct";
import { raw, sql, tuples, type Row, type Sql, type Value } from "./sql";

/** Who acts and from where, as every event records it. */
export interface Actor {
  id: string;
  host: string;
  pid: number;
  /** The working folder. */
  folder: string;
}

/** One change of one record, or of the store as a whole, which has the number 0. */
export interface Change {
  surface: Surface | "store";
  number: number;
  verb: string;
  /** The record's version after the change. */
  version: number;
  /** The state it moved to; absent when the state did not change. */
  state?: string;
  /** The changed columns' values before; absent for a creation. */
  before?: Row;
  /** The changed columns' values after, without long text, which the record or a later event holds. */
  after?: Row | ArchiveEvent | RestoreEvent;
}

/** Appends an event for each change, in the transaction that makes them. */
export async function appendEvents(
  tx: Sql,
  { id, host, pid, folder }: Actor,
  at: number,
  changes: readonly Change[],
): Promise<void> {
  const json = (row: Change["after"]) => (row ? JSON.stringify(row) : null);
  const values: Value[] = [];
  for (const { surface, number, verb, version, state, before, after } of changes) {
    values.push(at, id, host, pid, folder, surface, number, verb, version);
    values.push(state ?? null, json(before), json(after));
  }
  await tx.all(sql`insert into events
    (at, author, host, pid, folder, surface, number, verb, version, state, before, after)
    values ${tuples(values.length / changes.length, values)}`);
}

/** Appends the event of its creation for each of a table's records from one number to another, in the same transaction. */
export async function appendCreations(
  tx: Sql,
  { id, host, pid, folder }: Actor,
  at: number,
  { surface, name }: { surface: Surface; name: string },
  verb: string,
  [first, last]: readonly [number, number],
): Promise<void> {
  await tx.all(sql`insert into events (at, author, host, pid, folder, surface, number, verb, version, state)
    select ${at}, ${id}, ${host}, ${pid}, ${folder}, ${surface}, number, ${verb}, version, state
    from ${raw(name)} where number between ${first} and ${last} order by number`);
}

/** Every id that wrote an event that is here, in alphabetical order. */
export const authors = (on: Sql) => distinct(on, "events", "author");

/** Every id that has ever written, in alphabetical order. */
export async function knownIds(on: Sql): Promise<string[]> {
  const { archiveEvents } = await import("./archived");
  const archived = (await archiveEvents(on)).flatMap(({ ids }) => Object.keys(ids));
  return [...new Set([...(await authors(on)), ...archived])].sort();
}

/** Whether an id has ever written. */
export async function isKnown(on: Sql, id: string): Promise<boolean> {
  const rows = await on.all(sql`select 1 as known from events where author = ${id} limit 1`);
  if (rows.length > 0) return true;
  const { archiveEvents } = await import("./archived");
  return (await archiveEvents(on)).some(({ ids }) => Object.hasOwn(ids, id));
}
