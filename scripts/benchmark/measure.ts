/** One line of the table: what coop took and what it is held against, as medians in milliseconds unless said otherwise. */
export interface Row {
  what: string;
  against: string;
  coop: number;
  other: number;
  /** What the two are counted in, where that is not time. */
  unit?: string;
  /** coop / other, or for a rate that should be high the other way round. */
  ratio: number;
  /** The ratio that is wanted, at most; undefined where it only tells how far something is from its limit. */
  goal?: number;
  /** What else there is to say. */
  note?: string;
}

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
  /** Bytes of text in the store that memory is measured on. */
  bytes: number;
}

export const FULL: Scale = {
  runs: 150,
  operations: 3000,
  large: 1_000_000,
  small: 1000,
  batch: 10_000,
  entries: 100_000,
  bytes: 1e9,
};

export const QUICK: Scale = {
  runs: 25,
  operations: 500,
  large: 50_000,
  small: 1000,
  batch: 10_000,
  entries: 10_000,
  bytes: 1e8,
};

export type Subjects = Record<string, () => unknown>;

/** Runs each of several things in turn, so that what disturbs one disturbs all, and gives each one's median in ms. */
export async function inTurn<S extends Subjects>(
  rounds: number,
  subjects: S,
): Promise<Record<keyof S, number>> {
  const names = Object.keys(subjects) as (keyof S & string)[];
  const taken = new Map<string, number[]>(names.map((name) => [name, []]));
  // The first rounds warm up; each next one begins with another subject.
  for (let round = -Math.ceil(rounds / 10); round < rounds; round++) {
    const first = Math.abs(round) % names.length;
    for (const name of [...names.slice(first), ...names.slice(0, first)]) {
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

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** A row of two times. */
export const compared = (
  { what, against, goal, note }: Pick<Row, "what" | "against" | "goal" | "note">,
  coop: number,
  other: number,
): Row => ({
  what,
  against,
  coop,
  other,
  ratio: coop / other,
  ...(goal !== undefined && { goal }),
  ...(note !== undefined && { note }),
});

/** Holds the work to what it should have done: a bench that did nothing is fast. */
export function requireEqual(what: string, found: unknown, expected: unknown): void {
  if (!Bun.deepEquals(found, expected))
    throw new Error(`${what}: ${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`);
}
