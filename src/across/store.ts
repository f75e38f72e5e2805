import { ref, SIGILS, SURFACES, type Ref, type Surface } from "../ref";
import { ADDRESSED, type Addressed, type Kind } from "../store/addressed";
import { absent, archiveEvents } from "../store/archived";
import { skipScan } from "../store/distinct";
import { authors } from "../store/events";
import { keptJson } from "../store/json";
import {
  anyPriority,
  atMost,
  combinations,
  count,
  counted,
  COUNT_STOP,
  cut,
  firstNumbers,
  newest,
  oneMore,
  oneOf,
  oneOfStates,
  only,
  stateIn,
  toCount,
  type Count,
} from "../store/listing";
import {
  among,
  and,
  first,
  inBatches,
  raw,
  sql,
  type Fragment,
  type Row,
  type Sql,
  type Value,
} from "../store/sql";
import { BEGINS_CHARACTERS, TEXTS } from "../store/tables";
import { timestamp } from "../time";

/** One change of one record, as the log tells it. */
export interface LoggedEvent {
  id: number;
  at: string;
  author: string;
  host: string;
  pid: number;
  folder: string;
  /** `store` for a change of the store as a whole. */
  ref: string;
  verb: string;
  version: number;
  /** The state it moved to, or null when the state did not change. */
  state: string | null;
  /** The changed columns' values before; null for a creation. */
  before: Record<string, unknown> | null;
  /** The changed columns' values after, without long text; of a change of the store what it tells of itself. */
  after: Record<string, unknown> | null;
  /** What the record is called now: its title, else how its text begins. Null for what is not there to be called so. */
  called: string | null;
}

interface EventRow extends Row {
  id: number;
  at: number;
  author: string;
  host: string;
  pid: number;
  folder: string;
  surface: Surface | "store";
  number: number;
  verb: string;
  version: number;
  state: string | null;
  before: string | null;
  after: string | null;
}

/** What a log asks for; a part that is undefined does not narrow. */
export interface LogQuery {
  of?: Ref | undefined;
  by?: string | undefined;
  /** Milliseconds since 1970. */
  since?: number | undefined;
  /** Only events with a smaller id. */
  before?: number | undefined;
  /** How many at most; 0 for all. */
  limit: number;
}

/**
 * Events, newest first, and whether older ones were left out.
 * @throws CoopError not_found, for a record that is not there.
 */
export async function readLog(
  on: Sql,
  { of, by, since, before, limit }: LogQuery,
): Promise<{ events: LoggedEvent[]; truncated: boolean }> {
  const asked: LogQuery = { of, by, since, before, limit: oneMore(limit) };
  const found = await on.all<EventRow>(
    sql`select * from events where ${await matching(on, asked)}`,
  );
  if (of && found.length === 0 && !(await hasEvents(on, of))) throw await absent(on, of);
  const { rows, truncated } = cut(found, limit);
  const called = await namesOf(on, rows);
  const toLogged = (row: EventRow): LoggedEvent => {
    const event = toEvent(row);
    return { ...event, called: called.get(event.ref) ?? null };
  };
  return { events: rows.map(toLogged), truncated };
}

/** By their refs what the records of events are called, as far as they are there. */
async function namesOf(on: Sql, rows: readonly EventRow[]): Promise<Map<string, string>> {
  const called = new Map<string, string>();
  for (const surface of SURFACES) {
    const numbers = rows.filter((row) => row.surface === surface).map(({ number }) => number);
    const { table, columns } = TEXTS[surface];
    const title = columns.includes("title") ? raw("title") : raw("''");
    const text = raw(columns.find((column) => column === "body" || column === "payload")!);
    for (const some of inBatches([...new Set(numbers)])) {
      const records = await on.all<{ number: number; title: string; text: string }>(
        sql`select number, ${title} as title, substr(${text}, 1, ${raw(`${BEGINS_CHARACTERS}`)}) as text
          from ${raw(table)} where ${among("number", some)}`,
      );
      for (const each of records) called.set(ref(surface, each.number), each.title || each.text);
    }
  }
  return called;
}

