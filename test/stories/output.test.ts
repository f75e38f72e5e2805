import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { COOP } from "../binary";
import { engines } from "../engines";
import { insideFresh, type Inside } from "../inside";
import { story, type RunOptions, type Story } from "../story";

describe.each(engines)("a list of more than is counted, on $name,", ({ openFresh }) => {
  let coop: Inside;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ coop, close } = await insideFresh(openFresh));
    const stdin = '{"payload":"x"}\n'.repeat(10_001);
    await coop.data(["queue", "push", "jobs", "--jsonl", "-"], { as: "ann", stdin });
  });
  afterAll(() => close());

  const listed = async (...words: string[]) => {
    const { out } = await coop.run(["queue", "list", "--limit", "2", ...words]);
    const { data, ...about } = (
      await coop.run(["--json", "queue", "list", "--limit", "2", ...words])
    ).json();
    expect(data).toHaveLength(2);
    return { last: out.trimEnd().split("\n").slice(2), about };
  };

  test("says 10000+, and that the total is not exact", async () => {
    expect(await listed()).toEqual({
      last: ["2 of 10000+; older: --before Q10000"],
      about: { schema: 1, total: 10_000, total_exact: false, truncated: true, finished: 0 },
    });
  });

  test("says the number when it is one less", async () => {
    await coop.data(["queue", "drop", "Q1"], { as: "ann" });
    expect(await listed()).toEqual({
      last: ["2 of 10000; older: --before Q10000", "1 finished: --status all"],
      about: { schema: 1, total: 10_000, truncated: true, finished: 1 },
    });
    expect((await listed("--status", "all")).about).toMatchObject({ total_exact: false });
  });
});

describe("colour", () => {
  let coop: Story;
  beforeEach(async () => {
    coop = await story();
    await coop.data(["todo", "add", "one"], { as: "ann" });
  });
  afterEach(() => coop[Symbol.asyncDispose]());

  const PLAIN = /^T1 open p2 \S+ one\r?\n$/;
  const BOLD = "\u001b[1mT1\u001b[22m open";

  /** Runs a command on a terminal: a program of its own whose output is what the terminal shows. */
  const onTerminal = async (words: string[], env: RunOptions["env"] = {}) => {
    const pty = "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)";
    const argv = ["-c", pty, COOP, ...words];
    const terminal = { TERM: "xterm-256color", ...env };
    const { exit, out } = await coop.run(argv, { program: "python3", env: terminal });
    expect(exit).toBe(0);
    return out;
  };

  test("is on a terminal alone", async () => {
    expect(await onTerminal(["todo", "list"])).toStartWith(BOLD);
    const { out } = await coop.run(["todo", "list"], { env: { TERM: "xterm-256color" } });
    expect(out).toMatch(PLAIN);
  });

  test("is left out by --no-color and NO_COLOR", async () => {
    expect(await onTerminal(["todo", "list", "--no-color"])).toMatch(PLAIN);
    expect(await onTerminal(["--no-color", "todo", "list"])).toMatch(PLAIN);
    expect(await onTerminal(["todo", "list"], { NO_COLOR: "1" })).toMatch(PLAIN);
  });

  test("is not in JSON, nor in a body", async () => {
    expect(await onTerminal(["--json", "todo", "list"])).not.toContain("\u001b");
    const { ref } = await coop.data(["letter", "write", "--body", "T1 in a body"], { as: "ann" });
    const shown = await onTerminal(["letter", "show", ref]);
    expect(shown).toStartWith(`\u001b[1m${ref}\u001b[22m `);
    expect(shown).toContain("\nT1 in a body\r\n");
  });
});
