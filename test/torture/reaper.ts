import { watch } from "node:fs";
import { dirname } from "node:path";
import type { Chance } from "./chance";
import type { Ended, LaunchOptions, Running } from "./stage";
import { tampering } from "./tracing";

/** Kills processes at random moments of their lives, and counts them. */
export class Reaper {
  readonly #chance: Chance;
  /** How long the last ones ran that were not killed, in ms. */
  readonly #lives: number[] = [40];
  killed = 0;
  /** How many of them had committed, by their own answer or that of their repeats. */
  committed = 0;

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  /** When to kill a process, in ms from its start: seldom in its first half, in which it only begins. */
  lifetime(): number {
    const usual = this.#lives.toSorted((a, b) => a - b)[this.#lives.length >> 1]!;
    return usual * (this.#chance.flip(0.8) ? this.#chance.between(0.6, 1.2) : this.#chance.next());
  }

  /** Kills a process at an exact write, sync or removal of a file; at a random moment where that cannot be done. */
  atACall(): LaunchOptions {
    const under = this.#chance.flip(0.7)
      ? tampering("pwrite64", this.#chance.whole(1, 45), "signal=KILL")
      : this.#chance.flip()
        ? tampering("fsync", this.#chance.whole(1, 5), "signal=KILL")
        : tampering(this.#chance.pick(["unlink", "ftruncate", "rename"]), 1, "signal=KILL");
    return under ? { under } : { lifetime: this.lifetime() };
  }

  /** Counts a process that has ended. */
  saw({ exit, ms, answer }: Ended): void {
    if (exit === null) this.killed++;
    else {
      this.#lives.push(ms);
      if (this.#lives.length > 40) this.#lives.shift();
    }
    if (answer && (exit === null || answer.replayed)) this.committed++;
  }
}

/**
 * Kills processes while they write: when the store's files change for the `nth` time, either all of them or one, and
 * one at each further change.
 */
export async function killWhileWriting(
  store: string,
  nth: number,
  all: boolean,
  work: (started: (running: Running) => void) => Promise<unknown>,
): Promise<void> {
  const alive = new Set<Running>();
  let changes = 0;
  // Watching opens no file of the store.
  const watcher = watch(dirname(store), () => {
    if (++changes < nth) return;
    for (const running of all ? alive : [...alive].slice(0, 1)) running.kill("SIGKILL");
  });
  try {
    await work((running) => {
      alive.add(running);
      void running.ended.then(() => alive.delete(running));
    });
  } finally {
    watcher.close();
  }
}
