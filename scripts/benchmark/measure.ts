import { Database } from "bun:sqlite";

/** One line of the table: what coop took and what it is held against, as medians in milliseconds unless said otherwise. */
export interface Row {
  what: string;
  against: string;
  coop: number;
  other: number;
  /** What the two are counted in, where that is not time. */
  unit?: string;
  /** coop / other: less is better. */
  ratio: number;
  /** The ratio that is wanted, at most; undefined where it only tells how far something is from its limit. */
  goal?: number;
  /** What else there is to say. */
  note?: string;
}

/** To the two digits that are shown. */
export const isMet = ({ ratio, goal = Infinity }: Row) => Math.round(ratio * 100) <= goal * 100;

/** How much is measured: `quick` in about a minute, else in about ten. */
export interface Scale {
  /** Runs of a whole command. */
  runs: number;
  /** Operations inside one process. */
  operations: number;
  /** Records a surface in a large store, and in a small one. */
  large: number;
  small: number;
  /** Items pushed at once. */
  batch: number;
  /** History entries of 2 KB. */
  entries: number;
  /** Bytes of text in the store that memory is measured on, and its queue items: in full as many as a site has after years. */
  bytes: number;
  items: number;
}

export const FULL: Scale = {
  runs: 150,
  operations: 3000,
  large: 1_000_000,
  small: 1000,
  batch: 10_000,
  entries: 100_000,
  bytes: 1e9,
  items: 200_000,
};

export const QUICK: Scale = {
  runs: 25,
  operations: 500,
  large: 50_000,
  small: 1000,
  batch: 10_000,
  entries: 10_000,
  bytes: 1e8,
  items: 20_000,
};

export type Subjects = Record<string, () => unknown>;

/**
 * Runs each of several things in turn, so that what disturbs one disturbs all, and gives each one's median in ms.
 * @param before what is run before one of them, and not measured.
 */
export async function inTurn<S extends Subjects>(
  rounds: number,
  subjects: S,
  before: Partial<Record<keyof S, () => unknown>> = {},
): Promise<Record<keyof S, number>> {
  const names = Object.keys(subjects) as (keyof S & string)[];
  const taken = new Map<string, number[]>(names.map((name) => [name, []]));
  // The first rounds warm up. Each has an order of its own: what one leaves behind, such as garbage, is the next one's.
  for (let round = rounds - allRounds(rounds); round < rounds; round++) {
    for (const name of shuffled(names)) {
      await before[name]?.();
      const start = Bun.nanoseconds();
      await subjects[name]!();
      const time = (Bun.nanoseconds() - start) / 1e6;
      if (round >= 0) taken.get(name)!.push(time);
    }
  }
  return Object.fromEntries(names.map((name) => [name, median(taken.get(name)!)])) as Record<
    keyof S,
    number
  >;
}

const shuffled = <T>(values: readonly T[]): T[] =>
  values
    .map((value) => ({ value, at: Math.random() }))
    .toSorted((one, other) => one.at - other.at)
    .map(({ value }) => value);

/** How often each thing is run in so many rounds: those that warm up too. */
export const allRounds = (rounds: number) => rounds + Math.ceil(rounds / 10);

function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** A row of two amounts. */
export const compared = (
  about: Omit<Row, "coop" | "other" | "ratio">,
  coop: number,
  other: number,
): Row => ({ ...about, coop, other, ratio: coop / other });

/** Holds the work to what it should have done: a bench that did nothing is fast. */
export function requireEqual(what: string, found: unknown, expected: unknown): void {
  if (!Bun.deepEquals(found, expected))
    throw new Error(`${what}: ${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`);
}

/** The same of how many rows there are, such as `todos where state = 'open'`. */
export function requireCount(path: string, rows: string, expected: number): void {
  using database = new Database(path, { readonly: true });
  const query = database.query<{ found: number }, []>(`select count(*) as found from ${rows}`);
  requireEqual(rows, query.get()!.found, expected);
}
