import type { RecordRow, Table } from "./records";
import { PRIORITIES } from "../words";
import { among, and, first, join, raw, sql, type Fragment, type Sql, type Value } from "./sql";

/** Counting stops here: it would cost as much as the store is large. */
export const COUNT_STOP = 10_000;

/** How many there are; where that is not exact, there are more than so many. */
export interface Count {
  count: number;
  exact: boolean;
}

/** What every list can be narrowed by; a filter that is undefined does not narrow. */
export interface Filter {
  scope?: string | undefined;
  states?: readonly string[] | undefined;
  authors?: readonly string[] | undefined;
  /** Null stands for nobody. */
  addressees?: readonly (string | null)[] | undefined;
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
  /** Nobody named the scope, so how many match in others is told. */
  countsElsewhere?: boolean;
}

/** What a list gives. */
export interface Listed<R> {
  rows: R[];
  /** The one scope that was looked in; undefined for all. */
  scope: string | undefined;
  /** Whether more than a scope narrowed it: there may be others. */
  narrowed: boolean;
  /** Whether older ones were left out. */
  truncated: boolean;
  /** How many match, whatever the slice. */
  total: Count;
  /** How many finished ones match too, where those are hidden. */
  finished: Count | undefined;
  /** How many match in other scopes, where that is asked. */
  elsewhere: Count | undefined;
}

/** A table of records that can be listed. */
export interface Listable extends Table {
  readonly states: readonly string[];
  /** That a record is in a state, where that is not what the column `state` says. */
  readonly inState?: (state: string) => Fragment;
}

/** Values that are allowed in a column: the condition that one of them is there, and the condition of each. */
export interface Choice {
  any: Fragment;
  each: readonly Fragment[];
}

/** One of these values in a column. */
export function oneOf(column: string, values: readonly Value[]): Choice {
  const is = (value: Value) =>
    value === null ? raw(`${column} is null`) : sql`${raw(column)} = ${value}`;
  const each = values.map(is);
  return {
    any: values.includes(null) ? sql`(${join(each, " or ")})` : among(column, values),
    each,
  };
}

/**
 * States as literals: only then does SQLite see that a partial index holds them.
 * Only ever called with words of the source: what users name is checked against those first.
 */
export const stateIn = (states: readonly string[]) =>
  raw(
    states.length === 1
      ? `state = '${states[0]}'`
      : `state in (${states.map((state) => `'${state}'`).join(", ")})`,
  );

/** Every priority: an index that keeps them apart has the order of numbers within each. */
export const anyPriority = (): Choice => ({
  any: raw("1 = 1"),
  each: oneOf("priority", PRIORITIES).each,
});

/** A condition that leaves no choice. */
export const only = (condition: Fragment): Choice => ({ any: condition, each: [condition] });

/** One of these states. */
export function oneOfStates(
  { inState }: Pick<Listable, "inState">,
  states: readonly string[],
): Choice {
  const each = states.map((state) => inState?.(state) ?? stateIn([state]));
  return { any: inState ? sql`(${join(each, " or ")})` : stateIn(states), each };
}

/** The choices of a filter, but for its states and its time. */
export const choicesOf = ({ scope, authors, addressees }: Filter): Choice[] => [
  ...(scope === undefined ? [] : [oneOf("scope", [scope])]),
  ...(authors ? [oneOf("author", authors)] : []),
  ...(addressees ? [oneOf("addressee", addressees)] : []),
];

/**
 * The records of a table that match a query and a surface's own choices, newest first. `apart` narrows nothing: it says
 * what an index keeps apart that the list brings together.
 */
