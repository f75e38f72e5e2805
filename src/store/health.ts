import { ADDRESSED } from "./addressed";
import { archivings } from "./archived";
import { TABLES } from "./contents";
import { distinct } from "./distinct";
import { stateIn } from "./listing";
import { first, raw, sql, type Row, type Sql } from "./sql";

/** The newest event of a store: its number, and when it was, in ms since 1970. */
export const newestEvent = (on: Sql) =>
  first<{ id: number; at: number; author: string; host: string }>(
    on,
    sql`select id, at, author, host from events order by id desc limit 1`,
  );

/**
 * The last event since a time that is older than the one before it by more than `tolerance` ms: the clock of one of the
 * two hosts was wrong there. Each looks up the one before it: a window would hold all events in memory.
 */
export const lastSetBack = (on: Sql, since: number, tolerance: number) =>
  first<{ id: number; at: number; host: string; before: number; host_before: string }>(
    on,
    sql`select late.id, late.at, late.host, early.at as before, early.host as host_before
      from events as late join events as early on early.id = (select max(id) from events where id < late.id)
      where late.at >= ${since} and late.at < early.at - ${tolerance} order by late.id desc limit 1`,
  );

/** How often an id has written: infinitely often where its events were archived, which count them no more. */
export interface Written extends Row {
  id: string;
  events: number;
}

/** Every id that ever wrote or that something is open on, and how many events it made. */
export async function everyId(on: Sql): Promise<Written[]> {
  const wrote = await on.all<Written>(
    sql`select author as id, count(*) as events from events group by author`,
  );
  const ids = new Map(wrote.map(({ id, events }) => [id, Number(events)]));
  for (const archived of (await archivings(on)).flatMap((each) => Object.keys(each.ids)))
    if (!ids.has(archived)) ids.set(archived, Infinity);
  for (const { table, column, states } of Object.values(ADDRESSED)) {
    for (const id of await distinct(on, table, column, stateIn(states)))
      if (id !== "" && !ids.has(id)) ids.set(id, 0);
  }
  return Array.from(ids, ([id, events]) => ({ id, events }));
}

/** Which tables of this binary's schema cannot be read. */
export async function missingTables(on: Sql): Promise<string[]> {
  const missing: string[] = [];
  for (const name of ["meta", ...TABLES.map((table) => table.name)])
    await on.all(raw(`select 1 from ${name} limit 1`)).catch(() => missing.push(name));
  return missing;
}