/**
 * The condition and the order of a log: by the events' numbers, but for what one id did by their times, since an index
 * that leads to both an id and a time has them in that order.
 */
async function matching(on: Sql, { of, by, since, before, limit }: LogQuery): Promise<Fragment> {
  const most = atMost(limit);
  // The sign keeps SQLite from going through all that one id did since then, where a record is named.
  const changed = since === undefined ? [] : [sql`${raw(of ? "+at" : "at")} >= ${since}`];
  if (by !== undefined && !of) {
    const older = before === undefined ? [] : [await earlier(on, by, before)];
    return sql`${and([sql`author = ${by}`, ...changed, ...older])} order by at desc, id desc ${most}`;
  }
  const older = before === undefined ? [] : [sql`id < ${before}`];
  if (since !== undefined && !of) {
    // By time there is an index of each author's events alone.
    const all = await authors(on);
    const late = sql`${among("author", all)} and at >= ${since}`;
    const few = all.length > 0 && (await count(on, "events", [only(late)])).exact;
    if (few)
      return sql`id in (select id from
          (select id from events where ${late} limit ${COUNT_STOP}) as recent
          where ${and(older)} order by id desc ${most})
        order by id desc`;
  }
  const conditions = [
    ...(of ? [sql`surface = ${of.surface} and number = ${of.number}`] : []),
    ...(by === undefined ? [] : [sql`author = ${by}`]),
    ...changed,
    ...older,
  ];
  return sql`${and(conditions)} order by id desc ${most}`;
}

/** What an id did before an event: in the order of a list of its own where the event is one of that, else by number. */
async function earlier(on: Sql, by: string, before: number): Promise<Fragment> {
  const own = await first<{ at: number }>(
    on,
    sql`select at from events where id = ${before} and author = ${by}`,
  );
  return own ? sql`(at, id) < (${own.at}, ${before})` : sql`id < ${before}`;
}

const hasEvents = (on: Sql, { surface, number }: Ref) =>
  first(
    on,
    sql`select 1 as one from events where surface = ${surface} and number = ${number} limit 1`,
  );

const toEvent = ({
  at,
  surface,
  number,
  before,
  after,
  ...rest
}: EventRow): Omit<LoggedEvent, "called"> => ({
  ...rest,
  at: timestamp(at),
  ref: refOf(surface, number),
  before: values(surface, before),
  after: values(surface, after),
});

/** A record's ref; in full words of a surface that a newer coop has put into the store. */
function refOf(surface: EventRow["surface"], number: number): string {
  if (surface === "store") return surface;
  return Object.hasOwn(SIGILS, surface) ? ref(surface, number) : `${String(surface)} ${number}`;
}

/** Kept column values; times, refs and lists of refs as everywhere in JSON. */
function values(surface: EventRow["surface"], json: string | null): Record<string, unknown> | null {
  if (json === null) return null;
  const row = keptJson(json) as Row;
  const shown = (column: string, value: Value): unknown => {
    if (column === "after") return value === null ? [] : String(value).split(",");
    if (column === "supersedes") return value === null ? [] : keptJson(String(value));
    if (typeof value !== "number") return value;
    if (column === "superseded_by") return refOf(surface, value);
    return column.endsWith("_at") ? timestamp(value) : value;
  };
  const entries = Object.entries(row).map(([column, value]) => [column, shown(column, value)]);
  return Object.fromEntries(entries);
}

/** An id, when it last wrote, and how much of what is open on it. */
export interface Presence {
  /** null stands for nobody in particular: what anyone may take. */
  id: string | null;
  last_seen_at: string | null;
  host: string | null;
  open: Record<Kind, Count>;
}