export async function list<R extends RecordRow>(
  on: Sql,
  table: Listable,
  { filter, slice: { before, limit }, hidesFinished, countsElsewhere }: ListQuery,
  own: readonly Choice[] = [],
  apart: readonly Choice[] = [],
): Promise<Listed<R>> {
  const { since } = filter;
  const anywhere = [...choicesOf({ ...filter, scope: undefined }), ...own];
  const others = [...choicesOf({ scope: filter.scope }), ...anywhere];
  const narrowed = anywhere.length > 0 || since !== undefined;
  const { states = narrowed || others.length > 0 ? table.states : undefined } = filter;
  const asked = [...(states ? [oneOfStates(table, states)] : []), ...others];
  const changed = since === undefined ? [] : [sql`updated_at >= ${since}`];
  const total = (choices: readonly Choice[]) =>
    countFirst(on, table.name, conditionsOf(choices, changed));
  const recent = since === undefined ? undefined : await total(asked);
  const older = before === undefined ? [] : [sql`number < ${before}`];
  const order = newest(oneMore(limit));
  // Few are found by their time and sorted. Where many were changed, the newest records are soon some of them: the sign
  // keeps SQLite from looking for the time then.
  const found = recent?.exact
    ? sql`${raw(table.name)} where number in
        (${firstNumbers(table.name, conditionsOf(asked, [...changed, ...older]), order, sql`limit ${COUNT_STOP}`)}) ${inOrder(order)}`
    : firstOf(
        table.name,
        conditionsOf(
          [...asked, ...apart],
          [...(since === undefined ? [] : [sql`+updated_at >= ${since}`]), ...older],
        ),
        order,
      );
  const { rows, truncated } = cut(await on.all<R>(sql`select * from ${found}`), limit);
  const complete = !truncated && before === undefined;
  return {
    rows,
    scope: filter.scope,
    narrowed: narrowed || (filter.states !== undefined && !hidesFinished),
    truncated,
    total: complete ? { count: rows.length, exact: true } : (recent ?? (await total(asked))),
    finished: hidesFinished
      ? await total([oneOfStates(table, table.finished), ...others])
      : undefined,
    elsewhere: countsElsewhere
      ? await countElsewhere(
          on,
          table.name,
          filter.scope,
          [...(states ? [oneOfStates(table, states)] : []), ...anywhere],
          changed,
        )
      : undefined,
  };
}

/** The conditions of every combination, each with more. */
const conditionsOf = (choices: readonly Choice[], more: readonly Fragment[]) =>
  combinations(choices).map((one) => and([one, ...more]));

/** The condition that all choices are met. */
export const anyOf = (choices: readonly Choice[]) => and(choices.map(({ any }) => any));

/**
 * The conditions of every combination of values. A combination is a range of an index in the order of the list, so that
 * its first records are found without the rest, however many there are.
 */
export function combinations(choices: readonly Choice[]): Fragment[] {
  let combined: Fragment[][] = [[]];
  for (const { each } of choices) {
    if (combined.length * each.length > MOST_COMBINATIONS) return [anyOf(choices)];
    const longer: Fragment[][] = [];
    for (const before of combined) for (const value of each) longer.push([...before, value]);
    combined = longer;
  }
  return combined.map(and);
}

/** Each is a part of its statement, which engines bound. */
const MOST_COMBINATIONS = 100;

/** An order, the columns that it needs, and where it stops. */
export interface Order {
  keys: Fragment;
  by: Fragment;
  /** `limit …`, or nothing. */
  most: Fragment;
}

/** `limit …`, or for 0 nothing: all. */
export const atMost = (limit: number) => (limit === 0 ? raw("") : sql`limit ${limit}`);

/** One more than is wanted, which tells whether there are more; 0 for all. */
export const oneMore = (limit: number) => (limit === 0 ? 0 : limit + 1);

/** Of rows that were asked for with {@link oneMore} those that are wanted, and whether others are left out. */
export function cut<R>(rows: R[], limit: number): { rows: R[]; truncated: boolean } {
  const truncated = limit > 0 && rows.length > limit;
  return { rows: truncated ? rows.slice(0, limit) : rows, truncated };
}

/** The newest first, and how many at most; 0 for all. */
export const newest = (limit: number): Order => ({
  keys: raw("number"),
  by: raw("number desc"),
  most: atMost(limit),
});

