/** Chance that can be had again: the same seed makes the same choices in the same order. */
export class Chance {
  #state: number;

  constructor(readonly seed: string) {
    this.#state = Number(Bun.hash(seed) & 0xffff_ffffn);
  }

  /** Chance of its own for one part, so that what one part draws changes nothing in another. */
  fork(name: string | number): Chance {
    return new Chance(`${this.seed}/${name}`);
  }

  /** A number in [0, 1), by mulberry32. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A number in [least, most). */
  between(least: number, most: number): number {
    return least + this.next() * (most - least);
  }

  /** A whole number from `least` to `most`, both included. */
  whole(least: number, most: number): number {
    return Math.floor(this.between(least, most + 1));
  }

  /** True so often of 1. */
  flip(often = 0.5): boolean {
    return this.next() < often;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.whole(0, from.length - 1)]!;
  }
}
