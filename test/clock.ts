import type { Clock } from "../src/store/wait";

/** The machine's own clock and chance, as the built executable has them. */
export const machineClock: Clock = {
  now: Date.now,
  elapsed: () => performance.now(),
  random: Math.random,
  unique: Bun.randomUUIDv7,
  sleep: Bun.sleep,
};
