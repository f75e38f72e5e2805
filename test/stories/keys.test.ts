import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Store } from "../../src/store/open";
import { engines, eventsOf } from "../engines";
import { insideFresh, type Inside } from "../inside";
import { story, times, type Outcome, type Story } from "../story";
import { everyVerb } from "../tree";

/**
 * A command of each verb that writes, and the commands before it; REF is what the first of those made. It adds an event,
 * unless `events` says how many it adds.
 */
const COMMANDS: Record<string, { before?: string[]; words: string; events?: number }> = {
  "letter write": { words: "letter write title --body text" },
  "letter read": { before: ["letter write --body text"], words: "letter read REF" },
  "letter start": { before: ["letter write --body text"], words: "letter start REF" },
  "letter ack": { before: ["letter write --body text"], words: "letter ack REF -m thanks" },
  "letter abandon": { before: ["letter write --body text"], words: "letter abandon REF" },
  "letter reopen": {
    before: ["letter write --body text", "letter ack REF"],
    words: "letter reopen REF",
  },
  "request open": { words: "request open title --to ann --body text" },
  "request reply": {
    before: ["request open title --to ann --body text"],
    words: "request reply REF text",
  },
  "request accept": {
    before: ["request open title --to ann --body text"],
    words: "request accept REF",
  },
  "request done": {
    before: ["request open title --to ann --body text"],
    words: "request done REF",
  },
  "request decline": {
    before: ["request open title --to ann --body text"],
    words: "request decline REF",
  },
  "request cancel": {
    before: ["request open title --to ann --body text"],
    words: "request cancel REF",
  },
  "request reopen": {
    before: ["request open title --to ann --body text", "request done REF"],
    words: "request reopen REF",
  },
  "request assign": {
    before: ["request open title --to ann --body text"],
    words: "request assign REF --to ben",
  },
  "request edit": {
    before: ["request open title --to ann --body text"],
    words: "request edit REF --title other",
  },
  "todo add": { words: "todo add title" },
  "todo start": { before: ["todo add title"], words: "todo start REF" },
  "todo stop": { before: ["todo add title", "todo start REF"], words: "todo stop REF" },
  "todo block": { before: ["todo add title"], words: "todo block REF -m why" },
  "todo done": { before: ["todo add title"], words: "todo done REF" },
  "todo drop": { before: ["todo add title"], words: "todo drop REF" },
  "todo reopen": { before: ["todo add title", "todo done REF"], words: "todo reopen REF" },
  "todo assign": { before: ["todo add title"], words: "todo assign REF --to ben" },
  "todo edit": { before: ["todo add title"], words: "todo edit REF --priority 0" },
  "history add": { words: "history add --slug added --body text" },
  "history commit": {
    before: ["history add --slug committed --body text"],
    words: "history commit REF abc1234",
  },
  "history edit": {
    before: ["history add --slug edited --body text"],
    words: "history edit REF --title other",
  },
  "queue push": { words: "queue push pushed text" },
  "queue take": { before: ["queue push taken text"], words: "queue take taken --count 5" },
  "queue reply": {
    before: ["queue push replied text", "queue take REF"],
    words: "queue reply REF text",
  },
  "queue done": {
    before: ["queue push done text", "queue take REF"],
    words: "queue done REF --reply text",
  },
  "queue release": {
    before: ["queue push released text", "queue take REF"],
    words: "queue release REF",
  },
  "queue drop": { before: ["queue push dropped text"], words: "queue drop REF" },
  "queue reopen": {
    before: ["queue push reopened text", "queue take REF", "queue done REF"],
    words: "queue reopen REF",
  },
  "queue archive": {
    before: ["queue push archived text", "queue drop REF"],
    words: "queue archive archived --older 0s --to archive.db",
    events: 1 - 2,
  },
  restore: { before: ["backup --to backup.db"], words: "restore backup.db" },
  redact: { before: ["letter write --body text"], words: "redact REF" },
};

