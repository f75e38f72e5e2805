import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { asked } from "./options";

const ROOT = resolve(import.meta.dir, "..");

const USAGE = `scripts/torture [--seed SEED] [--rounds N] [--only PART,…] [--coop PATH]

Tortures dist/coop (built first if it is not there), or another coop, and says in a line a part what was done and found; exits with 1 if
anything was. N is 200 if left out; 10000 takes hours. The same seed draws the same commands and moments again, though
never the same race.`;

const values = asked(
  USAGE,
  {
    seed: { type: "string" },
    rounds: { type: "string", default: "200" },
    only: { type: "string" },
    coop: { type: "string" },
  },
  ({ rounds: given }) => {
    if (!/^[1-9]\d*$/.test(given))
      throw new Error(`--rounds takes a whole number, and not ${given}`);
  },
);
const rounds = Number(values.rounds);

if (!existsSync(join(ROOT, "dist/coop"))) {
  const { build } = await import("./build.ts");
  await build({ entry: join(ROOT, "src/main.ts"), outfile: join(ROOT, "dist/coop") });
}
// Only now: they want the binary.
const { PARTS } = await import("../test/torture/parts");
const { begin, undone } = await import("../test/torture/campaign");

const wanted = values.only?.split(",");
const unknown = wanted?.find(
  (name) => !PARTS.some((part) => part.name === name || part.group === name),
);
if (unknown !== undefined) {
  const all = PARTS.flatMap(({ group, name }) => [group, name]);
  console.error(`there is no part ${unknown}; one of ${[...new Set(all)].join(", ")}`);
  process.exit(2);
}
const seed = values.seed ?? Math.random().toString(36).slice(2, 10);
console.log(`torture --seed ${seed} --rounds ${rounds}`);

let failed = false;
for (const { name, group, part, share } of PARTS) {
  if (wanted && !wanted.includes(name) && !wanted.includes(group)) continue;
  await using campaign = await begin(
    seed,
    values.coop && resolve(process.env["CALLER"] ?? "", values.coop),
  );
  const start = performance.now();
  let said: string;
  try {
    said = await part(campaign, Math.max(1, Math.round(rounds * share)));
    for (const what of undone(campaign)) campaign.violations.push(`it never did this: ${what}`);
  } catch (thrown) {
    said = "broke off";
    campaign.violations.push(
      thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown),
    );
  }
  const { violations, folder } = campaign;
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const verdict = violations.length === 0 ? "ok" : `${violations.length} VIOLATIONS`;
  console.log(`${name}: ${verdict}, ${seconds} s: ${said}`);
  if (violations.length === 0) continue;
  failed = true;
  for (const violation of violations.slice(0, 20)) console.log(`  ${violation}`);
  console.log(
    `  again: scripts/torture --seed ${seed} --rounds ${rounds} --only ${name}; evidence: ${folder}`,
  );
}
process.exitCode = failed ? 1 : 0;
