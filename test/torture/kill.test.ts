import { expect, test } from "bun:test";
import { begin, undone } from "./campaign";
import { kill } from "./kill";

test("nothing acknowledged is lost and nothing is half done when writers are killed, whatever goes on beside", async () => {
  await using campaign = await begin("tests");
  await kill(campaign, 50, 3);
  expect(campaign.violations).toEqual([]);
  expect(undone(campaign)).toEqual([]);
}, 300_000);
