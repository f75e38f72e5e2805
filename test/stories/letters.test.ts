import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmod, copyFile, mkdir, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { COOP } from "../binary";
import { git, story, times, type RunOptions, type Story } from "../story";

interface Shown {
  ref: string;
  state: string;
  body: string | null;
  complete: boolean;
  marked: boolean;
}

let coop: Story;
beforeEach(async () => {
  coop = await story();
});
afterEach(() => coop[Symbol.asyncDispose]());

const write = async (options: RunOptions = {}, ...words: string[]): Promise<string> => {
  const { ref } = await coop.data(["letter", "write", "--body", "a body", ...words], {
    as: "ann",
    ...options,
  });
  return ref;
};
const read = (options: RunOptions = {}): Promise<Shown[]> =>
  coop.data(["letter", "read"], { as: "ann", ...options });
const stateOf = async (ref: string): Promise<string> =>
  (await coop.data(["letter", "show", ref])).state;

async function repository(...path: string[]): Promise<string> {
  const top = join(coop.folder, ...path);
  await mkdir(top, { recursive: true });
  await git(top, "init", "-b", "main");
  await git(top, "commit", "--allow-empty", "-m", "a commit");
  return top;
}

describe("a hand-off across places", () => {
  const KOREAN = "협동조합";

  /** Places where a session may begin, by the scope that each one has. */
  async function places(): Promise<Record<string, { cwd: string; scope: string }>> {
    const main = await repository("web");
    const linked = join(coop.folder, "linked");
    await git(main, "worktree", "add", linked);
    const korean = await repository("nfd", KOREAN.normalize("NFD"));
    const clone = await repository("nfc", KOREAN);
    return {
      main: { cwd: main, scope: "web" },
      linked: { cwd: linked, scope: "web" },
      korean: { cwd: korean, scope: KOREAN },
      clone: { cwd: clone, scope: KOREAN },
      nowhere: { cwd: coop.folder, scope: "" },
    };
  }

  test("is shown wherever it was written and wherever it is read, and marked only when in full", async () => {
    const all = Object.values(await places());
    for (const reader of all) {
      const written = new Map<string, string>();
      for (const { cwd, scope } of all) written.set(await write({ cwd }), scope);

      const shown = await read({ cwd: reader.cwd });
      expect(shown.map(({ ref }) => ref).toSorted()).toEqual([...written.keys()].toSorted());
      for (const { ref, complete, marked, body } of shown) {
        const scope = written.get(ref)!;
        const here = reader.scope === "" || scope === "" || scope === reader.scope;
        expect({ ref, complete, marked, body }).toEqual({
          ref,
          complete: here,
          marked: here,
          body: here ? "a body" : null,
        });
        expect(await stateOf(ref)).toBe(here ? "read" : "unread");
        await coop.data(["letter", "ack", ref], { as: "ann" });
      }
    }
  });

  test("is not lost with the old name of a clone", async () => {
    const before = await repository("before");
    const ref = await write({ cwd: before });
    const after = join(coop.folder, "after");
    await rename(before, after);
    expect(await read({ cwd: after })).toMatchObject([{ ref, complete: false, marked: false }]);
    expect(await stateOf(ref)).toBe("unread");

    const { out } = await coop.run(["letter", "read"], { as: "ann", cwd: after });
    expect(out).toContain(`in full: coop letter read ${ref}`);
    await coop.data(["letter", "read", ref], { as: "ann", cwd: after });
    expect(await stateOf(ref)).toBe("read");
  });

  test("is read by a later session that only knows its id", async () => {
    const env = { PIPPA_COOP_ID: "claude-code-pippa" };
    const note = "parser done\ntests next\n";
    await coop.data(["letter", "write", "Where I stopped", "--body", "-"], { env, stdin: note });
    const { exit, out } = await coop.run(["letter", "read"], { env });
    expect(exit).toBe(0);
    expect(out).toMatch(/^L1 read \d+s: Where I stopped\n```\nparser done\ntests next\n```\n$/);
  });
});

