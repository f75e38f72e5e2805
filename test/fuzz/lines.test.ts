import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EXITS } from "../../src/errors";
import type { Store } from "../../src/store/open";
import { raw } from "../../src/store/sql";
import { engines } from "../engines";
import { insideFresh, type Inside } from "../inside";
import type { Outcome } from "../story";
import { anything, LONGEST_MS, text, tries, UNSEEN } from "./hostile";
import { lines } from "./lines";

const folder = await realpath(await mkdtemp(join(tmpdir(), "coop-fuzz-")));

let store: Store;
let coop: Inside;
let close: () => Promise<void>;

beforeAll(async () => {
  ({ store, coop, close } = await insideFresh(engines[0]!.openFresh));
  await writeFile(join(folder, "text"), "a body\nof \u202e lines\n");
  await writeFile(join(folder, "binary"), new Uint8Array([0x66, 0xff, 0xfe, 0x00]));
  await writeFile(join(folder, "lines"), '{"payload":1}\n{"payload":"x","key":"k"}\n');
  for (let n = 0; n < 6; n++) {
    await coop.data(["letter", "write", "--body", "x", "--to", "ben"], { as: "ann" });
    await coop.data(["request", "open", "x", "--to", "ben", "--body", "x"], { as: "ann" });
    await coop.data(["todo", "add", `todo ${n}`], { as: "ann" });
    await coop.data(["history", "add", `entry ${n}`, "--body", "x"], { as: "ann" });
    await coop.data(["queue", "push", "jobs", "x", "--to", "ann,ben"], { as: "코덱스" });
  }
});

afterAll(async () => {
  await close();
  await rm(folder, { recursive: true });
});

/** Changes whenever another connection has written. */
const written = async () => {
  const [row] = await store.all(raw("pragma data_version"));
  return row!["data_version"];
};

/** Holds what a command line ended with to the contract. */
function requireContract(argv: readonly string[], { exit, out, err }: Outcome): void {
  const told = `coop ${JSON.stringify(argv)}: exit ${exit}\n${out}${err}`;
  const must = (holds: boolean, what: string) => {
    if (!holds) throw new Error(`${what}: ${told}`);
  };
  must(Object.values<number>(EXITS).includes(exit), "an exit that is not in the table");
  must(exit !== EXITS.failed, "a defect");
  must(!/^\s+at .*[:(]/m.test(err), "a stack trace");
  must(exit === 0 || out === "", "an error, and something on stdout");
  const end = argv.indexOf("--");
  const options = end < 0 ? argv : argv.slice(0, end);
  if (options.includes("--json")) {
    const document = JSON.parse(exit === 0 ? out : err);
    must(document.schema === 1, "no document");
    must((exit === 0 ? err : out) === "", "more than a document");
    if (exit !== 0)
      must(EXITS[document.error.code as keyof typeof EXITS] === exit, "a code of another exit");
    return;
  }
  for (const line of err.split("\n").slice(0, -1))
    must(line.startsWith("coop: "), "a line on stderr that does not say who says it");
  must(exit === 0 || err.endsWith("\n"), "no message");
  must(!UNSEEN.test(err), "something unseen on stderr");
  if (exit !== 0) return;
  // A page of help is no answer, whatever is asked of answers.
  if (options.includes("--quiet") && !/^coop\b/.test(out))
    must(/^([LRTHQF][1-9]\d*\n)*$/.test(out), "something other than refs");
  if (!options.includes("--raw")) must(!UNSEEN.test(out), "something unseen on stdout");
}

describe("a random command line", () => {
  test(
    "ends as the contract says, and writes nothing unless it succeeds",
    () =>
      fc.assert(
        fc.asyncProperty(
          lines(folder),
          anything,
          fc.constantFrom({}, { PIPPA_COOP_ID: "ann" }, { PIPPA_COOP_SCOPE: "quest" }),
          async (argv, stdin, env) => {
            const before = await written();
            const outcome = await coop.run(argv, {
              stdin,
              env: env as Record<string, string>,
              edit: () => stdin,
            });
            requireContract(argv, outcome);
            if (outcome.exit !== 0 && (await written()) !== before)
              throw new Error(`it failed, and wrote: coop ${JSON.stringify(argv)}\n${outcome.err}`);
          },
        ),
        tries(5000),
      ),
    LONGEST_MS,
  );

  test(
    "of nothing but random words ends as the contract says",
    () =>
      fc.assert(
        fc.asyncProperty(fc.array(anything, { maxLength: 6 }), async (argv) => {
          requireContract(argv, await coop.run(argv, { stdin: "" }));
        }),
        tries(500),
      ),
    LONGEST_MS,
  );
});

describe("a random variable", () => {
  test(
    "ends as the contract says",
    () =>
      fc.assert(
        fc.asyncProperty(
          fc.constantFrom("PIPPA_COOP_ID", "PIPPA_COOP_SCOPE"),
          text,
          async (name, given) => {
            const argv = ["todo", "add", "x"];
            const outcome = await coop.run(argv, { env: { PIPPA_COOP_ID: "ann", [name]: given } });
            requireContract(argv, outcome);
            expect([0, 2]).toContain(outcome.exit);
          },
        ),
        tries(300),
      ),
    LONGEST_MS,
  );
});

test(
  "bytes on standard input are kept as they are, or refused because they are no UTF-8 text",
  () =>
    fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.uint8Array({ maxLength: 60 }),
          text.map((given) => Buffer.from(given)),
        ),
        async (bytes) => {
          const argv = ["letter", "write", "--body", "-"];
          const outcome = await coop.run(["--json", ...argv], { as: "ann", stdin: bytes });
          requireContract(["--json", ...argv], outcome);
          if (outcome.exit !== 0) return expect(outcome.exit).toBe(2);
          const { ref } = outcome.json().data;
          expect((await coop.run(["letter", "show", ref, "--raw"])).bytes).toEqual(
            Buffer.from(bytes),
          );
        },
      ),
      tries(200),
    ),
  LONGEST_MS,
);
