import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { startPostgres, type OwnServer } from "../test/postgres";
// With its ending: `./build` is the launcher.
import { build } from "./build.ts";

const ROOT = resolve(import.meta.dir, "..");
const CHECKS = {
  format: "fmt --check",
  lint: "node_modules/oxlint/bin/oxlint -c scripts/oxlint.json --deny-warnings src scripts test",
  types: "check",
};

interface Counts {
  passed: number;
  failed: number;
}

async function buildCoop(): Promise<boolean> {
  console.log("build: dist/coop");
  try {
    await build({ entry: join(ROOT, "src/main.ts"), outfile: join(ROOT, "dist/coop") });
    return true;
  } catch (error) {
    console.error(error);
    console.log("build: FAILED");
    return false;
  }
}

/** Runs Bun with these words in the repository's folder and says in one line how it ended. */
async function step(name: string, words: string[], env = process.env): Promise<boolean> {
  console.log(`${name}: bun ${words.join(" ")}`);
  const child = Bun.spawn([process.execPath, ...words], {
    cwd: ROOT,
    env,
    stdio: ["ignore", "inherit", "inherit"],
  });
  const passed = (await child.exited) === 0;
  console.log(`${name}: ${passed ? "passed" : "FAILED"}`);
  return passed;
}

async function runTests(
  words: string[],
  starting: Promise<OwnServer | undefined>,
): Promise<Counts> {
  const folder = await mkdtemp(join(tmpdir(), "coop-test-"));
  try {
    const report = join(folder, "junit.xml");
    const reporter = ["--reporter=junit", `--reporter-outfile=${report}`];
    // The longest first: else the last is still at work while the other processors rest.
    const order = ["--parallel", `--timings=${join(ROOT, "test/timings.json")}`];
    const run = ["--no-env-file", "test", ...order, "--timeout=60000", ...reporter, ...words];
    const passed = await withPostgres(starting, (env) => step("tests", run, env));
    const xml = (await Bun.file(report).exists()) ? await Bun.file(report).text() : "";
    return countTests(xml, passed, words);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Lets all files use the server that is starting; where none does, each says why when it starts its own. */
async function withPostgres<T>(
  starting: Promise<OwnServer | undefined>,
  work: (env: typeof process.env) => Promise<T>,
): Promise<T> {
  await using server = await starting;
  return await work({ ...process.env, ...(server && { COOP_TEST_POSTGRES: server.address }) });
}

/** Reads bun test's report, which says nothing of a file that did not load or of a run that died:
 * so every file must be in it if all were to run, and its count must agree with the exit code. A test that is skipped or
 * still to do proves nothing and counts as failed, unless tests were chosen by name: the others are skipped then. */
function countTests(report: string, passed: boolean, words: readonly string[]): Counts {
  const complete = words.length === 0;
  const byName = words.some((word) => /^(-t|--test-name-pattern)/.test(word));
  const totals = /<testsuites [^>]*/.exec(report)?.[0] ?? "";
  const total = (name: string) => Number(new RegExp(` ${name}="(\\d+)"`).exec(totals)?.[1] ?? 0);
  const ran = total("tests") - total("skipped");
  let failed = total("failures");
  if (!byName) {
    failed += total("skipped");
    for (const name of skippedTests(report)) console.log(`tests: not run, so failed: ${name}`);
  }

  const reported = new Set(Array.from(report.matchAll(/ file="([^"]*)"/g), ([, file]) => file));
  const files = complete && report ? new Bun.Glob("test/**/*.test.ts").scanSync(ROOT) : [];
  for (const file of [...files].filter((name) => !reported.has(name))) {
    console.log(`tests: ${file} did not load, or has no test`);
    failed++;
  }
  if (ran === 0) console.log("tests: no test ran to its end");
  if (failed === 0 && (ran === 0 || !passed)) failed = 1;
  return { passed: ran - total("failures"), failed };
}

/** The tests of a report that were not run: each by its file, its line and its name. */
function skippedTests(report: string): string[] {
  const cases = report.matchAll(/<testcase ([^>]*[^/])>\s*<skipped/g);
  return Array.from(cases, ([, attributes = ""]) => {
    const of = (name: string) =>
      new RegExp(`(?:^| )${name}="([^"]*)"`).exec(attributes)?.[1]?.replace(/&\w+;/g, unescaped);
    return `${of("file")}:${of("line")} ${of("name")}`;
  });
}

const unescaped = (entity: string) =>
  ({ "&quot;": '"', "&amp;": "&", "&lt;": "<", "&gt;": ">", "&apos;": "'" })[entity] ?? entity;

const words = process.argv.slice(2);
// One for all files, each of which would start its own; begun now, since that takes a while. Some files alone do without.
const isShared = words.length === 0 && !process.env["COOP_TEST_POSTGRES"];
const starting = isShared ? startPostgres().catch(() => undefined) : Promise.resolve(undefined);
const built = await buildCoop();
const checks: boolean[] = [];
for (const [name, command] of Object.entries(CHECKS)) {
  checks.push(await step(name, command.split(" ")));
}
const tests = await runTests(words, starting);

const passed = tests.passed + checks.filter(Boolean).length;
const failed = tests.failed + [built, ...checks].filter((ok) => !ok).length;
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