/** Everyone who ever wrote or has something open, in alphabetical order; last, what is open on nobody. */
export async function presences(on: Sql): Promise<Presence[]> {
  const seen = await lastSeen(on);
  const counts = new Map<Kind, Map<string, number>>();
  for (const kind of KINDS) counts.set(kind, await openById(on, ADDRESSED[kind]));
  const countsOf = (id: string) =>
    Object.fromEntries(
      KINDS.map((kind) => [kind, toCount(counts.get(kind)!.get(id) ?? 0)]),
    ) as Record<Kind, Count>;
  const ids = [seen, ...counts.values()].flatMap((found) => [...found.keys()]);
  const all = [...new Set(ids)].sort().map((id) => ({
    id: id === NOBODY ? null : id,
    last_seen_at: seen.get(id)?.at ?? null,
    host: seen.get(id)?.host ?? null,
    open: countsOf(id),
  }));
  // What sorts first is nobody.
  return all[0]?.id === null ? [...all.slice(1), all[0]] : all;
}

/** One id, with the newest refs of each kind that is open on it. */
export interface Charge extends Presence {
  refs: Record<Kind, string[]>;
}

/** When an id last wrote and what is open on it: at most so many of each kind, the newest first. */
export async function chargeOf(on: Sql, id: string, most: number): Promise<Charge> {
  const open = {} as Record<Kind, Count>;
  const refs = {} as Record<Kind, string[]>;
  for (const kind of KINDS) {
    const { surface, table, column, states, byPriority }: Addressed = ADDRESSED[kind];
    const its = [
      oneOf(column, [id]),
      oneOfStates({}, states),
      ...(byPriority ? [anyPriority()] : []),
    ];
    const found = await on.all<{ number: number }>(
      firstNumbers(table, combinations(its), newest(oneMore(most))),
    );
    const { rows, truncated } = cut(found, most);
    refs[kind] = rows.map(({ number }) => ref(surface, number));
    open[kind] = truncated ? await count(on, table, its) : { count: rows.length, exact: true };
  }
  const last = await lastOf(on, id);
  return { id, last_seen_at: last?.at ?? null, host: last?.host ?? null, open, refs };
}

/** When and from where an id last wrote. */
async function lastOf(on: Sql, id: string): Promise<{ at: string; host: string } | undefined> {
  const row = await first<{ at: number; host: string }>(
    on,
    sql`select at, host from events where author = ${id} order by at desc, id desc limit 1`,
  );
  const here = row && { at: timestamp(row.at), host: row.host };
  const archived = (await archiveEvents(on)).flatMap(({ ids }) =>
    Object.hasOwn(ids, id) ? [ids[id]!] : [],
  );
  return [...(here ? [here] : []), ...archived].toSorted((a, b) => (a.at < b.at ? 1 : -1))[0];
}

const KINDS = Object.keys(ADDRESSED) as Kind[];

/** No id is empty: what is open on it is anyone's. */
const NOBODY = "";

/** Who ever wrote, and when and from where each did last. */
async function lastSeen(on: Sql): Promise<Map<string, { at: string; host: string }>> {
  const rows = await on.all<{ id: string; at: number; host: string }>(
    sql`with recursive ${skipScan("events", "author")}
      select found.value as id, last.at, last.host from found
      join events as last on last.id = (select id from events where author = found.value order by at desc, id desc limit 1)`,
  );
  const seen = new Map(rows.map(({ id, at, host }) => [id, { at: timestamp(at), host }]));
  for (const { ids } of await archiveEvents(on))
    for (const [id, last] of Object.entries(ids))
      if (last.at > (seen.get(id)?.at ?? "")) seen.set(id, last);
  return seen;
}

/** How much is open on each id on which something is; more than {@link COUNT_STOP} stands for any such number. */
async function openById(
  on: Sql,
  { table, column, states, anyones }: Addressed,
): Promise<Map<string, number>> {
  const howMany = (of: Fragment) =>
    counted([sql`${raw(table)} where ${raw(column)} ${of} and ${stateIn(states)}`]);
  const rows = await on.all<{ id: string; open: number | null }>(
    sql`with recursive ${skipScan(table, column)}
      select value as id, ${howMany(raw("= found.value"))} as open from found where value is not null
      ${anyones ? sql`union all select '', ${howMany(raw("is null"))}` : raw("")}`,
  );
  const found = new Map<string, number>();
  for (const { id, open: many } of rows)
    if (many !== 0) found.set(id, (many ?? Infinity) + (found.get(id) ?? 0));
  return found;
}
