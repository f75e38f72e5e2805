import { anyOf, stateIn } from "../../../store/listing";
import {
  among,
  and,
  join,
  raw,
  sql,
  type Fragment,
  type Row,
  type Sql,
  VALUES_A_STATEMENT,
} from "../../../store/sql";
import { FINISHED, ITEMS, placeChoices, type Place } from "./items";

/** What finished items to move out of the store. */
export interface Archivable extends Place {
  /** Last changed before this, in milliseconds since 1970. */
  before: number;
  /** How many at most; 0 for all. A group is moved whole even where that is more. */
  limit: number;
}

/** Numbers of items, and how many more there are. */
export interface Archiving {
  numbers: number[];
  /** Finished for long, but kept because something that they belong together with is not. */
  kept: number;
  /** Those that the limit leaves for the next time. */
  left: number;
}

/**
 * The items that can be moved out of the store, the oldest groups first. Those of one push to several and those that are
 * about each other are one group, which goes whole or stays whole: no reply loses its question.
 */
export async function archivable(
  on: Sql,
  { before, limit, ...place }: Archivable,
): Promise<Archiving> {
  const moves = and([stateIn(FINISHED), sql`updated_at < ${before}`, anyOf(placeChoices(place))]);
  const candidates = await on.all<{ number: number }>(
    sql`select number from queue_items where ${moves} order by number`,
  );
  const linked = await on.all<Link>(
    sql`select number, fan_out, re, case when ${moves} then 1 else 0 end as moves from queue_items
      where fan_out is not null or re is not null
        or number in (select re from queue_items where re is not null)`,
  );
  const groupOf = groupsOf(linked);
  const stays = new Set(linked.filter(({ moves: ok }) => !ok).map(({ number }) => groupOf(number)));
  const numbers = candidates.map(({ number }) => number);
  const free = numbers.filter((number) => !stays.has(groupOf(number)));
  const groups = Array.from(Map.groupBy(free, groupOf).values());
  const taken: number[] = [];
  for (const group of groups) {
    if (limit > 0 && taken.length > 0 && taken.length + group.length > limit) break;
    for (const number of group) taken.push(number);
  }
  return {
    numbers: taken.sort((one, other) => one - other),
    kept: numbers.length - free.length,
    left: free.length - taken.length,
  };
}

/** An item that belongs together with others, and whether it may be moved. */
interface Link extends Row {
  number: number;
  fan_out: number | null;
  re: number | null;
  moves: number;
}

/** Gives each item's group, as the number of one of its items. */
function groupsOf(links: readonly Link[]): (number: number) => number {
  const parents = new Map<number, number>();
  const top = (number: number): number => {
    let at = number;
    for (let next = parents.get(at); next !== undefined; next = parents.get(at)) at = next;
    if (at !== number) parents.set(number, at);
    return at;
  };
  const unite = (one: number, other: number) => {
    const [a, b] = [top(one), top(other)];
    if (a !== b) parents.set(Math.max(a, b), Math.min(a, b));
  };
  const firstOf = new Map<number, number>();
  for (const { number, fan_out, re } of links) {
    if (re !== null) unite(number, re);
    if (fan_out === null) continue;
    const first = firstOf.get(fan_out);
    if (first === undefined) firstOf.set(fan_out, number);
    else unite(number, first);
  }
  return top;
}

/** Items with all that is kept of them, by their table. */
export interface Contents {
  items: Row[];
  replies: Row[];
  events: Row[];
}

/** Items by their numbers, with their replies and events, each in the order that they came to be. */
export async function contentsOf(on: Sql, numbers: readonly number[]): Promise<Contents> {
  return {
    items: await on.all(
      sql`select * from queue_items where ${among("number", numbers)} order by number`,
    ),
    replies: await on.all(sql`select * from replies where ${among("item", numbers)} order by id`),
    events: await on.all(
      sql`select * from events where surface = ${ITEMS.surface} and ${among("number", numbers)} order by id`,
    ),
  };
}

/** Puts items that another store keeps into this one, and brings those that are there already up to them. */
export async function putContents(tx: Sql, { items, replies, events }: Contents): Promise<void> {
  const numbers = items.map((row) => row["number"]!);
  await tx.all(sql`delete from replies where ${among("item", numbers)}`);
  await tx.all(
    sql`delete from events where surface = ${ITEMS.surface} and ${among("number", numbers)}`,
  );
  const columns = Object.keys(items[0]!);
  const updates = columns.map((column) => sql`${raw(column)} = excluded.${raw(column)}`);
  await insertRows(
    tx,
    "queue_items",
    items,
    sql`on conflict (number) do update set ${join(updates)}`,
  );
  // Their own ids say nothing outside of the store that gave them.
  await insertRows(tx, "replies", replies.map(withoutId));
  await insertRows(tx, "events", events.map(withoutId));
}

function withoutId({ ...row }: Row): Row {
  delete row["id"];
  return row;
}

async function insertRows(
  tx: Sql,
  table: string,
  rows: readonly Row[],
  conflicts: Fragment = raw(""),
): Promise<void> {
  for (let from = 0; from < rows.length; from += VALUES_A_STATEMENT) {
    const batch = rows.slice(from, from + VALUES_A_STATEMENT);
    const values = batch.map((row) => sql`(${join(Object.values(row))})`);
    await tx.all(sql`insert into ${raw(table)} (${raw(Object.keys(batch[0]!).join(", "))})
      values ${join(values)} ${conflicts}`);
  }
}

/** Removes items with their replies and events; later ones first, since they can be about earlier ones. */
export async function remove(tx: Sql, numbers: readonly number[]): Promise<void> {
  await tx.all(sql`delete from replies where ${among("item", numbers)}`);
  await tx.all(
    sql`delete from events where surface = ${ITEMS.surface} and ${among("number", numbers)}`,
  );
  await tx.all(sql`delete from queue_items where ${among("number", numbers)}`);
}
