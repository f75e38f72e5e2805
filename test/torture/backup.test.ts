import { expect, test } from "bun:test";
import { backup, copy } from "./backup";
import { begin, undone } from "./campaign";

test("each backup under eight writers is whole and holds what was acknowledged before it", async () => {
  await using campaign = await begin("tests");
  await backup(campaign, 5);
  expect(campaign.violations).toEqual([]);
  expect(undone(campaign)).toEqual([]);
}, 120_000);

test("each plain copy of the live folder under eight writers holds a whole snapshot", async () => {
  await using campaign = await begin("tests");
  await copy(campaign, 5);
  expect(campaign.violations).toEqual([]);
  expect(undone(campaign)).toEqual([]);
}, 120_000);
