import { expect, test } from "bun:test";
import { begin, undone, type Part } from "./campaign";
import { damaged, full, locked, misrestored, quota, removed, stopped, tampered } from "./faults";

const FAULTS: [sentence: string, part: Part, rounds: number][] = [
  ["a disk that is full in mid-write", full, 3],
  ["a file that may not grow any further", quota, 3],
  ["a call to the system that fails", tampered, 5],
  ["a writer that is stopped while it has the lock", stopped, 2],
  ["a lock that is held for longer than --wait", locked, 1],
  ["a store that is taken away from a command that has it open", removed, 4],
  ["a store whose bytes were changed", damaged, 8],
  ["a backup whose bytes were changed", misrestored, 6],
];

test.each(FAULTS)(
  "%s loses nothing, and is told of as what it is",
  async (_, part, rounds) => {
    await using campaign = await begin("tests");
    await part(campaign, rounds);
    expect(campaign.violations).toEqual([]);
    expect(undone(campaign)).toEqual([]);
  },
  120_000,
);