test("a reader whose id is misspelt learns which ids have open letters", async () => {
  await write({ as: "claude-code-pippa" });
  await write({ as: "codex-pippa" });
  const { exit, out, err } = await coop.run(["letter", "read"], { as: "claude-code-pipa" });
  expect(exit).toBe(0);
  expect(out).toBe("no open letters to claude-code-pipa\n");
  expect(err).toContain("the nearest known id is 'claude-code-pippa'");
  expect(err).toMatch(/open letters are for .*claude-code-pippa.*codex-pippa/);
  for (let n = 10; n < 22; n++) await write({ as: `worker-${n}` });
  const many = await coop.run(["letter", "read"], { as: "claude-code-pipa" });
  expect(many.err).toMatch(
    /open letters are for claude-code-pippa, codex-pippa, worker-10, .*, worker-17, and 4 more \(coop who\)\n/,
  );
});

test("who reads as an unknown id is told of the others' letters, also where there is one to that id", async () => {
  await write({ as: "codex-pippa" });
  await coop.data(["letter", "write", "--body", "x", "--to", "codex"], { as: "dad" });
  const { out, err } = await coop.run(["letter", "read"], { as: "codex" });
  expect(out).toStartWith("L2 read ");
  expect(err).toContain("open letters are also for codex-pippa\n");
});

describe("a store that cannot be written", () => {
  const NOBODY = 65534;
  const asRoot = process.getuid?.() === 0;

  /** An ordinary user, who must keep to permissions, with an executable within reach. */
  async function ordinary(): Promise<RunOptions> {
    if (!asRoot) return {};
    const program = join(coop.folder, "coop");
    await copyFile(COOP, program);
    for (const folder of [coop.folder, coop.home, dirname(coop.home)]) await chmod(folder, 0o755);
    return { user: NOBODY, program };
  }

  for (const [what, fileMode, folderMode] of [
    ["the file and its folder", 0o444, 0o555],
    ["the file", 0o444, 0o777],
    ["the folder", 0o666, 0o555],
  ] as const) {
    test(`still shows letters, with a warning, where ${what} may not be written`, async () => {
      const ref = await write();
      const options = await ordinary();
      await chmod(coop.store, fileMode);
      await chmod(dirname(coop.store), folderMode);
      try {
        const { exit, out, err } = await coop.run(["--json", "letter", "read"], {
          as: "ann",
          ...options,
        });
        expect({ exit, err }).toEqual({ exit: 0, err: "" });
        const { data, warnings } = JSON.parse(out);
        expect(data).toMatchObject([{ ref, state: "unread", body: "a body", marked: false }]);
        expect(warnings).toMatchObject([{ code: "not_marked" }]);

        const listed = await coop.run(["--json", "letter", "list"], options);
        expect({ exit: listed.exit, err: listed.err }).toEqual({ exit: 0, err: "" });
        const refused = await coop.run(["--json", "letter", "start", ref], {
          as: "ann",
          ...options,
        });
        expect(refused.exit).toBe(6);
        expect(refused.json().error.reason).toBe("read_only");
      } finally {
        await chmod(dirname(coop.store), 0o700);
        await chmod(coop.store, 0o600);
      }
      expect(await stateOf(ref)).toBe("unread");
    });
  }
});

test("of twenty processes that start one letter, one wins", async () => {
  const ref = await write();
  const outcomes = await times(20, (n) =>
    coop.run(["--json", "letter", "start", ref], { as: `brain-${n}` }),
  );
  const exits = outcomes.map(({ exit }) => exit).toSorted();
  expect(exits).toEqual([0, ...Array(19).fill(4)]);

  const winner = outcomes.findIndex(({ exit }) => exit === 0);
  for (const loser of outcomes.filter(({ exit }) => exit === 4)) {
    expect(loser.out).toBe("");
    expect(loser.json().error).toMatchObject({
      code: "conflict",
      reason: "state",
      ref,
      current: { state: "working", by: `brain-${winner}`, version: 2 },
    });
  }
  const { events: log } = await coop.data(["log", ref]);
  expect(log.map(({ verb }: { verb: string }) => verb)).toEqual(["start", "write"]);
});

test("a letter that was closed while its reader waited to mark it is just not open any more", async () => {
  const ref = await write();
  using other = new Database(coop.store);
  other.run("begin immediate");
  const reading = coop.run(["letter", "read"], { as: "ann" });
  // Most readers have seen it by then.
  await Bun.sleep(300);
  other.run("update letters set state = 'done', version = version + 1");
  other.run("commit");
  expect(await reading).toMatchObject({ exit: 0, out: expect.stringContaining("no open letters") });
  expect(await stateOf(ref)).toBe("done");
});

