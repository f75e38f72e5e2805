import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { engines } from "../engines";
import { insideFresh, type Inside } from "../inside";
import type { Store } from "../../src/store/open";
import { sql } from "../../src/store/sql";

describe.each(engines)("the log on $name", ({ openFresh }) => {
  let coop: Inside;
  let store: Store;
  let close: () => Promise<void>;
  beforeEach(async () => ({ coop, store, close } = await insideFresh(openFresh)));
  afterEach(() => close());

  const ann = (...words: string[]) => coop.data(words, { as: "ann" });
  const log = async (ref: string) => {
    const { out } = await coop.run(["log", ref]);
    return out
      .split("\n")
      .map((line) => line.replace(/ \d+s ann on host in [^\s:]+/, "").trimEnd());
  };

  test("leaves a note to the record, and tells the one before: in full where it is short", async () => {
    const long = "a reason\n".repeat(1000);
    await ann("todo", "add", "x");
    await ann("todo", "block", "T1", "--note", "needs a password");
    await ann("todo", "stop", "T1", "--note", long);
    await ann("todo", "done", "T1");
    expect(await log("T1")).toEqual([
      `T1 done: state open → done, note (was ${long.length} bytes)`,
      "T1 stop: state blocked → open, note (was needs a password)",
      "T1 block: state open → blocked, note written",
      "T1 add",
      "",
    ]);
    const { events } = await ann("log", "T1");
    expect(events.map(({ after }: { after: unknown }) => after)).toEqual([
      { state: "done" },
      { state: "open" },
      { state: "blocked" },
      null,
    ]);
    expect(events[0].before).toEqual({ state: "open", note: long });
  });

  test("says of who takes something no more than that", async () => {
    const host = "on host in \\S+";
    await ann("queue", "push", "jobs", "x");
    await ann("queue", "take", "jobs");
    await ann("queue", "done", "Q1", "--reply", "yes");
    const { out } = await coop.run(["log", "Q1"]);
    expect(out).toMatch(
      new RegExp(`^Q1 done \\d+s ann ${host}: state taken → done, reply written
Q1 take \\d+s ann ${host}: state waiting → taken
Q1 push \\d+s ann ${host}
$`),
    );
    expect((await ann("log", "Q1")).events[1].after).toMatchObject({
      taken_by: "ann",
      taken_at: expect.any(String),
    });
    await ann("request", "open", "x", "--to", "ben", "--body", "y");
    await coop.data(["request", "accept", "R1"], { as: "ben" });
    await ann("request", "assign", "R1", "--to", "cyd");
    await coop.data(["request", "decline", "R1", "--body", "no"], { as: "cyd" });
    const told = (await coop.run(["log", "R1"])).out.split("\n");
    expect(told.map((line) => line.replace(/^(\w+ \w+) .* in [^\s:]+/, "$1"))).toEqual([
      "R1 decline: state open → declined, waits on cyd → –, message written",
      "R1 assign: state accepted → open, to ben → cyd, accepted by ben → –, waits on ben → cyd",
      "R1 accept: state open → accepted",
      "R1 open",
      "",
    ]);
  });

  test("names by its surface what a newer coop keeps there", async () => {
    await store.transaction((tx) =>
      tx.all(sql`insert into events (at, author, host, pid, folder, surface, number, verb, version, state, before, after)
        values (1, 'ann', 'host', 1, '/x', 'decision', 2, 'supersede', 2, 'superseded', '{"superseded_by":null}', '{"superseded_by":3}')`),
    );
    const { out } = await coop.run(["log"]);
    expect(out).toContain("decision 2 supersede");
    expect(out).toContain("superseded by – → decision 3");
    const { events } = await ann("log");
    expect(events[0]).toMatchObject({ ref: "decision 2", after: { superseded_by: "decision 3" } });
  });

  describe("with times of their own", () => {
    const HOUR_MS = 3_600_000;
    /** Adds a todo for each of so many hours ago. */
    const addAgo = async (...hours: number[]) => {
      for (const [index, ago] of hours.entries()) {
        await ann("todo", "add", "x");
        await store.transaction((tx) =>
          tx.all(sql`update events set at = at - ${ago * HOUR_MS} where number = ${index + 1}`),
        );
      }
    };
    const refs = async (...words: string[]) =>
      (await ann("log", ...words)).events.map(({ ref }: { ref: string }) => ref);

    test("is only what was changed since", async () => {
      await addAgo(2, 0);
      expect(await refs("--since", "1h")).toEqual(["T2"]);
      expect(await refs("--since", "1h", "--by", "ann")).toEqual(["T2"]);
      expect(await refs("T1", "--since", "1h")).toEqual([]);
    });

    test("of one id goes on where a page ended, whatever the clocks said", async () => {
      await addAgo(3, 1, 2, 5, 4);
      const seen: string[] = [];
      let before: string[] = [];
      for (;;) {
        const { events } = await ann("log", "--by", "ann", "--limit", "1", ...before);
        if (events.length === 0) break;
        seen.push(events[0].ref);
        before = ["--before", String(events[0].id)];
      }
      expect(seen).toEqual(["T2", "T3", "T1", "T5", "T4"]);
    });

    test("of one id goes on from another's event by the events' numbers", async () => {
      await addAgo(-2, -2);
      await coop.data(["todo", "add", "x"], { as: "ben" });
      for (const as of ["ann", "ben"]) await coop.data(["todo", "add", "x"], { as });
      expect(await refs("--by", "ann", "--before", "3")).toEqual(["T2", "T1"]);
      expect(await refs("--by", "ann", "--before", "5")).toEqual(["T2", "T1", "T4"]);
      expect(await refs("--by", "ben", "--before", "2")).toEqual([]);
    });
  });

  test("tells refs as lists of them, as everywhere", async () => {
    await ann("letter", "write", "--body", "old");
    await ann("letter", "write", "--body", "new", "--supersedes", "L1");
    await ann("letter", "reopen", "L1");
    for (const title of ["x", "y", "z"]) await ann("todo", "add", title);
    await ann("todo", "edit", "T3", "--after", "T1,T2");
    await ann("todo", "edit", "T3", "--not-after", "T1,T2");
    expect((await log("L2"))[0]).toBe("L2 edit: supersedes L1 → –");
    expect((await ann("log", "L2")).events[0]).toMatchObject({
      before: { supersedes: ["L1"] },
      after: { supersedes: [] },
    });
    expect((await log("T3")).slice(0, 2)).toEqual([
      "T3 edit: after T1 T2 → –",
      "T3 edit: after – → T1 T2",
    ]);
    expect((await ann("log", "T3")).events[0]).toMatchObject({
      before: { after: ["T1", "T2"] },
      after: { after: [] },
    });
  });

  test("of a record is empty where nobody asked for changed it, which is not to say that it is not there", async () => {
    await ann("todo", "add", "x");
    await coop.data(["todo", "add", "y"], { as: "ben" });
    const by = async (ref: string) => {
      const { exit, out } = await coop.run(["log", ref, "--by", "ben"]);
      return [exit, out];
    };
    expect(await by("T1")).toEqual([0, "no changes\n"]);
    expect(await by("T3")).toEqual([3, ""]);
  });

  test("tells times as ages, and refuses two ids at once", async () => {
    await ann("queue", "push", "jobs", "x");
    await ann("queue", "take", "jobs");
    await ann("queue", "release", "Q1");
    const { out } = await coop.run(["log", "Q1"]);
    expect(out).toMatch(/taken at \d+s → –$/m);
    expect((await coop.run(["log", "--by", "ann,ben"])).exit).toBe(2);
  });

  test("as refs alone leaves out what is of the store as a whole", async () => {
    await ann("todo", "add", "x");
    await store.transaction((tx) =>
      tx.all(sql`insert into events (at, author, host, pid, folder, surface, number, verb, version)
        values (1, 'ann', 'host', 1, '/x', 'store', 0, 'archive', 0)`),
    );
    expect((await coop.run(["log", "--quiet"])).out).toBe("T1\n");
  });

  test.each(["log", "who"])(
    "is of all projects, as %s says where a scope is named",
    async (verb) => {
      await ann("todo", "add", "x", "--scope", "s1");
      await ann("todo", "add", "y", "--scope", "s2");
      const all = await coop.run(["--json", verb], { env: { PIPPA_COOP_SCOPE: "s1" } });
      expect(all.json().warnings).toBeUndefined();
      const narrowed = await coop.run(["--json", verb, "--scope", "s1"]);
      const message = `--scope does not narrow \`coop ${verb}\`, which is of all projects`;
      expect(narrowed.json()).toMatchObject({
        data: all.json().data,
        warnings: [{ code: "all_scopes", message }],
      });
      const { exit, err } = await coop.run([verb, "--scope", "s1"]);
      expect({ exit, err }).toEqual({ exit: 0, err: `coop: warning: ${message}\n` });
      expect((await coop.run([verb, "--help"])).out).toContain("in all projects");
    },
  );

  test("--scope beside a ref is said to change nothing, but beside a slug", async () => {
    const env = { PIPPA_COOP_SCOPE: "s1" };
    await coop.data(["todo", "add", "x"], { as: "ann", env });
    await coop.data(["history", "add", "x", "--slug", "s", "--body", "b"], { as: "ann", env });
    const warningsOf = async (...words: string[]) =>
      (await coop.run(["--json", ...words, "--scope", "s1"], { as: "ann" })).json().warnings;
    for (const words of [
      ["todo", "edit", "T1", "--title", "y"],
      ["todo", "start", "1"],
      ["history", "edit", "H1", "--title", "y"],
      ["show", "T1"],
      ["todo", "show", "1"],
      ["log", "T1"],
    ])
      expect([words, await warningsOf(...words)]).toEqual([
        words,
        [
          {
            code: "unused_scope",
            message: `--scope changes nothing for ${/\w?\d/.exec(words.join(" "))![0]}: a ref is of one project`,
          },
        ],
      ]);
    expect(await warningsOf("history", "edit", "s", "--title", "z")).toBeUndefined();
    expect(await warningsOf("history", "show", "s")).toBeUndefined();
    await coop.data(["queue", "push", "jobs", "x", "--to", "ann,bob"], { as: "ann" });
    for (const ref of ["Q1", "F1"])
      for (const verb of ["show", "replies"])
        expect(await warningsOf("queue", verb, ref)).toMatchObject([{ code: "unused_scope" }]);
    expect(await warningsOf("todo", "add", "y", "--after", "T1")).toBeUndefined();
  });

  test("of what is no ref, and of a push to several, says what to ask for", async () => {
    await ann("queue", "push", "q", "x", "--to", "ann,ben");
    const refusal = async (ref: string) => {
      const { exit, json } = await coop.run(["--json", "log", ref]);
      const { message, hint } = json().error;
      return { exit, message, hint };
    };
    expect(await refusal("T")).toEqual({
      exit: 2,
      message: "'T' is not a ref",
      hint: "a ref is a letter and a number: L12, R3, T45, H7, Q9 or F2",
    });
    expect(await refusal("f1")).toEqual({
      exit: 2,
      message: "F1 is a push to several, which has no log of its own",
      hint: "coop queue replies F1, or coop log with the ref of one of its items",
    });
  });
});
