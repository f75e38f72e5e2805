import { CoopError } from "../errors";
import { ADDRESSED } from "./addressed";
import { archiveEvents } from "./archived";
import { TABLES } from "./contents";
import { distinct } from "./distinct";
import { stateIn } from "./listing";
import { authors } from "./events";
import { first, inBatches, join, raw, sql, type Row, type Sql } from "./sql";

/** An event: its number, when it was, in ms since 1970, and who made it where. */
interface Dated extends Row {
  id: number;
  at: number;
  author: string;
  host: string;
}

/** The event of the highest number. */
export const newestEvent = (on: Sql) =>
  first<Dated>(on, sql`select id, at, author, host from events order by id desc limit 1`);

/** The event of the latest time, whichever number it has. */
export async function latestEvent(on: Sql): Promise<Dated | undefined> {
  // By time there is an index of each author's events alone.
  const each = (author: string) =>
    sql`select * from (select id, at, author, host from events where author = ${author}
      order by at desc, id desc limit 1) as latest`;
  const found: Dated[] = [];
  for (const some of inBatches(await authors(on), AUTHORS_A_LOOK))
    found.push(...(await on.all<Dated>(join(some.map(each), " union all "))));
  return found.sort((one, other) => other.at - one.at)[0];
}

/** Each is a part of its statement, which engines bound. */
const AUTHORS_A_LOOK = 100;

/** An event that is older than the one before it. */
export interface SetBack extends Row {
  id: number;
  at: number;
  host: string;
  before: number;
  host_before: string;
}

/** How many events one look goes through: a window over all would hold them in memory. */
const EVENTS_A_LOOK = 50_000;

/**
 * The last event that is older than the one before it by more than `tolerance` ms, of those where that one is of a time or
 * later: the clock of one of the two hosts was wrong there. What is of the store as a whole has another's number after a
 * restore, and says nothing.
 */
export async function lastSetBack(
  on: Sql,
  since: number,
  tolerance: number,
): Promise<SetBack | undefined> {
  let from: number = Number.MAX_SAFE_INTEGER;
  for (;;) {
    const part = sql`(select id, at, host from events where id <= ${from} and surface <> 'store' order by id desc limit ${EVENTS_A_LOOK})`;
    const found = await first<SetBack>(
      on,
      sql`select id, at, host, before, host_before from
        (select id, at, host, lag(at) over (order by id) as before, lag(host) over (order by id) as host_before
          from ${part} as part) as stepped
        where at < before - ${tolerance} and before >= ${since} order by id desc limit 1`,
    );
    if (found) return found;
    // The first of a part is the last of the next, so that none is without the one before it.
    const ends = await first<{ least: number | null; looked: number }>(
      on,
      sql`select min(id) as least, count(*) as looked from ${part} as part`,
    );
    if (ends!.looked < EVENTS_A_LOOK) return undefined;
    from = ends!.least!;
  }
}

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
  for (const archived of (await archiveEvents(on)).flatMap((each) => Object.keys(each.ids)))
    if (!ids.has(archived)) ids.set(archived, Infinity);
  for (const { table, column, states } of Object.values(ADDRESSED)) {
    for (const id of await distinct(on, table, column, stateIn(states)))
      if (id !== "" && !ids.has(id)) ids.set(id, 0);
  }
  return Array.from(ids, ([id, events]) => ({ id, events }));
}

/**
 * Which tables of this binary's schema are not there, or cannot be read any more.
 * @throws CoopError busy, unavailable: for what says nothing of that.
 */
export async function missingTables(on: Sql): Promise<string[]> {
  const missing: string[] = [];
  for (const name of ["meta", ...TABLES.map((table) => table.name)])
    await on.all(raw(`select 1 from ${name} limit 1`)).catch((thrown) => {
      // One that is locked, or that this user may not read, is there.
      const isMissing = thrown instanceof CoopError && thrown.details.reason === "damaged";
      if (!isMissing) throw thrown;
      missing.push(name);
    });
  return missing;
}
