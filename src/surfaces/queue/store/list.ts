import { distinct } from "../../../store/distinct";
import {
  anyOf,
  anyPriority,
  atMost,
  count,
  cut,
  list,
  oneMore,
  oneOf,
  oneOfStates,
  only,
  type Listed,
  type ListQuery,
} from "../../../store/listing";
import { sql, type Sql } from "../../../store/sql";
import { ITEMS, placeChoices, toItem, type Item, type ItemRow, type Place } from "./items";

/** What lists of items can be narrowed by, besides what every list can. */
export interface OwnFilter {
  queue?: string | undefined;
  priorities?: readonly number[] | undefined;
  takenBy?: readonly string[] | undefined;
}

/** Items, newest first. */
export async function listItems(
  on: Sql,
  query: ListQuery,
  { queue, priorities, takenBy }: OwnFilter = {},
): Promise<Listed<Item>> {
  const own = [
    ...placeChoices({ queue }),
    ...(priorities ? [oneOf("priority", priorities)] : []),
    ...(takenBy ? [oneOf("taken_by", takenBy)] : []),
  ];
  const byPriority = query.filter.addressees && !priorities ? [anyPriority()] : [];
  const listed = await list<ItemRow>(on, ITEMS, query, own, byPriority);
  return { ...listed, rows: listed.rows.map(toItem) };
}

/** Items that were taken before a time (milliseconds since 1970) and still are, the longest taken first. */
export async function staleItems(
  on: Sql,
  place: Place,
  before: number,
  limit: number,
): Promise<Pick<Listed<Item>, "rows" | "truncated" | "total">> {
  const choices = [
    oneOfStates(ITEMS, ["taken"]),
    only(sql`taken_at < ${before}`),
    ...placeChoices(place),
  ];
  const found = await on.all<ItemRow>(
    sql`select * from queue_items where ${anyOf(choices)} order by taken_at, number
      ${atMost(oneMore(limit))}`,
  );
  const { rows, truncated } = cut(found, limit);
  return {
    rows: rows.map(toItem),
    truncated,
    total: truncated ? await count(on, ITEMS.name, choices) : { count: rows.length, exact: true },
  };
}

/** The names of all queues that were ever used. */
export async function queueNames(on: Sql): Promise<string[]> {
  const { archiveEvents } = await import("../../../store/archived");
  const archived = (await archiveEvents(on)).flatMap(({ queues }) => Object.keys(queues));
  return [...new Set([...(await distinct(on, ITEMS.name, "queue")), ...archived])];
}

/** Whether anything was ever pushed to a queue. */
export async function isUsed(on: Sql, queue: string): Promise<boolean> {
  const rows = await on.all(sql`select 1 as used from queue_items where queue = ${queue} limit 1`);
  if (rows.length > 0) return true;
  const { archiveEvents } = await import("../../../store/archived");
  return (await archiveEvents(on)).some(({ queues }) => Object.hasOwn(queues, queue));
}
