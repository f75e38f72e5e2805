import { describe, expect, test } from "bun:test";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { git, story, times } from "../story";

describe("the session ritual", () => {
  test("a past self writes a letter; a new session reads, starts and acks it, and then it is gone", async () => {
    await using coop = await story();
    const claude = (...words: string[]) => coop.run(words, { as: "claude-code-pippa" });

    await claude("letter", "write", "Where I stopped", "--body", "tests next");
    expect((await claude("letter", "read")).out).toContain("tests next");
    expect((await claude("letter", "start", "L1")).out).toBe(
      "L1 working to claude-code-pippa: Where I stopped\n",
    );
    expect((await claude("letter", "read")).out).toContain("L1 working");
    expect(
      (await claude("letter", "ack", "L1", "--body", "got it. shipped commit abc1234")).exit,
    ).toBe(0);

    expect((await claude("letter", "read")).out).toBe("no open letters to claude-code-pippa\n");
    expect(await coop.data(["letter", "show", "L1"])).toMatchObject({
      state: "done",
      acknowledgement: "got it. shipped commit abc1234",
      version: 4,
    });
  });

  test("a request goes back and forth between two brains, and always waits on the one whose turn it is", async () => {
    await using coop = await story();
    const as = (id: string) => (words: string[]) => coop.data(words, { as: id });
    const [ann, bob] = [as("ann"), as("bob")];
    const waitsOn = async () => (await coop.data(["request", "show", "R1"])).waiting_on;

    await ann(["request", "open", "Review", "--to", "bob", "--body", "please"]);
    expect(await waitsOn()).toBe("bob");
    await bob(["request", "accept", "R1"]);
    await bob(["request", "reply", "R1", "what of empty input?"]);
    expect(await waitsOn()).toBe("ann");
    expect(await ann(["request", "list", "--waiting-on", "me"])).toMatchObject([{ ref: "R1" }]);
    await ann(["request", "reply", "R1", "handled"]);
    expect(await waitsOn()).toBe("bob");
    await bob(["request", "done", "R1", "--body", "good"]);
    expect(await waitsOn()).toBeNull();
    const { messages } = await coop.data(["request", "show", "R1"]);
    expect(
      messages.map(({ author, body }: { author: string; body: string }) => [author, body]),
    ).toEqual([
      ["bob", "what of empty input?"],
      ["ann", "handled"],
      ["bob", "good"],
    ]);
  });

  test("the why of a commit is written before it, and HEAD's sha filled in after", async () => {
    await using coop = await story();
    const folder = join(coop.home, "quest");
    await mkdir(folder);
    await git(folder, "init");
    const ann = { as: "ann", cwd: folder };

    const entry = await coop.data(
      ["history", "add", "Split the parser", "--body", "it did two things"],
      ann,
    );
    expect(entry).toMatchObject({ ref: "H1", scope: "quest", state: "pending" });
    expect(entry.slug).toMatch(/^\d{4}-\d{2}-\d{2}-split-the-parser$/);
    expect((await coop.run(["history", "commit", "HEAD"], ann)).exit).toBe(3);
    await git(folder, "commit", "--allow-empty", "-m", "Split the parser");
    await coop.data(["history", "commit", "HEAD"], ann);

    const sha = await git(folder, "rev-parse", "HEAD");
    for (const commit of ["HEAD", sha, sha.slice(0, 9)])
      expect(await coop.data(["history", "show", commit], ann)).toMatchObject({ ref: "H1" });
    expect(await coop.data(["history", "show", entry.slug], ann)).toMatchObject({
      commit_sha: sha,
    });
    expect(await coop.data(["history", "pending"], ann)).toEqual({ entries: [] });
  });

  test("a site pushes, a dispatcher fans out, two brains answer, and the dispatcher sees who is missing", async () => {
    await using coop = await story();
    const as = (id: string) => (words: string[]) => coop.data(words, { as: id });
    const [site, dispatcher, ann, bob] = [as("site"), as("dispatcher"), as("ann"), as("bob")];

    await site(["queue", "push", "questions", '{"q": "which name?"}']);
    expect(await dispatcher(["queue", "take", "questions"])).toMatchObject([
      {
        ref: "Q1",
        payload: '{"q": "which name?"}',
        payload_type: "json",
        state: "taken",
        taken_by: "dispatcher",
      },
    ]);
    expect(
      await dispatcher(["queue", "push", "answers", "which?", "--to", "ann,bob", "--re", "Q1"]),
    ).toMatchObject({
      ref: "F1",
      items: [{ ref: "Q2" }, { ref: "Q3" }],
    });
    await ann(["queue", "take", "answers"]);
    await ann(["queue", "done", "Q2", "--reply", "coop"]);

    const gather = () => coop.run(["queue", "replies", "F1"], { as: "dispatcher" });
    expect((await gather()).out).toContain("missing: bob");
    await bob(["queue", "take", "answers"]);
    await bob(["queue", "done", "Q3", "--reply", "coop, too"]);
    expect((await gather()).out).toContain("missing: nobody");
    expect(await dispatcher(["queue", "replies", "F1"])).toMatchObject([
      { ref: "Q2", status: "answered", replies: [{ author: "ann", body: "coop" }] },
      { ref: "Q3", status: "answered", replies: [{ author: "bob", body: "coop, too" }] },
    ]);
    await dispatcher(["queue", "done", "Q1", "--reply", "coop, by two of two"]);
  });
});