const writing = (await everyVerb()).filter(({ verb }) => "key" in verb.args);
const versioned = writing.filter(({ verb }) => "ifVersion" in verb.args);

test("every verb that writes is tried with a key", () => {
  expect(Object.keys(COMMANDS)).toEqual(writing.map(({ words }) => words.join(" ")));
});

describe("a command that is repeated with its key", () => {
  const PROCESSES = 10;
  let coop: Story;
  let store: Database;
  beforeAll(async () => {
    coop = await story();
    store = new Database(coop.store, { readonly: true });
  });
  afterAll(async () => {
    store.close();
    await coop[Symbol.asyncDispose]();
  });

  /** All that was ever changed, and all answers that are kept. */
  const written = () => ({
    events: store.query("select * from events").all().length,
    keys: store.query("select * from keys").all().length,
  });
  const run = (words: string[], env: Record<string, string> = {}, stdin?: string) =>
    coop.run(["--json", ...words], { as: "ann", env, ...(stdin !== undefined && { stdin }) });
  const answered = ({ exit, out, err }: Outcome) => {
    expect({ exit, err }).toEqual({ exit: 0, err: "" });
    const { data, replayed = false } = JSON.parse(out);
    return { data, replayed };
  };

  test.each(Object.keys(COMMANDS))(
    "%s is done once, and answered alike each time",
    async (verb) => {
      const { before = [], words, events = 1 } = COMMANDS[verb]!;
      let ref = "";
      const complete = (line: string) => line.replace("REF", ref).split(" ");
      for (const line of before) {
        const { data } = answered(await run(complete(line)));
        ref ||= data.ref;
      }
      const command = [...complete(words), "--key", verb];
      const start = written();

      const atOnce = (await times(PROCESSES, () => run(command))).map(answered);
      expect(written()).toEqual({ events: start.events + events, keys: start.keys + 1 });
      const first = atOnce.find(({ replayed }) => !replayed)!;
      expect(atOnce.filter(({ replayed }) => replayed)).toHaveLength(PROCESSES - 1);
      for (const { data } of atOnce) expect(data).toEqual(first.data);

      // A ref is the same in whatever spelling.
      const spelt = words.replace("REF", () => `#${ref.toLowerCase()}`).split(" ");
      const again = await run([...spelt, "--key", verb]);
      expect(answered(again)).toEqual({ data: first.data, replayed: true });
      // The scope counts only where a flag names it.
      const elsewhere = await run(command, { PIPPA_COOP_SCOPE: "elsewhere" });
      expect(answered(elsewhere)).toEqual({ data: first.data, replayed: true });
      const other = await run([...command, "--scope", "elsewhere"]);
      expect(other.exit).toBe(4);
      const { ref: made } = first.data;
      const { error } = other.json();
      expect(error).toMatchObject({ code: "conflict", reason: "key", ...(made && { ref: made }) });
      expect(error.message).toEndWith(made ? `, for ${made}` : `by ann`);
      expect(written()).toEqual({ events: start.events + events, keys: start.keys + 1 });
    },
  );

  test("says so in text", async () => {
    const command = ["letter", "write", "--body", "x", "--key", "in text"];
    const first = await coop.run(command, { as: "ann" });
    const again = await coop.run(command, { as: "ann" });
    expect(again).toMatchObject({ exit: 0, err: "" });
    expect(again.out).toBe(
      `${first.out.trimEnd()}\n(done before with this key; nothing was done now)\n`,
    );
  });

  test("is answered from what was kept although the record has moved on since", async () => {
    const { ref } = await coop.data(["letter", "write", "--body", "x"], { as: "ann" });
    const command = ["letter", "start", ref, "--if-version", "1", "--key", "moved on"];
    const first = answered(await run(command));
    answered(await run(["letter", "ack", ref]));
    expect(answered(await run(command))).toEqual({ data: first.data, replayed: true });
    expect(await coop.data(["letter", "show", ref])).toMatchObject({ state: "done" });
  });

  test("is the same however its key is composed, and the refs in its lists are spelt", async () => {
    const refs: string[] = [];
    for (const title of ["one", "two"])
      refs.push((await coop.data(["todo", "add", title], { as: "ann" })).ref);
    const add = (key: string, after: string[]) =>
      run(["todo", "add", "later", "--after", after.join(), "--key", key]);
    const first = answered(await add("caf\u00e9", refs));
    const again = answered(await add("cafe\u0301", refs));
    expect(again).toEqual({ data: first.data, replayed: true });
    const push = (to: string) => run(["queue", "push", "jobs", "x", "--to", to, "--key", "to"]);
    const pushed = answered(await push("zo\u00e9"));
    expect(answered(await push("zoe\u0301"))).toEqual({ data: pushed.data, replayed: true });
    for (const title of ["caf\u00e9", "cafe\u0301"])
      expect((await run(["todo", "add", title, "--key", "title"])).exit).toBe(
        title === "caf\u00e9" ? 0 : 4,
      );
    const lines = (payload: string) =>
      run(
        ["queue", "push", "jobs", "--jsonl", "-", "--key", "lines"],
        undefined,
        `${JSON.stringify({ payload })}\n`,
      );
    const line = answered(await lines("\u00e9"));
    expect(answered(await lines("\u00e9"))).toEqual({ data: line.data, replayed: true });
    expect((await lines("e\u0301")).exit).toBe(4);
    const spelt = answered(
      await add(
        "caf\u00e9",
        refs.map((ref) => `#${ref.toLowerCase()}`),
      ),
    );
    expect(spelt).toEqual({ data: first.data, replayed: true });
  });

  test("is another command when another id or another verb gives the same key", async () => {
    const words = ["letter", "write", "--body", "x", "--key", "shared"];
    const ann = answered(await run(words));
    const { ref } = await coop.data(words, { as: "ben" });
    expect(ref).not.toBe(ann.data.ref);
    expect(answered(await run(["todo", "add", "x", "--key", "shared"])).replayed).toBe(false);
  });

  test("is another command with another version to hold to", async () => {
    await coop.data(["todo", "add", "x"], { as: "ann" });
    const start = (version: string) =>
      run(["todo", "start", "T1", "--if-version", version, "--key", "once"]);
    expect(answered(await start("1")).replayed).toBe(false);
    expect(answered(await start("1")).replayed).toBe(true);
    const { exit, json } = await start("2");
    expect({ exit, ...json().error }).toMatchObject({ exit: 4, reason: "key" });
  });

  test("warns as it did: whoever repeats it may not have had the answer", async () => {
    const { ref } = await coop.data(["letter", "write", "--body", "x"], { as: "ann" });
    await coop.data(["letter", "ack", ref], { as: "ann" });
    for (const command of [
      ["letter", "write", "--body", "y", "--supersedes", ref, "--key", "warned"],
      ["todo", "add", "x", "--to", "anna", "--key", "warned"],
      ["queue", "push", "warned", "x", "--to", "anna,anne", "--key", "warned"],
    ]) {
      const [first, again] = [await run(command), await run(command)].map((each) => each.json());
      expect(first.warnings).not.toEqual([]);
      expect(again).toEqual({ ...first, replayed: true });
    }
  });

  test("is done when the one before it failed", async () => {
    const command = ["queue", "take", "later", "--key", "early"];
    expect((await run(command)).exit).toBe(5);
    await coop.data(["queue", "push", "later", "x"], { as: "ann" });
    const { data, replayed } = answered(await run(command));
    expect({ count: data.length, replayed }).toEqual({ count: 1, replayed: false });
  });

  test("has the same fingerprint however its text was given", async () => {
    const words = ["letter", "write", "title", "--key", "by any way"];
    const first = answered(await run([...words, "--body", "한글\n"]));
    const again = await coop.run(["--json", ...words, "--body", "-"], {
      as: "ann",
      stdin: "한글\n",
    });
    expect(answered(again)).toEqual({ data: first.data, replayed: true });
  });
});