test("a reader that runs against four writers misses no letter", async () => {
  const LETTERS = 15;
  const writers = times(4, async (n) => {
    const refs: string[] = [];
    for (let count = 0; count < LETTERS; count++)
      refs.push(await write({ as: `writer-${n}`, cwd: coop.folder }, "--to", "ann"));
    return refs;
  });

  const acked = new Set<string>();
  const readAll = async () => {
    for (const { ref, body, complete, marked } of await read()) {
      expect({ ref, body, complete, marked }).toEqual({
        ref,
        body: "a body",
        complete: true,
        marked: true,
      });
      expect(acked.has(ref)).toBe(false);
      acked.add(ref);
      await coop.data(["letter", "ack", ref], { as: "ann" });
    }
  };
  while (Bun.peek.status(writers) === "pending") await readAll();
  await readAll();

  expect([...acked].toSorted()).toEqual((await writers).flat().toSorted());
  expect(await read()).toEqual([]);
});

test("a hand-off to what is meant for oneself is refused, unless somebody is called so", async () => {
  const hand = (to: string) =>
    coop.run(["letter", "write", "--to", to, "--body", "x"], { as: "ann" });
  expect((await hand("me")).out).toBe("L1 unread to ann: x\n");
  for (const to of ["Me", "self", "MYSELF"]) {
    const { exit, err } = await hand(to);
    expect({ exit, err }).toEqual({
      exit: 2,
      err: `coop: '${to}' is nobody's id here; \`me\` is yourself\n`,
    });
  }
  const many = ["queue", "push", "q", "x", "--to", "u1,u2,u3,u4,u5,u6,self"];
  expect((await coop.run(many, { as: "ann" })).exit).toBe(2);
  await coop.data(["todo", "add", "x"], { as: "self" });
  expect((await hand("self")).out).toBe("L2 unread to self: x\n");
  expect((await coop.run(["letter", "read"], { as: "self" })).out).toContain("L2 read");
});

test("whom nobody knows is warned of from the first hand-off on, with who is nearest and whether that is near", async () => {
  const toldOf = async (to: string) => {
    const { exit, err } = await coop.run(["todo", "add", "x", "--to", to], { as: "codex-pippa" });
    expect(exit).toBe(0);
    return err.replace("coop: warning: ", "").trimEnd();
  };
  const says = (id: string) => `'${id}' has never written here`;
  expect(await toldOf("codex-pipa")).toBe(
    `${says("codex-pipa")}, nor has anybody else yet: check how it is spelt`,
  );
  expect(await toldOf("codex-pipa")).toBe(
    `${says("codex-pipa")}; the nearest known id is 'codex-pippa'`,
  );
  expect(await toldOf("dad")).toBe(
    `${says("dad")}; no known id is like it (the nearest: 'codex-pippa')`,
  );
  expect(await toldOf("nobody")).toBe(
    `${says("nobody")}, and is taken as somebody's id: to leave it to whoever comes give no --to, or --nobody where there is one`,
  );
  expect(await toldOf("all")).toBe(
    `${says("all")}, and is taken as somebody's id: name each of those that are meant`,
  );
  expect(await toldOf("codex-pippa")).toBe("");
});

test("reading says what else is open on the reader, also where there is no letter", async () => {
  const said = async () => (await coop.run(["letter", "read"], { as: "ann" })).out;
  await coop.data(["todo", "add", "x"], { as: "ann" });
  expect(await said()).toBe("no open letters to ann\n");
  await coop.data(["todo", "assign", "T1", "--to", "ann"], { as: "ann" });
  expect(await said()).toBe("no open letters to ann\nalso on you: todos: coop who me\n");
  await coop.data(["request", "open", "x", "--to", "ann", "--body", "y"], { as: "ann" });
  await coop.data(["queue", "push", "jobs", "x", "--to", "ann"], { as: "ann" });
  await write({ as: "ann" });
  expect(await said()).toEndWith("\nalso on you: requests, todos, queue items: coop who me\n");
  expect((await coop.run(["letter", "read", "L1"], { as: "ann" })).out).not.toContain(
    "also on you",
  );
  await coop.data(["todo", "done", "T1"], { as: "ann" });
  await coop.data(["request", "done", "R1"], { as: "ann" });
  await coop.data(["queue", "take", "Q1"], { as: "ann" });
  expect(await said()).toEndWith("\nalso on you: queue items: coop who me\n");
});
