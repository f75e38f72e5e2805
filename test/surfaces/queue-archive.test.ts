import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import fc from "fast-check";
import type { Store } from "../../src/store/open";
import { join as joined, raw, sql } from "../../src/store/sql";
import { archivable } from "../../src/surfaces/queue/store";
import { clock, engines, eventsOf } from "../engines";
import { insideFresh, type Inside } from "../inside";

describe.each(engines)("archiving from $name", ({ openFresh }) => {
  let store: Store;
  let coop: Inside;
  let close: () => Promise<void>;
  beforeEach(async () => ({ store, coop, close } = await insideFresh(openFresh)));
  afterEach(() => close());

  const ann = (line: string) => coop.data(line.split(" "), { as: "ann" });
  const numbersOf = async (more: Partial<Parameters<typeof archivable>[1]> = {}) =>
    archivable(store, { before: clock.now() + 1e9, limit: 0, ...more });

  test("moves items with their replies and events into a file that is read as a store", async () => {
    await ann("queue push jobs question --to ann,ben");
    for (const ref of ["Q1", "Q2"]) {
      await coop.data(["queue", "take", ref], { as: ref === "Q1" ? "ann" : "ben" });
      await coop.data(
        ["queue", "done", ref, "--reply", `답 ${ref}`, "--from", ref === "Q1" ? "ann" : "ben"],
        { as: "dad" },
      );
    }
    await ann("queue push later x");
    const file = join(coop.folder, "archive.db");
    const shown = await coop.data(["queue", "show", "Q2"]);
    const { length } = await eventsOf(store);

    const moved = await ann(`queue archive --older 0s --to ${file}`);

    expect(moved).toMatchObject({ archived: 2, events: 6, queues: { jobs: 2 } });
    expect(await store.all(raw("select number from queue_items"))).toEqual([{ number: 3 }]);
    expect(await store.all(raw("select id from replies"))).toEqual([]);
    const events = await eventsOf(store);
    expect(events).toHaveLength(length - 6 + 1);
    expect(events.at(-1)).toMatchObject({
      verb: "archive",
      after: { to: file, items: 2, events: 6 },
    });
    expect(await coop.data(["--db", file, "queue", "show", "Q2"])).toEqual(shown);
    using archive = new Database(file);
    expect(archive.query("select count(*) as count from events").get()).toEqual({ count: 6 });
  });

  describe("into a file", () => {
    let file: string;
    beforeEach(async () => {
      await ann("queue push jobs hunter2");
      await ann("queue drop Q1");
      file = join(coop.folder, "archive.db");
      await ann(`queue archive --older 0s --to ${file}`);
    });

    test("makes one that is only for reading", async () => {
      for (const line of [
        "todo add x",
        "queue push jobs x",
        "queue reopen Q1",
        "todo add x --key k",
      ]) {
        const { exit, json } = await coop.run(["--json", "--db", file, ...line.split(" ")], {
          as: "ann",
        });
        expect([exit, json().error]).toEqual([
          4,
          {
            code: "conflict",
            reason: "state",
            message: "this file is an archive of finished queue items: it is only for reading",
            hint: "name the store that they come from with --db or PIPPA_COOP_DB",
          },
        ]);
      }
      expect(await coop.data(["--db", file, "queue", "list", "--status", "all"])).toHaveLength(1);
      expect(await coop.data(["--db", file, "letter", "read"], { as: "ann" })).toEqual([]);
      using archive = new Database(file, { readonly: true });
      expect(archive.query("select count(*) as count from events").get()).toEqual({ count: 2 });
    });

    test("makes one that more goes into, and that a secret is taken out of", async () => {
      const redacted = await coop.data(["--db", file, "redact", "Q1", "--text", "hunter2"], {
        as: "ann",
      });
      expect(redacted).toMatchObject({ refs: ["Q1"], replaced: { record: 1 } });
      expect((await coop.data(["--db", file, "queue", "show", "Q1"])).payload).toStartWith(
        "[redacted by ann ",
      );
      expect(Buffer.from(await Bun.file(file).bytes()).includes("hunter2")).toBe(false);
      await ann("queue push jobs x");
      await ann("queue drop Q2");
      expect(await ann(`queue archive --older 0s --to ${file}`)).toMatchObject({ archived: 1 });
      expect((await coop.run(["--db", file, "todo", "add", "x"], { as: "ann" })).exit).toBe(4);
    });
  });

  describe("a secret in an item that was moved", () => {
    const SECRET = "pw hunter7";
    let file: string;
    const dad = (...words: string[]) => coop.run(["--json", ...words], { as: "dad" });
    const take = () => ann("queue take jobs --key t1");
    beforeEach(async () => {
      file = join(coop.folder, "archive.db");
      const words = ["queue", "push", "jobs", `a ${SECRET}`, "--to", "ann,ben"];
      await coop.data(words, { as: "ann" });
      await take();
      await coop.data(["queue", "done", "Q1", "--note", SECRET, "--key", "d1"], { as: "ann" });
      await ann("queue drop Q2");
      await ann(`queue archive --older 0s --to ${file}`);
    });
    const kept = async () => {
      const rows = await store.all<{ result: string }>(raw("select result from keys"));
      return rows.filter(({ result }) => result.includes(SECRET)).length;
    };

    test("is taken out of what the store still holds of it, and said to be in the archive", async () => {
      expect(await kept()).toBe(2);
      const { exit, json } = await dad("redact", "Q1", "--text", SECRET);
      expect(exit).toBe(0);
      const { data, warnings } = json();
      expect(data).toMatchObject({
        ref: "Q1",
        refs: ["Q1"],
        version: null,
        replaced: { record: 0, events: 0, keys: 2 },
      });
      const elsewhere = {
        code: "elsewhere",
        message: `Q1 itself is in ${file} and must be redacted there, if it is not yet: coop --db ${file} redact Q1`,
      };
      expect(warnings).toContainEqual(elsewhere);
      expect((await take())[0].payload).toMatch(/^a \[redacted by dad .*\]$/);
      expect(await kept()).toBe(0);
      const { events } = await coop.data(["log", "Q1"]);
      expect(events).toMatchObject([
        { verb: "redact", author: "dad", after: { archived_into: file } },
      ]);

      const again = (await dad("redact", "Q1", "--text", SECRET)).json();
      expect(again.data.replaced).toEqual({ record: 0, events: 0, keys: 0 });
      expect(again.warnings).toContainEqual(elsewhere);
      expect(await coop.data(["--db", file, "queue", "show", "Q1"])).toMatchObject({
        payload: `a ${SECRET}`,
      });
    });

    test("is named with every archive that it went into", async () => {
      const second = join(coop.folder, "second.db");
      await store.transaction(async (tx) => {
        await tx.all(
          raw(
            "update events set after = replace(after, 'archive.db', 'first.db') where verb = 'archive'",
          ),
        );
        await tx.all(
          raw(`insert into events (at, author, host, pid, folder, surface, number, verb, version, state, before, after)
            select at, author, host, pid, folder, surface, number, verb, version, state, before,
              replace(after, 'first.db', 'second.db') from events where verb = 'archive'`),
        );
      });
      const first = join(coop.folder, "first.db");
      const { warnings } = (await dad("redact", "Q1", "--text", SECRET)).json();
      expect(warnings).toContainEqual({
        code: "elsewhere",
        message:
          `Q1 itself is in ${second} and in ${first} and must be redacted there, if it is not yet: ` +
          `coop --db ${second} redact Q1; coop --db ${first} redact Q1`,
      });
    });

    test("needs its text to be named, and both steps are said", async () => {
      const error = {
        code: "not_found",
        ref: "Q1",
        message: `there is no Q1 any more: it was archived into ${file}`,
        hint: `coop --db ${file} redact Q1, and then coop redact Q1 --text TEXT for what this store still holds of it`,
      };
      for (const words of [
        ["redact", "Q1"],
        ["redact", "Q1", "--text", SECRET, "--if-version", "3"],
      ]) {
        const { exit, json } = await dad(...words);
        expect([exit, json().error]).toEqual([3, error]);
      }
      expect(await kept()).toBe(2);
      const never = await dad("redact", "Q3", "--text", SECRET);
      expect([never.exit, never.json().error.message]).toEqual([3, "there is no Q3"]);
    });

    test("may still be in the store once it is redacted in the archive, which is said", async () => {
      const { exit, json } = await dad("--db", file, "redact", "F1", "--text", SECRET);
      expect(exit).toBe(0);
      const { data, warnings } = json();
      expect(data).toMatchObject({ refs: ["Q1", "Q2"], replaced: { record: 3 } });
      expect(warnings).toContainEqual({
        code: "elsewhere",
        message:
          "the store that this archive is of may still hold it, in answers kept for --key and in its file's bytes: " +
          "there, redact Q1 --text TEXT, redact Q2 --text TEXT",
      });
    });
  });

  test("takes what hangs together whole, or leaves it whole", async () => {
    await ann("queue push a x");
    await ann("queue push b x --re Q1 --to ann,ben");
    await ann("queue push c x --re Q3");
    await ann("queue push d x");
    for (const ref of ["Q1", "Q2", "Q3", "Q5"]) await ann(`queue drop ${ref}`);
    expect(await numbersOf()).toEqual({ numbers: [5], kept: 3, left: 0 });
    await ann("queue drop Q4");
    expect(await numbersOf()).toEqual({ numbers: [1, 2, 3, 4, 5], kept: 0, left: 0 });
    expect(await numbersOf({ queue: "b" })).toEqual({ numbers: [], kept: 2, left: 0 });
    // A group is not torn by the limit.
    expect(await numbersOf({ limit: 1 })).toEqual({ numbers: [1, 2, 3, 4], kept: 0, left: 1 });
    expect(await numbersOf({ limit: 4 })).toEqual({ numbers: [1, 2, 3, 4], kept: 0, left: 1 });
  });

  test("keeps an answer whose question is still open", async () => {
    await ann("queue push asked question");
    await ann("queue push answers done --re Q1");
    await ann("queue drop Q2");
    const archive = () => ann(`queue archive --older 0s --to ${join(coop.folder, "a.db")}`);
    expect(await archive()).toMatchObject({ archived: 0, kept: 1 });
    expect(await coop.data(["queue", "show", "Q2"])).toMatchObject({ re: "Q1", state: "dropped" });
    await ann("queue drop Q1");
    expect(await archive()).toMatchObject({ archived: 2, kept: 0 });
  });

  test("moves more at once than it holds in memory, also where the last is about the first", async () => {
    await ann("queue push jobs first");
    const stdin = '{"payload":"x"}\n'.repeat(148);
    await coop.data(["queue", "push", "jobs", "--jsonl", "-"], { as: "ann", stdin });
    await ann("queue push jobs last --re Q1");
    await ann("queue take jobs --count 150");
    for (let n = 1; n <= 150; n++) await ann(`queue done Q${n} --reply answer-${n}`);
    const file = join(coop.folder, "archive.db");

    const moved = await ann(`queue archive --older 0s --to ${file}`);

    expect(moved).toMatchObject({ archived: 150, queues: { jobs: 150 }, kept: 0, left: 0 });
    expect(await store.all(raw("select number from queue_items"))).toEqual([]);
    for (const [number, more] of [
      [1, { payload: "first", followed_by: ["Q150"] }],
      [101, { payload: "x" }],
      [150, { payload: "last", re: "Q1" }],
    ] as const)
      expect(await coop.data(["--db", file, "queue", "show", `Q${number}`])).toMatchObject({
        ...more,
        state: "done",
        replies: [{ body: `answer-${number}` }],
      });
    expect(await coop.data(["--db", file, "queue", "stats"])).toMatchObject({
      queues: [{ done: 150 }],
    });
  });

  test("says how many it keeps that are linked to others", async () => {
    await ann("queue push a x --to ann,ben,cyd");
    for (const [ref, kept] of [
      ["Q1", "1 item"],
      ["Q2", "2 items"],
    ] as const) {
      await ann(`queue drop ${ref}`);
      const words = ["queue", "archive", "--older", "0s", "--to", join(coop.folder, "a.db")];
      expect((await coop.run(words, { as: "ann" })).out).toBe(
        `nothing to archive\nkept ${kept}, finished for as long but linked to others that are not\n`,
      );
    }
  });

  describe("what leaves the store", () => {
    const ben = (line: string) => coop.run(["--json", ...line.split(" ")], { as: "ben" });
    const archive = () => ann(`queue archive old --older 0s --to ${join(coop.folder, "a.db")}`);
    beforeEach(async () => {
      await ann("todo add x");
      await ben("queue push old x --to ben,cyd");
      await ben("queue push old x");
      await ben("queue push new x");
      await ben("queue push old x");
      for (const ref of ["Q1", "Q2", "Q3", "Q5"]) await ben(`queue drop ${ref}`);
    });

    test("is kept in the event of it: refs, queues, and who wrote", async () => {
      const { events: before } = await coop.data(["log", "Q5"]);
      await archive();
      const [{ after }] = (await coop.data(["log", "--limit", "1"])).events;
      expect(after).toMatchObject({
        items: 4,
        refs: ["Q1-Q3", "Q5", "F1"],
        queues: { old: 4 },
        ids: { ben: { at: before[0].at, host: "host" } },
      });
      const { out } = await coop.run(["log", "--limit", "1"]);
      expect(out).toContain(", refs Q1-Q3 Q5 F1, queues old, ids ben\n");
    });

    test("is told to be in the archive, by whatever asks for it", async () => {
      await archive();
      const file = join(coop.folder, "a.db");
      for (const line of [
        "show Q2",
        "log Q2",
        "queue show Q5",
        "queue drop Q1",
        "queue take Q3",
        "queue push new x --re Q1",
        "queue replies F1",
        "show F1",
      ]) {
        const { exit, json } = await ben(line);
        const name = /[QF]\d/.exec(line)![0];
        expect([line, exit, json().error]).toEqual([
          line,
          3,
          {
            code: "not_found",
            message: `there is no ${name} any more: it was archived into ${file}`,
            hint: `coop --db ${file} queue show ${name}`,
            ref: name,
          },
        ]);
      }
      const { out } = await coop.run(["--db", file, "queue", "show", "F1"]);
      expect(out).toContain("Q1 dropped");
    });

    test("leaves what was never there as it was: not there", async () => {
      await archive();
      const refusal = async (line: string) => {
        const { message, hint } = (await ben(line)).json().error;
        return { message, hint };
      };
      for (const line of ["show Q6", "log Q6"])
        expect(await refusal(line)).toEqual({ message: "there is no Q6", hint: "coop queue list" });
      expect(await refusal("show F2")).toMatchObject({ message: "there is no F2" });
      // What a restore leaves out.
      await store.transaction((tx) => tx.all(raw("delete from todos")));
      expect(await refusal("show T1")).toEqual({
        message: "there is no T1 any more",
        hint: "coop todo list",
      });
    });

    test("leaves its ids and queues known", async () => {
      const seen = async () =>
        (await coop.data(["who"])).ids.find(({ id }: { id: string | null }) => id === "ben");
      const before = await seen();
      await archive();
      const taken = await ben("queue take old");
      expect([taken.exit, taken.json().warnings]).toEqual([5, undefined]);
      expect((await coop.data(["whoami"], { as: "ben" })).known).toBe(true);
      expect(await seen()).toEqual(before);
      // All that ben wrote.
      await ben("queue drop Q4");
      await ann(`queue archive --older 0s --to ${join(coop.folder, "a.db")}`);
      const listed = await ben("queue list new --from ben");
      expect([listed.json().data, listed.json().warnings]).toEqual([[], undefined]);
      const after = await seen();
      expect(after).toMatchObject({ host: "host" });
      expect(after.last_seen_at > before.last_seen_at).toBe(true);
      const [alone] = (await coop.data(["who", "ben"])).ids;
      expect(alone.last_seen_at).toBe(after.last_seen_at);
      const slips = (await coop.run(["--json", "queue", "take", "odl"], { as: "bne" })).json()
        .warnings;
      expect(slips.map(({ message }: { message: string }) => message)).toEqual([
        "'bne' has never written here; the nearest known id is 'ben'",
        "the queue 'odl' was never used; the nearest known queue is 'old'",
      ]);
    });
  });

  test("takes what was last changed before a time", async () => {
    await ann("queue push a x");
    await ann("queue drop Q1");
    const { updated_at } = await coop.data(["show", "Q1"]);
    expect(await numbersOf({ before: Date.parse(updated_at) })).toMatchObject({ numbers: [] });
    expect(await numbersOf({ before: Date.parse(updated_at) + 1 })).toMatchObject({ numbers: [1] });
  });

  test("finds what hangs together whatever the links are, those that were finished first before the others", async () => {
    const item = fc.record({
      state: fc.constantFrom("waiting", "taken", "done", "done", "dropped"),
      changed: fc.integer({ min: 1, max: 9 }),
      fanOut: fc.option(fc.integer({ min: 1, max: 4 })),
      about: fc.option(fc.nat()),
    });
    const some = fc.array(item, { minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(some, fc.nat({ max: 12 }), async (drawn, limit) => {
        const items = drawn.map(({ about, ...rest }, index) => ({
          ...rest,
          number: index + 1,
          re: about === null || index === 0 ? null : (about % index) + 1,
        }));
        await refill(items);
        expect(await numbersOf({ before: 6, limit })).toEqual(expectedOf(items, 6, limit));
      }),
      { numRuns: 60 },
    );
  });

  test("finds groups of more than it looks at at once", async () => {
    const items = Array.from({ length: 2400 }, (_, index) => ({
      number: index + 1,
      state: "done",
      changed: 3000 - index,
      fanOut: Math.floor(index / 1200),
      re: null,
    }));
    await refill(items);
    const [first, second] = [items.slice(0, 1200), items.slice(1200)].map((half) =>
      half.map(({ number }) => number),
    );
    expect(await numbersOf({ limit: 1 })).toEqual({ numbers: second!, kept: 0, left: 1200 });
    expect(await numbersOf()).toMatchObject({ numbers: [...first!, ...second!], left: 0 });
    expect(await numbersOf({ before: 3000 })).toEqual({ numbers: second!, kept: 1199, left: 0 });
  });

  test("moves ten thousand where no limit is given, and says how many are left", async () => {
    await refill(
      Array.from({ length: 10_001 }, (_, index) => ({
        number: index + 1,
        state: "done",
        changed: 1,
        fanOut: null,
        re: null,
      })),
    );
    const moved = await ann(`queue archive --older 1h --to ${join(coop.folder, "a.db")}`);
    expect(moved).toMatchObject({ archived: 10_000, left: 1 });
  });

  interface Made {
    number: number;
    state: string;
    changed: number;
    fanOut: number | null;
    re: number | null;
  }

  const refill = (items: readonly Made[]) =>
    store.transaction(async (tx) => {
      await tx.all(raw("delete from queue_items"));
      for (let from = 0; from < items.length; from += 100) {
        const rows = items
          .slice(from, from + 100)
          .map(
            ({ number, state, changed, fanOut, re }) =>
              sql`(${number}, 'p', 1, 0, ${changed}, 'ann', ${state}, 'jobs', '', 2, 'x', 'text', ${fanOut}, ${re})`,
          );
        await tx.all(sql`insert into queue_items (number, scope, version, created_at, updated_at, author, state, queue,
          addressee, priority, payload, payload_type, fan_out, re) values ${joined(rows)}`);
      }
    });

  /** By following the links from each item. */
  function expectedOf(items: readonly Made[], before: number, limit: number) {
    const moves = ({ state, changed }: Made) => state.startsWith("d") && changed < before;
    const areLinked = (one: Made, other: Made) =>
      one.re === other.number ||
      other.re === one.number ||
      (one.fanOut !== null && one.fanOut === other.fanOut);
    const groupOf = (item: Made) => {
      const group = new Set([item]);
      for (const one of group)
        for (const other of items) if (areLinked(one, other)) group.add(other);
      return [...group];
    };
    const moving = items.filter(moves);
    const free = moving.filter((item) => groupOf(item).every(moves));
    const taken = new Set<Made>();
    for (const item of free.toSorted((one, other) => one.changed - other.changed)) {
      if (taken.has(item)) continue;
      const group = groupOf(item);
      if (limit > 0 && taken.size > 0 && taken.size + group.length > limit) break;
      for (const one of group) taken.add(one);
    }
    const numbers = Array.from(taken, ({ number }) => number).sort((one, other) => one - other);
    return { numbers, kept: moving.length - free.length, left: free.length - numbers.length };
  }
});