describe.each(engines)("a command with --if-version on $name", ({ openFresh }) => {
  let coop: Inside;
  let store: Store;
  let close: () => Promise<void>;
  beforeAll(async () => ({ store, coop, close } = await insideFresh(openFresh)));
  afterAll(() => close());

  /** What concerns one record only where the command of the table concerns several. */
  const OF_ONE: Record<string, string> = { "queue take": "queue take REF" };

  test.each(versioned.map(({ words }) => words.join(" ")))(
    "%s changes the version that was named, and no other",
    async (verb) => {
      const { before = [], words } = COMMANDS[verb]!;
      let ref = "";
      const complete = (line: string) => line.replace("REF", ref).split(" ");
      for (const line of before) {
        const data = await coop.data(complete(line), { as: "ann" });
        ref ||= data.ref;
      }
      const { version } = await coop.data(["show", ref]);
      const record = () => Promise.all([coop.data(["show", ref]), eventsOf(store)]);
      const there = await record();
      const command = ["--json", ...complete(OF_ONE[verb] ?? words), "--if-version"];

      for (const other of [99, version + 1, ...(version > 1 ? [version - 1] : [])]) {
        const refused = await coop.run([...command, String(other)], { as: "ann" });
        expect(refused.exit).toBe(4);
        expect(refused.json().error).toMatchObject({ reason: "version", ref });
        expect(await record()).toEqual(there);
      }
      expect(await coop.run([...command, String(version)], { as: "ann" })).toMatchObject({
        exit: 0,
        err: "",
      });
      expect(await coop.data(["show", ref])).toMatchObject({ version: version + 1 });
    },
  );
});

