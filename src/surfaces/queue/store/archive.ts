import { anyOf, firstOf, stateIn } from "../../../store/listing";
import { pages } from "../../../store/pages";
import {
  among,
  and,
  inBatches,
  join,
  raw,
  sql,
  type Fragment,
  type Row,
  type Sql,
  VALUES_A_STATEMENT,
} from "../../../store/sql";
import { Groups } from "./groups";
import { FINISHED, ITEMS, placeChoices, type Place } from "./items";

/** What finished items to move out of the store. */
export interface Archivable extends Place {
  /** Last changed before this, in milliseconds since 1970. */
  before: number;
  /** How many at most; 0 for all. A group is moved whole even where that is more. */
  limit: number;
}

/** Numbers of items, and how many more there are. */
export interface Movable {
  numbers: number[];
  /** Finished for long, but kept because something that they belong together with is not. */
  kept: number;
  /** Those that the limit leaves for the next time. */
  left: number;
}

/**
 * The items that can be moved out of the store, those that were changed last the longest ago before the others. Those of
 * one push to several and those that are about each other are one group, which goes whole or stays whole: no reply loses
 * its question.
 */
export async function archivable(
  on: Sql,
  { before, limit, ...place }: Archivable,
): Promise<Movable> {
  const old = [sql`updated_at < ${before}`, anyOf(placeChoices(place))];
  const moves = and([stateIn(FINISHED), ...old]);
  const groups = await Groups.of(on, moves);
  const [candidates] = await on.all<{ count: number }>(
    sql`select count(*) as count from queue_items where ${moves}`,
  );
  const free = candidates!.count - groups.kept;
  const oldest = pages<{ number: number; updated_at: number }>(
    on,
    { columns: ["updated_at", "number"], size: VALUES_A_STATEMENT },
    (next, order) => {
      const heads = FINISHED.map((state) => and([stateIn([state]), ...old, next]));
      return sql`select ${order.keys} from ${firstOf("queue_items", heads, order)}`;
    },
  );
  const numbers = await firstGroups(groups, oldest, limit);
  return {
    numbers: numbers.sort((one, other) => one - other),
    kept: groups.kept,
    left: free - numbers.length,
  };
}

/** Whole groups in the order of what comes first of each, as many as a limit allows, but one at least. */
async function firstGroups(
  groups: Groups,
  items: AsyncIterable<{ number: number }[]>,
  limit: number,
): Promise<number[]> {
  const taken: number[] = [];
  for await (const page of items)
    for (const { number } of page) {
      const group = groups.take(number);
      if (limit > 0 && taken.length > 0 && taken.length + group.length > limit) return taken;
      for (const one of group) taken.push(one);
    }
  return taken;
}

/** Items with all that is kept of them, by their table. */
export interface WholeItems {
  items: Row[];
  replies: Row[];
  events: Row[];
}

/** Items by their numbers, with their replies and events, each in the order that they came to be. */
export async function wholeItems(on: Sql, numbers: readonly number[]): Promise<WholeItems> {
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
export async function putItems(tx: Sql, { items, replies, events }: WholeItems): Promise<void> {
  const numbers = items.map((row) => Number(row["number"]));
  await removeBeside(tx, numbers);
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
  for (const batch of inBatches(rows)) {
    const values = batch.map((row) => sql`(${join(Object.values(row))})`);
    await tx.all(sql`insert into ${raw(table)} (${raw(Object.keys(batch[0]!).join(", "))})
      values ${join(values)} ${conflicts}`);
  }
}

/** Removes items with their replies and events. No other item may be about one of them. */
export async function removeItems(tx: Sql, numbers: readonly number[]): Promise<void> {
  await removeBeside(tx, numbers);
  await tx.all(sql`delete from queue_items where ${among("number", numbers)}`);
}

/** Removes the replies and the events of items. */
async function removeBeside(tx: Sql, numbers: readonly number[]): Promise<void> {
  await tx.all(sql`delete from replies where ${among("item", numbers)}`);
  await tx.all(
    sql`delete from events where surface = ${ITEMS.surface} and ${among("number", numbers)}`,
  );
}
