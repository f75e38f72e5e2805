import type { Campaign } from "./campaign";
import { Ledger } from "./ledger";
import { Stage } from "./stage";

const WRITERS = 64;
const WAIT_SECONDS = 10;

/** Starts 64 writers at one moment, round after round: none may fail, nor wait for its turn longer than `--wait`. */
export async function parallel(campaign: Campaign, rounds: number): Promise<string> {
  const chance = campaign.chance.fork("parallel");
  const stage = await new Stage(campaign, "parallel").open();
  const ledger = new Ledger(stage, chance);
  for (let round = 0; round < rounds; round++) {
    const entries = Array.from({ length: WRITERS }, () => ledger.note());
    await Promise.all(entries.map((entry) => ledger.run(entry)));
  }
  await ledger.audit();
  campaign.did = { acknowledged: ledger.acknowledged().length };
  const slowest = Math.max(...ledger.entries.flatMap(({ tries }) => tries.map(({ ms }) => ms)));
  return `${rounds} times ${WRITERS} writers, none failed, the slowest ended after ${Math.round(slowest)} ms of the ${WAIT_SECONDS} s that it may wait`;
}