test("a list that comes in another order is the same, as what an older coop kept of it", async () => {
  await using coop = await story();
  const push = async (to: string) =>
    (
      await coop.run(["--json", "queue", "push", "fan", "x", "--to", to, "--key", "k"], {
        as: "site",
      })
    ).json();
  const { data } = await push("b,a,c");
  for (const to of ["a,b,c", "c,a,b", "b,a,c"])
    expect(await push(to)).toMatchObject({ data, replayed: true });
  expect((await push("a,b")).error).toMatchObject({ reason: "key" });
  using database = new Database(coop.store);
  const hash = new Bun.CryptoHasher("sha256").update(
    JSON.stringify([
      ["payload", "x"],
      ["queue", "fan"],
      ["to", ["b", "a", "c"]],
    ]),
  );
  database.run("update keys set fingerprint = ?", [hash.digest("hex")]);
  expect(await push("b,a,c")).toMatchObject({ data, replayed: true });
  expect((await push("a,b,c")).error).toMatchObject({ reason: "key" });
});

test("a take whose answer was lost gives the same items again, and no others", async () => {
  await using coop = await story();
  for (let n = 0; n < 6; n++)
    await coop.data(["queue", "push", "jobs", `job ${n}`], { as: "site" });
  const take = ["queue", "take", "jobs", "--count", "3", "--key", "run-7"];
  // The taker dies before it has seen what it took; meanwhile others go on.
  await coop.run(take, { as: "ann" });
  const [{ ref: others }] = await coop.data(["queue", "take", "jobs"], { as: "ben" });
  await coop.data(["queue", "done", "Q1", "--from", "ann"], { as: "ben" });

  const again = await coop.run(["--json", ...take], { as: "ann" });
  const { data, replayed } = again.json();
  expect(replayed).toBe(true);
  expect(data.map(({ ref, payload }: { ref: string; payload: string }) => [ref, payload])).toEqual([
    ["Q1", "job 0"],
    ["Q2", "job 1"],
    ["Q3", "job 2"],
  ]);
  expect(others).toBe("Q4");
  expect(await coop.data(["queue", "list", "--status", "waiting"])).toHaveLength(2);
});