describe("a queue of 400 with 4 producers and 3 takers", () => {
  test("gives each item to exactly one of them", async () => {
    await using coop = await story();
    const taken: string[] = [];
    let pushing = true;
    const produce = async (n: number) => {
      const lines = Array.from({ length: 10 }, (_, line) =>
        JSON.stringify({ payload: { n, line } }),
      ).join("\n");
      for (let batch = 0; batch < 10; batch++) {
        await coop.data(["queue", "push", "jobs", "--jsonl", "-"], {
          as: `producer-${n}`,
          stdin: lines,
        });
      }
    };
    const take = async (n: number) => {
      for (;;) {
        const done = !pushing;
        const outcome = await coop.run(["--json", "queue", "take", "jobs", "--count", "7"], {
          as: `taker-${n}`,
        });
        if (outcome.exit === 0)
          taken.push(...outcome.json().data.map(({ ref }: { ref: string }) => ref));
        else if (outcome.exit !== 5) throw new Error(outcome.err);
        else if (done) return;
      }
    };
    await Promise.all([times(4, produce).then(() => (pushing = false)), times(3, take)]);

    expect(taken).toHaveLength(400);
    expect(new Set(taken).size).toBe(400);
    expect(await coop.data(["queue", "list", "--status", "taken", "--limit", "0"])).toHaveLength(
      400,
    );
  });
});

test("a project that was never used is warned of where it is looked in, and written to if it is like another", async () => {
  await using coop = await story();
  const say = async (...words: string[]) => (await coop.run(words, { as: "ann" })).err;
  expect(await say("todo", "add", "x", "--scope", "gamma")).toBe("");
  const told = (text: string) => `coop: warning: no record is of the project ${text}\n`;
  const near = told("'gama'; the nearest known project is 'gamma'");
  expect(await say("todo", "list", "--scope", "gama")).toBe(near);
  expect(await say("todo", "add", "x", "--scope", "gama")).toBe(near);
  expect(await say("todo", "list", "--scope", "gama")).toBe("");
  expect(await say("todo", "add", "x", "--scope", "other")).toBe("");
  expect(await say("history", "list", "--scope", "never")).toBe(
    told("'never'; no known project is like it (the nearest: 'other')"),
  );
  expect(await say("queue", "list", "--scope", "all")).toBe(
    told("'all': --all-scopes is for those of all"),
  );
  for (const words of [
    ["letter", "read"],
    ["history", "pending"],
    ["queue", "stats"],
  ])
    expect(await say(...words, "--scope", "never")).toStartWith("coop: warning: no record is of");
  expect((await coop.run(["todo", "list"], { env: { PIPPA_COOP_SCOPE: "gama2" } })).err).toBe("");
  // A ref is of its own project.
  expect(await say("todo", "start", "T1", "--scope", "gama2")).toBe(
    "coop: warning: --scope changes nothing for T1: a ref is of one project\n",
  );
});

test("a commit of another project than its entry's is warned of", async () => {
  await using coop = await story();
  const folder = join(coop.folder, "alpha");
  await mkdir(folder);
  await git(folder, "init");
  await git(folder, "commit", "--allow-empty", "-m", "x");
  const ann = { as: "ann", cwd: folder };
  await coop.data(["history", "add", "x", "--body", "y", "--scope", "gamma"], ann);
  const { exit, err } = await coop.run(["history", "commit", "H1", "HEAD"], ann);
  expect({ exit, err }).toEqual({
    exit: 0,
    err: "coop: warning: H1 is of 'gamma', and HEAD is that of 'alpha'; --replace with its own commit mends it\n",
  });
  await coop.data(["history", "add", "z", "--body", "y"], ann);
  const elsewhere = { ...ann, env: { PIPPA_COOP_SCOPE: "gamma" } };
  await coop.data(["history", "add", "clone", "--body", "y"], elsewhere);
  expect((await coop.run(["history", "commit", "HEAD"], elsewhere)).err).not.toContain("is of");
  expect((await coop.run(["history", "commit", "H2", "HEAD"], elsewhere)).err).not.toContain("of");
  await coop.data(["history", "add", "u", "--body", "y", "--scope", "gamma"], ann);
  const named = await coop.run(["history", "commit", "HEAD", "--scope", "gamma"], ann);
  expect(named.err).toContain("H4 is of 'gamma', and HEAD is that of 'alpha'");
});
