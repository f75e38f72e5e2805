import type { RecordRow, Table } from "./records";
import { among, and, first, raw, sql, type Fragment, type Sql } from "./sql";

/** Counting stops here: it would cost as much as the store is large. */
export const COUNT_STOP = 10_000;

export interface Count {
  count: number;
  exact: boolean;
}

/** What every list can be narrowed by; a filter that is undefined does not narrow. */
export interface Filter {
  scope?: string | undefined;
  states?: readonly string[] | undefined;
  authors?: readonly string[] | undefined;
  addressees?: readonly string[] | undefined;
  /** Changed at this time or after, in milliseconds since 1970. */
  since?: number | undefined;
}

/** Which part of a list is wanted, newest first. */
export interface Slice {
  /** Only records older than this number. */
  before?: number | undefined;
  /** How many at most; 0 for all. */
  limit: number;
}

/** What a list asks for. */
export interface ListQuery {
  filter: Filter;
  slice: Slice;
  /** The finished are left out because nobody asked for a state, so how many there are is told. */
  hidesFinished: boolean;
}

export interface Listed<R> {
  rows: R[];
  /** The one scope that was looked in; undefined for all. */
  scope: string | undefined;
  /** Whether older ones were left out. */
  truncated: boolean;
  /** How many match, whatever the slice. */
  total: Count;
  /** How many finished ones match too, where those are hidden. */
  finished: Count | undefined;
}

export const conditionsOf = ({ scope, states, authors, addressees, since }: Filter): Fragment[] => [
  ...(scope === undefined ? [] : [sql`scope = ${scope}`]),
  ...(states ? [stateIn(states)] : []),
  ...(authors ? [among("author", authors)] : []),
  ...(addressees ? [among("addressee", addressees)] : []),
  ...(since === undefined ? [] : [sql`updated_at >= ${since}`]),
];

/**
 * States as literals: only then does SQLite see that a partial index holds them.
 * Only ever called with words of the source: what users name is checked against those first.
 */
export const stateIn = (states: readonly string[]) =>
  raw(`state in (${states.map((state) => `'${state}'`).join(", ")})`);

/** The records of a table that match a query and a surface's own conditions, newest first. */
export async function list<R extends RecordRow>(
  on: Sql,
  table: Table,
  { filter, slice: { before, limit }, hidesFinished }: ListQuery,
  own: readonly Fragment[] = [],
): Promise<Listed<R>> {
  const conditions = [...conditionsOf(filter), ...own];
  const older = before === undefined ? [] : [sql`number < ${before}`];
  const most = limit === 0 ? raw("") : sql`limit ${limit + 1}`;
  const rows = await on.all<R>(
    sql`select * from ${raw(table.name)} where ${and([...conditions, ...older])} order by number desc ${most}`,
  );
  const truncated = limit > 0 && rows.length > limit;
  const complete = !truncated && before === undefined;
  const finished = hidesFinished
    ? [...conditionsOf({ ...filter, states: table.finished }), ...own]
    : undefined;
  return {
    rows: truncated ? rows.slice(0, limit) : rows,
    scope: filter.scope,
    truncated,
    total: complete ? { count: rows.length, exact: true } : await count(on, table, conditions),
    finished: finished && (await count(on, table, finished)),
  };
}

/** How many records match; stops at {@link COUNT_STOP}. */
export async function count(
  on: Sql,
  table: Table,
  conditions: readonly Fragment[],
): Promise<Count> {
  const row = await first<{ found: number }>(
    on,
    sql`select count(*) as found from
      (select 1 as one from ${raw(table.name)} where ${and(conditions)} limit ${COUNT_STOP + 1}) as counted`,
  );
  return { count: Math.min(row!.found, COUNT_STOP), exact: row!.found <= COUNT_STOP };
}
