import { expect, test } from "bun:test";
import { begin, undone } from "./campaign";
import { parallel } from "./parallel";

test("64 writers at one moment all succeed", async () => {
  await using campaign = await begin("tests");
  await parallel(campaign, 1);
  expect(campaign.violations).toEqual([]);
  expect(undone(campaign)).toEqual([]);
}, 120_000);
