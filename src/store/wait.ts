/** Time and chance, handed in by the process edge so that everything else can be tested without either. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Stores that have a clock of their own go by this one all the same: it is made up, as in tests. */
  readonly rules?: true;
  /** Milliseconds of a clock that is never set back. */
  elapsed(): number;
  /** A number in [0, 1). */
  random(): number;
  /** A word that nobody else makes, for the names of temporary files. */
  unique(): string;
  sleep(milliseconds: number): Promise<void>;
}

const LONGEST_PAUSE_MS = 25;

/**
 * The bound on waiting for locks: it covers the whole command, however many locks that takes, but for the snapshot that
 * is published after its answer, and for what long work begins anew ({@link Wait.renew}).
 */
export class Wait {
  #end: number;

  /** @param seconds how long the command may wait in all, counted from now. */
  constructor(
    readonly seconds: number,
    readonly clock: Clock,
  ) {
    this.#end = clock.elapsed() + seconds * 1000;
  }

  /** Begins the time anew, after work that took long without waiting for anybody. */
  renew(): void {
    this.#end = this.clock.elapsed() + this.seconds * 1000;
  }

  /** Milliseconds that are left, at least 0. */
  get left(): number {
    return Math.max(0, this.#end - this.clock.elapsed());
  }

  /**
   * Tries until `attempt` succeeds, throws something other than what `again` recognises, or the time is up; then
   * the last error is thrown. Pauses are random and grow: SQLite's own busy handler starves some writers of many.
   */
  async retry<T>(attempt: () => T | Promise<T>, again: (thrown: unknown) => boolean): Promise<T> {
    for (let ceiling = 1; ; ceiling = Math.min(ceiling * 2, LONGEST_PAUSE_MS)) {
      try {
        return await attempt();
      } catch (thrown) {
        const { left } = this;
        if (left <= 0 || !again(thrown)) throw thrown;
        await this.clock.sleep(Math.min(left, 0.5 + this.clock.random() * ceiling));
      }
    }
  }
}
