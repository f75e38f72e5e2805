import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "../../scripts/build.ts";
import { COOP } from "../binary";
import { Chance } from "./chance";

/** What a part of the campaign works with, and where it says what it found. */
export interface Campaign extends AsyncDisposable {
  chance: Chance;
  /** The executable, by its absolute path. */
  coop: string;
  /** A throwaway folder; it stays if there are violations, as evidence. */
  folder: string;
  /** Builds, once, an executable whose schema is a step further. */
  newer(): Promise<string>;
  /** What should not be, each with what is needed to look into it. */
  violations: string[];
  /** How often what a part is about has happened. */
  did: Record<string, number>;
}

/** What a part is about and never happened: then it has shown nothing. */
export function undone({ did }: Campaign): string[] {
  const counts = Object.entries(did);
  return counts.length === 0
    ? ["anything"]
    : counts.flatMap(([what, count]) => (count > 0 ? [] : what));
}

/** A part of the campaign: goes so many rounds, and says in a few words what was done. */
export type Part = (campaign: Campaign, rounds: number) => Promise<string>;

/** Begins a campaign: `await using campaign = await begin("seed")`. */
export async function begin(seed: string, coop = COOP): Promise<Campaign> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "coop-torture-")));
  let newer: Promise<string> | undefined;
  const violations: string[] = [];
  return {
    chance: new Chance(seed),
    coop,
    folder,
    newer: () => (newer ??= buildNewer(folder)),
    violations,
    did: {},
    [Symbol.asyncDispose]: async () => {
      if (violations.length === 0) await rm(folder, { recursive: true });
    },
  };
}

async function buildNewer(folder: string): Promise<string> {
  const outfile = join(folder, "newer");
  await build({ entry: resolve(import.meta.dir, "../fixtures/next.ts"), outfile });
  return outfile;
}
