import { backup, copy } from "./backup";
import type { Part } from "./campaign";
import { damaged, full, locked, misrestored, quota, removed, stopped, tampered } from "./faults";
import { fuzz } from "./fuzz";
import { kill } from "./kill";
import { parallel } from "./parallel";

/** The whole campaign: each part, and how many of the campaign's rounds it goes. */
export const PARTS: readonly { name: string; group: string; part: Part; share: number }[] = [
  { name: "kill", group: "kill", part: kill, share: 1 },
  { name: "backup", group: "backup", part: backup, share: 1 / 2 },
  { name: "copy", group: "backup", part: copy, share: 1 / 2 },
  { name: "parallel", group: "parallel", part: parallel, share: 1 / 20 },
  { name: "full", group: "faults", part: full, share: 1 / 10 },
  { name: "quota", group: "faults", part: quota, share: 1 / 10 },
  { name: "tampered", group: "faults", part: tampered, share: 1 / 2 },
  { name: "stopped", group: "faults", part: stopped, share: 1 / 20 },
  { name: "locked", group: "faults", part: locked, share: 1 / 20 },
  { name: "removed", group: "faults", part: removed, share: 1 / 10 },
  { name: "damaged", group: "faults", part: damaged, share: 1 },
  { name: "misrestored", group: "faults", part: misrestored, share: 1 / 2 },
  { name: "fuzz", group: "fuzz", part: fuzz, share: 1 / 100 },
];
