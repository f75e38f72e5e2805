import { resolve } from "node:path";
import type { Campaign } from "./campaign";

/** So many times as often as in the tests: more would make stores that are slow to look at. */
const TIMES_A_RUN = 10;

/** Tries the properties of the fuzz tests, run after run with another seed. */
export async function fuzz(campaign: Campaign, runs: number): Promise<string> {
  const { chance, violations } = campaign;
  const own = chance.fork("fuzz");
  let properties = 0;
  for (let run = 0; run < runs && violations.length === 0; run++) {
    const variables = {
      COOP_FUZZ_SEED: String(own.whole(1, 2 ** 31 - 1)),
      COOP_FUZZ_RUNS: String(TIMES_A_RUN),
    };
    const child = Bun.spawn(
      [process.execPath, "--no-env-file", "test", "--timeout=100000000", "test/fuzz/"],
      {
        cwd: resolve(import.meta.dir, "../.."),
        env: { ...process.env, ...variables },
        stdout: "pipe",
        stderr: "pipe",
      },
    );
    const [out, err] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ]);
    properties += Number(/^ *(\d+) pass$/m.exec(err)?.[1] ?? 0);
    if ((await child.exited) !== 0)
      violations.push(
        `COOP_FUZZ_SEED=${variables.COOP_FUZZ_SEED} COOP_FUZZ_RUNS=${TIMES_A_RUN} bun test test/fuzz/\n${(out + err).slice(-8000)}`,
      );
  }
  campaign.did = { properties };
  return `${properties} properties in ${runs} runs, each ${TIMES_A_RUN} times as often as in the tests`;
}
