import { inOrder } from "../../../store/listing";
import { pages } from "../../../store/pages";
import {
  among,
  raw,
  sql,
  type Fragment,
  type Row,
  type Sql,
  VALUES_A_STATEMENT,
} from "../../../store/sql";

/**
 * The items that belong together with others: those of one push to several, and those that are about each other. There can
 * be as many as items, so they are kept by their place in the order of their numbers.
 */
export class Groups {
  readonly #numbers: Float64Array;
  /** Of each the next one of its group, in a ring. */
  readonly #next: Uint32Array;
  /** Of each whether its group stays, or was given. */
  readonly #settled: Uint8Array;
  /** How many would move, but stay because another one of their group does. */
  readonly kept: number;

  private constructor(numbers: Float64Array, next: Uint32Array, moves: Uint8Array) {
    this.#numbers = numbers;
    this.#next = next;
    this.#settled = new Uint8Array(numbers.length);
    let kept = 0;
    const seen = new Uint8Array(numbers.length);
    for (const place of numbers.keys()) {
      if (seen[place]) continue;
      const group = this.#ring(place);
      const moving = group.filter((one) => moves[one]).length;
      for (const one of group) seen[one] = 1;
      if (moving === group.length) continue;
      for (const one of group) this.#settled[one] = 1;
      kept += moving;
    }
    this.kept = kept;
  }

  /** All groups of a store. @param moves the condition that an item does not stay by itself. */
  static async of(on: Sql, moves: Fragment): Promise<Groups> {
    const pairs = await pairsOf(on);
    const numbers = distinct(pairs);
    const parents = Uint32Array.from(numbers.keys());
    const next = Uint32Array.from(numbers.keys());
    const top = (place: number): number => {
      let at = place;
      // Each step halves the way for the next time.
      while (parents[at] !== at) at = parents[at] = parents[parents[at]!]!;
      return at;
    };
    for (let pair = 0; pair < pairs.length; pair += 2) {
      const one = placeIn(numbers, pairs[pair]!);
      const other = placeIn(numbers, pairs[pair + 1]!);
      if (top(one) === top(other)) continue;
      parents[top(one)] = top(other);
      // Two rings become one.
      [next[one], next[other]] = [next[other]!, next[one]!];
    }
    const moving = new Uint8Array(numbers.length);
    for (let from = 0; from < numbers.length; from += VALUES_A_STATEMENT) {
      const page = among("number", [...numbers.subarray(from, from + VALUES_A_STATEMENT)]);
      // Not in the condition: each is looked up by its number, however many would move.
      const rows = await on.all<{ number: number; moves: number }>(
        sql`select number, case when ${moves} then 1 else 0 end as moves from queue_items where ${page}`,
      );
      for (const row of rows) moving[placeIn(numbers, row.number)] = row.moves;
    }
    return new Groups(numbers, next, moving);
  }

  /** The items that move with one that would: none if its group stays or was given already. */
  take(number: number): number[] {
    const place = placeIn(this.#numbers, number);
    if (this.#numbers[place] !== number) return [number];
    if (this.#settled[place]) return [];
    const group = this.#ring(place);
    for (const one of group) this.#settled[one] = 1;
    return group.map((one) => this.#numbers[one]!);
  }

  #ring(first: number): number[] {
    const ring = [first];
    for (let at = this.#next[first]!; at !== first; at = this.#next[at]!) ring.push(at);
    return ring;
  }
}

/** Two and two items that belong together, enough of them that they link each group. */
async function pairsOf(on: Sql): Promise<number[]> {
  const pairs: number[] = [];
  let last: Link | undefined;
  for await (const rows of links(on, "fan_out"))
    for (const row of rows) {
      if (last?.link === row.link) pairs.push(last.number, row.number);
      last = row;
    }
  for await (const rows of links(on, "re"))
    for (const { link, number } of rows) pairs.push(link, number);
  return pairs;
}

/** They are small; and a page looks again through those of its first link that the ones before it had. */
const LINKS_A_PAGE = 20_000;

/** An item and what it belongs to. */
interface Link extends Row {
  link: number;
  number: number;
}

const links = (on: Sql, column: "fan_out" | "re") =>
  pages<Link>(
    on,
    { columns: ["link", "number"], size: LINKS_A_PAGE },
    (next, order) => sql`select * from (select ${raw(column)} as link, number from queue_items
      where ${raw(column)} is not null) as links where ${next} ${inOrder(order)}`,
  );

/** Each number once, in order. */
const distinct = (numbers: readonly number[]): Float64Array =>
  Float64Array.from(numbers)
    .sort()
    .filter((number, place, all) => place === 0 || number !== all[place - 1]);

/** The place of a number in an order, or where it would be. */
function placeIn(numbers: Float64Array, number: number): number {
  let [from, to] = [0, numbers.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (numbers[middle]! < number) from = middle + 1;
    else to = middle;
  }
  return from;
}
