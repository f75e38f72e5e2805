import { ref } from "../../../ref";
import { timestamp } from "../../../time";
import { find } from "../../../store/records";
import { sql, type Row, type Sql } from "../../../store/sql";
import { ITEMS, toItem, type Item, type ItemRow, type State } from "./items";
import type { FanOut } from "./push";

/** What was replied to an item. */
export interface Reply {
  author: string;
  at: string;
  body: string;
}

/** What became of an item: answered, or else its state. */
export type Status = "answered" | State;

/** An item with its replies, and whether they answer it. */
export interface Answered {
  ref: string;
  queue: string;
  to: string | null;
  state: State;
  taken_by: string | null;
  /** Whether whom it is for replied, or who took it, also where it was put back since. */
  answered: boolean;
  status: Status;
  /** What was said with its last move, such as why it was dropped. */
  note: string | null;
  /** Oldest first. */
  replies: Reply[];
}

/** One item, or all of a push to several. */
export type Asked = { item: number } | { fanOut: number };

/**
 * What was replied to an item, or to each of a fan-out.
 * @throws CoopError not_found.
 */
export async function answers(on: Sql, asked: Asked): Promise<Answered[]> {
  const rows = await askedRows(on, asked);
  const replies = await repliesTo(on, asked);
  const takers = replies.size === 0 ? undefined : await takersOf(on, asked);
  return rows.map((row) => {
    const { ref: name, queue, to, state, taken_by, note } = toItem(row);
    const own = replies.get(row.number) ?? [];
    const answered = own.some(
      ({ author }) => author === to || takers?.get(row.number)?.includes(author),
    );
    const status = answered ? "answered" : state;
    return { ref: name, queue, to, state, taken_by, answered, status, note, replies: own };
  });
}

/** @throws CoopError not_found. */
async function askedRows(on: Sql, asked: Asked): Promise<ItemRow[]> {
  if ("item" in asked) return [await find<ItemRow>(on, ITEMS, asked.item)];
  const rows = await on.all<ItemRow>(
    sql`select * from queue_items where ${isAsked(asked)} order by number`,
  );
  if (rows.length > 0) return rows;
  const { absent } = await import("../../../store/archived");
  throw await absent(on, { surface: "fan-out", number: asked.fanOut });
}

const isAsked = (asked: Asked) =>
  "item" in asked ? sql`number = ${asked.item}` : sql`fan_out = ${asked.fanOut}`;

/** Who has ever taken each item that was taken. */
async function takersOf(on: Sql, asked: Asked): Promise<Map<number, string[]>> {
  const rows = await on.all<{ number: number; author: string }>(
    sql`select number, author from events where surface = 'queue' and verb = 'take'
      and number in (select number from queue_items where ${isAsked(asked)})`,
  );
  const grouped = Map.groupBy(rows, ({ number }) => number);
  return new Map(Array.from(grouped, ([item, taken]) => [item, taken.map(({ author }) => author)]));
}

/** The replies to each item that has some, oldest first. */
async function repliesTo(on: Sql, asked: Asked): Promise<Map<number, Reply[]>> {
  const rows = await on.all<Row & { item: number; author: string; at: number; body: string }>(
    sql`select item, author, at, body from replies
      where item in (select number from queue_items where ${isAsked(asked)}) order by id`,
  );
  const grouped = Map.groupBy(rows, ({ item }) => item);
  const toReply = ({ author, at, body }: (typeof rows)[number]) => ({
    author,
    at: timestamp(at),
    body,
  });
  return new Map(Array.from(grouped, ([item, replies]) => [item, replies.map(toReply)]));
}

/** An item with all that came of it. */
export interface ItemInFull extends Item {
  /** Oldest first. */
  replies: Reply[];
  /** The items that were pushed to be about this one. */
  followed_by: string[];
}

/**
 * An item with its replies and the items that are about it.
 * @throws CoopError not_found.
 */
export async function findInFull(on: Sql, number: number): Promise<ItemInFull> {
  const row = await find<ItemRow>(on, ITEMS, number);
  const replies = await repliesTo(on, { item: number });
  const followers = await on.all<{ number: number }>(
    sql`select number from queue_items where re = ${number} order by number`,
  );
  return {
    ...toItem(row),
    replies: replies.get(number) ?? [],
    followed_by: followers.map((follower) => ref("queue", follower.number)),
  };
}

/**
 * A push to several, with its items.
 * @throws CoopError not_found.
 */
export async function findFanOut(on: Sql, fanOut: number): Promise<FanOut<Item>> {
  const rows = await askedRows(on, { fanOut });
  return { ref: ref("fan-out", fanOut), queue: rows[0]!.queue, items: rows.map(toItem) };
}