/** The most urgent first, then the oldest, and how many at most; 0 for all. */
export const mostUrgent = (limit: number): Order => ({
  keys: raw("number, priority"),
  by: raw("priority, number"),
  most: atMost(limit),
});

/** `order by … limit …`. */
export const inOrder = ({ by, most }: Order) => sql`order by ${by} ${most}`;

/**
 * The numbers of the first records by an order that meet one of several conditions: the first of each, merged. `head`
 * ends the look-up of each, which is in that order too if nothing else is said.
 */
export function firstNumbers(
  table: string,
  conditions: readonly Fragment[],
  order: Order,
  head = inOrder(order),
): Fragment {
  const heads = conditions.map(
    (condition) =>
      sql`select * from (select ${order.keys} from ${raw(table)} where ${condition} ${head}) as head`,
  );
  return sql`select number from (${join(heads, " union all ")}) as heads ${inOrder(order)}`;
}

/** What comes after `select … from` for the records of {@link firstNumbers}, in their order. */
export const firstOf = (table: string, conditions: readonly Fragment[], order: Order): Fragment =>
  conditions.length === 1
    ? sql`${raw(table)} where ${conditions[0]!} ${inOrder(order)}`
    : sql`${raw(table)} where number in (${firstNumbers(table, conditions, order)}) ${inOrder(order)}`;

/** How many rows of a table match; stops at {@link COUNT_STOP}. */
export const count = (on: Sql, table: string, choices: readonly Choice[]): Promise<Count> =>
  countFirst(on, table, combinations(choices));

/** The same where to look at a row costs more than to count it: each is looked at once. */
export async function countOnce(
  on: Sql,
  table: string,
  choices: readonly Choice[],
): Promise<Count> {
  const rows = combinations(choices).map(
    (condition) => sql`select 1 from ${raw(table)} where ${condition}`,
  );
  const row = await first<{ found: number }>(
    on,
    sql`select count(*) as found from (${join(rows, " union all ")} limit ${COUNT_STOP + 1}) as counted`,
  );
  return toCount(row!.found);
}

/** How many rows meet one of several conditions that exclude each other. */
async function countFirst(on: Sql, table: string, conditions: readonly Fragment[]): Promise<Count> {
  const row = await first<{ found: number | null }>(
    on,
    sql`select ${counted(conditions.map((condition) => sql`${raw(table)} where ${condition}`))} as found`,
  );
  return toCount(row!.found);
}

/** How many rows that match, of the first {@link COUNT_STOP} of any scope, are of another one. */
export async function countElsewhere(
  on: Sql,
  table: string,
  scope: string | undefined,
  choices: readonly Choice[],
  more: readonly Fragment[] = [],
): Promise<Count> {
  const rows = conditionsOf(choices, more).map(
    (condition) => sql`select scope from ${raw(table)} where ${condition}`,
  );
  const found = await first<{ looked: number; elsewhere: number }>(
    on,
    sql`select count(*) as looked, count(case when scope <> ${scope ?? ""} then 1 end) as elsewhere
      from (${join(rows, " union all ")} limit ${COUNT_STOP}) as counted`,
  );
  return { count: found!.elsewhere, exact: found!.looked < COUNT_STOP };
}

/** What was counted; null or a number above {@link COUNT_STOP} stands for all that is more. */
export const toCount = (found: number | null): Count =>
  found === null || found > COUNT_STOP
    ? { count: COUNT_STOP, exact: false }
    : { count: found, exact: true };

/**
 * How many rows several sources have, each what comes after `from`, as a value in a statement: null for more than
 * {@link COUNT_STOP}. Whether it is that many is asked first: to pass over a row costs half of what counting it up to a
 * limit does.
 */
export const counted = (sources: readonly Fragment[]): Fragment => {
  const rows = sources.map((source) => sql`select 1 from ${source}`);
  const counts = sources.map((source) => sql`(select count(*) from ${source})`);
  return sql`case when (${join(rows, " union all ")} limit 1 offset ${COUNT_STOP}) is null
    then ${join(counts, " + ")} end`;
};
