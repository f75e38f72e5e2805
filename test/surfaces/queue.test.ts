import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { Store } from "../../src/store/open";
import { first, sql } from "../../src/store/sql";
import {
  answers,
  done,
  findFanOut,
  findInFull,
  moveItem,
  push,
  pushAll,
  pushToEach,
  reply,
  staleItems,
  STATES,
  take,
  takeOne,
  type Draft,
  type HeldTarget,
  type Destination,
  type Line,
  type Place,
  type State,
} from "../../src/surfaces/queue/store";
import { parseLines } from "../../src/surfaces/queue/jsonl";
import { clock, engines, eventsOf, failure, rowOf, writingAs } from "../engines";
import { inside, insideFresh, type Inside } from "../inside";

/** From which states each verb may be called, and the state after it; a reply moves nothing. */
const RULES = {
  take: { from: ["waiting"], to: "taken" },
  done: { from: ["taken"], to: "done" },
  release: { from: ["taken"], to: "waiting" },
  drop: { from: ["waiting", "taken"], to: "dropped" },
  reopen: { from: ["done", "dropped"], to: "waiting" },
  reply: { from: ["waiting", "taken", "done"], to: undefined },
} as const satisfies Record<string, { from: readonly State[]; to: State | undefined }>;
type Verb = keyof typeof RULES;
const VERBS = Object.keys(RULES) as Verb[];
const HELD = ["done", "release", "drop", "reply"] as const satisfies Verb[];

const DRAFT: Draft = {
  scope: "",
  queue: "jobs",
  to: undefined,
  priority: 2,
  payload: "a payload",
  payloadType: "text",
};
const LINE: Line = { ...DRAFT, line: 1, key: undefined };

// Ann pushes, ben takes; cyd is neither.
describe.each(engines)("queues on $name", ({ openFresh }) => {
  let store: Store;
  let coop: Inside;
  let close: () => Promise<void>;
  beforeEach(async () => ({ store, coop, close } = await insideFresh(openFresh)));
  afterEach(() => close());

  const pushOne = (draft: Partial<Draft> = {}, by = "ann") =>
    writingAs(store, by, (writing) => push(writing, { ...DRAFT, ...draft }));
  const pushMany = (lines: Partial<Line>[], by = "ann", to: Partial<Destination> = {}) =>
    writingAs(store, by, (writing) =>
      pushAll(
        writing,
        { verb: "queue push", queue: "jobs", scope: "", named: false, ...to },
        lines.map((line, index) => ({ ...LINE, line: index + 1, ...line })),
      ),
    );
  const fanOut = (...to: string[]) =>
    writingAs(store, "ann", (writing) => pushToEach(writing, DRAFT, to));
  const takeAs = (id: string, place: Place = {}, most = 1) =>
    writingAs(store, id, (writing) => take(writing, place, most));
  const refsTaken = async (id: string, place: Place = {}, most = 1000) =>
    (await takeAs(id, place, most)).map(({ ref }) => ref);
  const takeItem = (id: string, number = 1) =>
    writingAs(store, id, (writing) => takeOne(writing, { number }));
  const act = (verb: Verb, id = "ben", which: Partial<HeldTarget> = {}) =>
    writingAs(store, id, (writing) => {
      const target = { number: 1, ...which };
      if (verb === "take") return takeOne(writing, target);
      if (verb === "reply") return reply(writing, target, "said");
      if (verb === "done") return done(writing, target, { reply: undefined, note: undefined });
      return moveItem(writing, verb, target, undefined);
    });
  const everything = async () => ({
    items: await store.all(sql`select * from queue_items order by number`),
    replies: await store.all(sql`select * from replies order by id`),
    keys: await store.all(sql`select * from keys`),
    counters: await store.all(sql`select * from counters order by name`),
    events: await eventsOf(store),
  });
  /** What a command that must fail throws; it must have changed nothing. */
  async function failsAlone(command: () => Promise<unknown>) {
    const before = await everything();
    const error = await failure(command());
    expect(await everything()).toEqual(before);
    return error;
  }

  /** Pushes item 1 and brings it into a state, by ben. */
  async function itemIn(state: State): Promise<void> {
    await pushOne();
    if (state !== "waiting") await takeItem("ben");
    if (state === "done") await act("done");
    if (state === "dropped") await act("drop");
    expect(await rowOf(store, "queue_items", 1)).toMatchObject({ state });
  }

  for (const verb of VERBS) {
    const { from, to } = RULES[verb];
    for (const state of STATES) {
      if ((from as readonly State[]).includes(state)) {
        test(`${verb} of an item that is ${state} makes it ${to ?? state}, with one event`, async () => {
          await itemIn(state);
          const before = await rowOf(store, "queue_items", 1);
          const events = await eventsOf(store);
          const moved = await act(verb);

          const version = Number(before!["version"]) + 1;
          expect(moved).toMatchObject({ ref: "Q1", state: to ?? state, version });
          expect(await findInFull(store, 1)).toMatchObject({ ...moved });
          const all = await eventsOf(store);
          expect(all.slice(0, -1)).toEqual(events);
          expect(all.at(-1)).toMatchObject({
            author: "ben",
            verb,
            version,
            state: to ?? null,
            before: to ? { state } : {},
            after: to ? { state: to } : {},
          });
        });
      } else {
        test(`${verb} of an item that is ${state} is a conflict and changes nothing`, async () => {
          await itemIn(state);
          const error = await failsAlone(() => act(verb));
          expect(error).toMatchObject({
            code: "conflict",
            details: { reason: "state", ref: "Q1" },
          });
          expect(error.details.current).toMatchObject({ state });
        });
      }
    }
  }

  for (const verb of HELD) {
    test(`${verb} of an item that another took names the holder and since when, and changes nothing`, async () => {
      await itemIn("taken");
      const error = await failsAlone(() => act(verb, "cyd"));
      expect(error).toMatchObject({
        code: "conflict",
        details: {
          reason: "claimed",
          current: { state: "taken", by: "ben" },
          hint: expect.stringContaining("--from ben"),
        },
      });
      expect(error.message).toMatch(/^Q1 is taken: by ben on host in \/work, \d+s ago$/);
    });

    test(`${verb} with --from of the holder works on an item that another took`, async () => {
      await itemIn("taken");
      expect(await act(verb, "cyd", { from: "ben" })).toMatchObject({
        state: RULES[verb].to ?? "taken",
      });
      expect((await eventsOf(store)).at(-1)).toMatchObject({ author: "cyd", verb });
    });

    test(`${verb} with --from of one who does not hold it is a conflict, also for the holder`, async () => {
      await itemIn("taken");
      for (const id of ["cyd", "ben"]) {
        const error = await failsAlone(() => act(verb, id, { from: "dan" }));
        expect(error).toMatchObject({ code: "conflict", details: { reason: "claimed" } });
        expect(error.message).toStartWith("Q1 is taken, but not by dan: by ben");
      }
      await coop.data(["queue", "release", "Q1"], { as: "ben" });
      const { error } = (
        await coop.run(["queue", "drop", "Q1", "--from", "dan", "--json"], { as: "ann" })
      ).json();
      expect(error.message).toStartWith("Q1 is waiting, and nobody holds it: by ben");
      expect(error.hint).toBe("leave --from out");
    });
  }

  test("of large payloads fewer are taken at once than asked for, and it is said", async () => {
    const payload = "x".repeat(4 * 1024 * 1024);
    for (let n = 0; n < 6; n++) await pushOne({ payload });
    await pushOne({ payload: "small", priority: 0 });
    const takeUpTo = async (count: number) => {
      const words = ["--json", "queue", "take", "jobs", "--count", String(count)];
      const { data, warnings } = (await coop.run(words, { as: "ann" })).json();
      return [data.map(({ ref }: { ref: string }) => ref), warnings];
    };
    const fewer = (few: number, most: number) => [
      {
        code: "taken_fewer",
        message: `only ${few} of ${most}: with the next one their payloads would be more than 16 MiB; take again for more`,
      },
    ];
    expect(await takeUpTo(100)).toEqual([["Q7", "Q1", "Q2", "Q3"], fewer(4, 100)]);
    expect(await takeUpTo(5)).toEqual([["Q4", "Q5", "Q6"], undefined]);
  });

  test("payloads of just so many bytes as are taken at once are taken", async () => {
    const payload = "x".repeat(4 * 1024 * 1024);
    for (let n = 0; n < 4; n++) await pushOne({ payload });
    await pushOne({ payload: "x" });
    expect(await refsTaken("ann", {}, 5)).toEqual(["Q1", "Q2", "Q3", "Q4"]);
    expect(await refsTaken("ann", {}, 5)).toEqual(["Q5"]);
  });

  test("an answer that cannot be made after it was written is no defect alone, but exit 8", async () => {
    await itemIn("waiting");
    const print = () => Promise.reject(new RangeError("Out of memory"));
    const { exit, err } = await coop.run(["queue", "take", "Q1"], { as: "ben", print });
    expect(exit).toBe(8);
    expect(err).toContain("coop: it was written, but a defect in coop: RangeError: Out of memory");
    expect(await coop.data(["queue", "show", "Q1"])).toMatchObject({ taken_by: "ben" });
    expect((await coop.run(["queue", "show", "Q1"], { print })).exit).toBe(1);
  });

  test("what waits must be taken before it is done, and is said to", async () => {
    await itemIn("waiting");
    const { exit, json } = await coop.run(["queue", "done", "Q1", "--json"], { as: "ben" });
    expect([exit, json().error]).toEqual([
      4,
      expect.objectContaining({ reason: "state", hint: "coop queue take Q1" }),
    ]);
    const { error } = (await coop.run(["queue", "release", "Q1", "--json"], { as: "ben" })).json();
    expect(error.hint).toBe("coop show Q1");
    await pushOne({ to: "cyd" });
    const others = await coop.run(["queue", "done", "Q2", "--json"], { as: "ben" });
    expect(others.json().error.hint).toBe("coop show Q2");
  });

  test("--from of an item that nobody holds is a conflict", async () => {
    await itemIn("waiting");
    for (const verb of ["drop", "reply"] as const)
      expect(await failsAlone(() => act(verb, "cyd", { from: "ben" }))).toMatchObject({
        details: { reason: "claimed" },
      });
  });

  test("whoever comes may drop what nobody took, and reopen what is finished", async () => {
    await itemIn("waiting");
    expect(await act("drop", "cyd")).toMatchObject({ state: "dropped" });
    expect(await act("reopen", "dan")).toMatchObject({ state: "waiting" });
  });

  test("a move holds to the version that its user saw", async () => {
    await itemIn("taken");
    for (const verb of HELD)
      expect(await failsAlone(() => act(verb, "ben", { ifVersion: 1 }))).toMatchObject({
        code: "conflict",
        details: { reason: "version", current: { version: 2 } },
      });
    expect(await act("done", "ben", { ifVersion: 2 })).toMatchObject({ version: 3 });
  });

  test("what is not there is not found", async () => {
    await pushOne();
    for (const verb of VERBS)
      expect(await failsAlone(() => act(verb, "ben", { number: 2 }))).toMatchObject({
        code: "not_found",
        details: { ref: "Q2" },
      });
    for (const look of [
      findFanOut(store, 1),
      answers(store, { fanOut: 1 }),
      answers(store, { item: 2 }),
      findInFull(store, 2),
    ])
      expect(await failure(look)).toMatchObject({ code: "not_found" });
    expect(await failsAlone(() => pushOne({ re: 2 }))).toMatchObject({
      code: "not_found",
      details: { ref: "Q2" },
    });
  });

  test("an item is pushed waiting, at version 1, with the event of its creation", async () => {
    const item = await pushOne({ scope: "web", to: "ben", priority: 0, payload: "\ufeffa\r\n" });
    expect(item).toMatchObject({
      ref: "Q1",
      scope: "web",
      version: 1,
      author: "ann",
      queue: "jobs",
      state: "waiting",
      to: "ben",
      priority: 0,
      payload: "\ufeffa\r\n",
      payload_type: "text",
      fan_out: null,
      re: null,
      taken_by: null,
      taken_at: null,
      note: null,
    });
    expect(item.created_at).toBe(item.updated_at);
    expect(await eventsOf(store, "queue", 1)).toMatchObject([
      { author: "ann", verb: "push", version: 1, state: "waiting" },
    ]);
  });

  test("release and reopen leave nobody who took it, done and drop remember", async () => {
    await itemIn("taken");
    const holder = async () => {
      const row = await rowOf(store, "queue_items", 1);
      return [row!["taken_by"], row!["taken_at"] !== null];
    };
    expect(await holder()).toEqual(["ben", true]);
    await act("release");
    expect(await holder()).toEqual([null, false]);
    await act("take", "cyd");
    await act("drop", "cyd");
    expect(await holder()).toEqual(["cyd", true]);
    await act("reopen");
    expect(await holder()).toEqual([null, false]);
    await act("take", "cyd");
    await act("done", "cyd");
    expect(await holder()).toEqual(["cyd", true]);
  });

  describe("taking", () => {
    test("goes by priority, then the oldest, whether for the taker or for anyone", async () => {
      await pushOne({ priority: 2 });
      await pushOne({ priority: 2, to: "ben" });
      await pushOne({ priority: 4, to: "ben" });
      await pushOne({ priority: 0 });
      await pushOne({ priority: 1, to: "ben" });
      await pushOne({ priority: 0, to: "ben" });
      expect(await refsTaken("ben")).toEqual(["Q4", "Q6", "Q5", "Q1", "Q2", "Q3"]);
    });

    test("takes no more than asked, and the rest next time", async () => {
      for (let count = 0; count < 3; count++) await pushOne();
      expect(await refsTaken("ben", {}, 2)).toEqual(["Q1", "Q2"]);
      expect(await refsTaken("ben", {}, 2)).toEqual(["Q3"]);
      expect(await refsTaken("ben", {}, 2)).toEqual([]);
    });

    test("leaves what is for another", async () => {
      await pushOne({ to: "cyd" });
      expect(await refsTaken("ben")).toEqual([]);
      expect(await refsTaken("cyd")).toEqual(["Q1"]);
    });

    test("is from one queue when one is named, from all otherwise", async () => {
      await pushOne({ queue: "a" });
      await pushOne({ queue: "b", priority: 0 });
      await pushOne({ queue: "a", priority: 1, to: "ben" });
      await pushOne({ queue: "b" });
      expect(await refsTaken("ben", { queue: "a" })).toEqual(["Q3", "Q1"]);
      expect(await refsTaken("ben")).toEqual(["Q2", "Q4"]);
    });

    test("minds the scope only when one is asked for", async () => {
      await pushOne({ scope: "web" });
      await pushOne({ scope: "app" });
      await pushOne({ scope: "" });
      await pushOne({ scope: "web" });
      expect(await refsTaken("ben", { scope: "web" })).toEqual(["Q1", "Q4"]);
      expect(await refsTaken("ben", { scope: "" })).toEqual(["Q3"]);
      expect(await refsTaken("ben")).toEqual(["Q2"]);
    });

    test("writes who took it and when, with an event for each", async () => {
      await pushOne();
      await pushOne();
      const items = await takeAs("ben", {}, 2);
      for (const [index, item] of items.entries()) {
        expect(item).toMatchObject({ state: "taken", taken_by: "ben", version: 2 });
        expect(item.taken_at).toBe(item.updated_at);
        const taken_at = Date.parse(item.taken_at!);
        expect((await eventsOf(store, "queue", index + 1)).slice(1)).toMatchObject([
          {
            author: "ben",
            at: taken_at,
            verb: "take",
            version: 2,
            state: "taken",
            before: { state: "waiting", taken_by: null, taken_at: null },
            after: { state: "taken", taken_by: "ben", taken_at },
          },
        ]);
      }
    });

    test("finds what was released or reopened again", async () => {
      await itemIn("taken");
      await act("release");
      expect(await refsTaken("cyd")).toEqual(["Q1"]);
      await act("done", "cyd");
      await act("reopen");
      expect(await refsTaken("dan")).toEqual(["Q1"]);
    });

    test("one very item works only when it is for the taker or for anyone", async () => {
      await pushOne({ to: "ben" });
      await pushOne();
      const error = await failsAlone(() => takeItem("cyd", 1));
      expect(error).toMatchObject({ code: "conflict", details: { reason: "claimed", ref: "Q1" } });
      expect(error.message).toStartWith("Q1 is for ben alone");
      expect(await takeItem("ben", 1)).toMatchObject({ state: "taken", taken_by: "ben" });
      expect(await takeItem("cyd", 2)).toMatchObject({ state: "taken", taken_by: "cyd" });
      expect((await failure(takeItem("cyd", 1))).message).toStartWith("Q1 is taken: by ben");
    });
  });

  describe("a push to several", () => {
    test("is an item each under one ref", async () => {
      const { ref, queue, items } = await fanOut("ben", "cyd");
      expect({ ref, queue }).toEqual({ ref: "F1", queue: "jobs" });
      expect(items).toMatchObject([
        { ref: "Q1", to: "ben", fan_out: "F1", payload: "a payload" },
        { ref: "Q2", to: "cyd", fan_out: "F1", payload: "a payload" },
      ]);
      expect((await fanOut("ben", "dan")).ref).toBe("F2");
      expect(await findFanOut(store, 1)).toEqual({ ref, queue, items });
      expect(await refsTaken("ben")).toEqual(["Q1", "Q3"]);
    });

    test("tells of each item whether it is answered, and if not what became of it", async () => {
      await fanOut("ben", "cyd", "dan", "eve", "fay");
      await writingAs(store, "ben", (writing) => reply(writing, { number: 1 }, "yes"));
      await takeItem("cyd", 2);
      await writingAs(store, "cyd", (writing) =>
        done(writing, { number: 2 }, { reply: undefined, note: "no words" }),
      );
      await takeItem("dan", 3);
      await writingAs(store, "ann", (writing) =>
        moveItem(writing, "drop", { number: 4 }, "no use"),
      );
      const all = await answers(store, { fanOut: 1 });
      expect(all.map(({ to, status, answered, note }) => [to, status, answered, note])).toEqual([
        ["ben", "answered", true, null],
        ["cyd", "done", false, "no words"],
        ["dan", "taken", false, null],
        ["eve", "dropped", false, "no use"],
        ["fay", "waiting", false, null],
      ]);
      expect(all[0]).toEqual({
        ref: "Q1",
        queue: "jobs",
        to: "ben",
        state: "waiting",
        taken_by: null,
        answered: true,
        status: "answered",
        note: null,
        replies: [{ author: "ben", at: expect.stringMatching(/Z$/), body: "yes" }],
      });
    });
  });

  describe("replies", () => {
    test("are kept in order, each with a version and an event", async () => {
      await itemIn("taken");
      for (const body of ["one", "two\r\n", "three"])
        await writingAs(store, "ben", (writing) => reply(writing, { number: 1 }, body));
      const item = await findInFull(store, 1);
      expect(item.replies.map(({ body }) => body)).toEqual(["one", "two\r\n", "three"]);
      expect(item).toMatchObject({ state: "taken", version: 5 });
      expect((await eventsOf(store, "queue", 1)).map(({ verb }) => verb)).toEqual([
        "push",
        "take",
        "reply",
        "reply",
        "reply",
      ]);
    });

    test("by anyone but the addressee or the taker do not answer", async () => {
      await pushOne({ to: "ben" });
      await act("reply", "ann");
      const status = async () => (await answers(store, { item: 1 }))[0]!.status;
      expect(await status()).toBe("waiting");
      await act("reply", "ben");
      expect(await status()).toBe("answered");

      await pushOne();
      await act("reply", "cyd", { number: 2 });
      const other = async () => (await answers(store, { item: 2 }))[0]!.status;
      expect(await other()).toBe("waiting");
      await takeItem("dan", 2);
      expect(await other()).toBe("taken");
      await act("reply", "dan", { number: 2 });
      expect(await other()).toBe("answered");
    });

    test("answer also after the item was put back, or taken by another", async () => {
      await pushOne();
      await takeItem("ben", 1);
      await act("reply", "ben");
      await act("release", "ben");
      const [answer] = await answers(store, { item: 1 });
      expect(answer).toMatchObject({ state: "waiting", taken_by: null, status: "answered" });
      await takeItem("cyd", 1);
      expect(await answers(store, { item: 1 })).toMatchObject([{ answered: true }]);
    });

    test("may come with done, in the same change", async () => {
      await itemIn("taken");
      const item = await writingAs(store, "ben", (writing) =>
        done(writing, { number: 1 }, { reply: "merged", note: "late" }),
      );
      expect(item).toMatchObject({ state: "done", note: "late", version: 3 });
      expect(await answers(store, { item: 1 })).toMatchObject([
        { status: "answered", state: "done", replies: [{ author: "ben", body: "merged" }] },
      ]);
    });

    test("that come with a done which fails are not kept", async () => {
      await itemIn("done");
      await failsAlone(() =>
        writingAs(store, "ben", (writing) =>
          done(writing, { number: 1 }, { reply: "again", note: undefined }),
        ),
      );
    });
  });

  test("an item names those that were pushed about it", async () => {
    await pushOne();
    expect(await pushOne({ re: 1 })).toMatchObject({ re: "Q1" });
    await pushOne({ re: 1, queue: "other" });
    expect(await findInFull(store, 1)).toMatchObject({ followed_by: ["Q2", "Q3"], replies: [] });
  });

  describe("many at once", () => {
    test("get numbers in a row, in the order that they are given", async () => {
      const { refs, before } = await pushMany(
        Array.from({ length: 1201 }, (_, index) => ({ payload: `${index}` })),
      );
      expect(before).toBe(0);
      expect(refs).toEqual(Array.from({ length: 1201 }, (_, index) => `Q${index + 1}`));
      expect(await rowOf(store, "queue_items", 1201)).toMatchObject({ payload: "1200" });
      expect(await eventsOf(store)).toHaveLength(1201);
    });

    test("may be ten thousand with a key each, and all are known again", async () => {
      const lines = Array.from({ length: 10_000 }, (_, index) => ({ key: `key ${index}` }));
      await pushMany(lines);
      expect((await pushMany(lines)).before).toBe(10_000);
    });

    test("push a line with a key once, and give the earlier item for its repeat", async () => {
      await pushMany([{ key: "a" }, { payload: "no key" }, { key: "b", to: "ben" }]);
      expect(
        await pushMany([
          { key: "c" },
          { key: "b", to: "ben" },
          { payload: "no key" },
          { key: "a" },
        ]),
      ).toEqual({ refs: ["Q4", "Q3", "Q5", "Q1"], before: 2 });
      expect(await eventsOf(store)).toHaveLength(5);
    });

    test("are refused whole when a line's key has other content, naming the line", async () => {
      await pushMany([{ key: "a" }], "ann", { scope: "web" });
      for (const [other, to] of [
        [{ payload: "other" }],
        [{ payloadType: "json" }],
        [{ to: "ben" }],
        [{ priority: 0 }],
        [{}, { queue: "other" }],
      ] as [Partial<Line>, Partial<Destination>?][]) {
        const error = await failsAlone(() => pushMany([{}, { key: "a", ...other }], "ann", to));
        expect(error).toMatchObject({ code: "conflict", details: { reason: "key" } });
        expect(error.message).toStartWith("line 2: the key 'a' was already used");
      }
      const named = { scope: "web", named: true };
      expect(await failsAlone(() => pushMany([{ key: "a" }], "ann", named))).toMatchObject({
        details: { reason: "key" },
      });
    });

    test("keep each author's keys apart, and mind no scope that was not named", async () => {
      await pushMany([{ key: "a" }], "ann", { scope: "web" });
      expect((await pushMany([{ key: "a" }], "ben", { scope: "web" })).refs).toEqual(["Q2"]);
      expect((await pushMany([{ key: "a" }], "ann", { scope: "app" })).refs).toEqual(["Q1"]);
    });
  });

  describe("lines", () => {
    const parsed = (text: string) => parseLines(text, String);
    const payloads = (text: string) =>
      parsed(text).map(({ payload, payloadType }) => [payloadType, payload]);

    test("keep a payload that is no text as exactly the characters that it is written in", () => {
      for (const json of [
        "1.0",
        "-0",
        "1e400",
        "12345678901234567890",
        "0.1000000000000000055511151231257827",
        "null",
        "true",
        "[ ]",
        '{"b" : 1, "a":[1.50,{"c":"}],\\"" }], "a":2}',
        '["\\u0000\\ud800", "\\\\"]',
        "[".repeat(5000) + "]".repeat(5000),
      ]) {
        expect(payloads(`{"payload":${json}}`)).toEqual([["json", json]]);
        expect(payloads(`{"payload": \t${json} }`)).toEqual([["json", json]]);
        expect(payloads(`\t{ "to" : "b" ,"payload" :  ${json} , "priority":1 } \r`)).toEqual([
          ["json", json],
        ]);
      }
    });

    test("keep a payload that is a text as that text, also where it looks like JSON", () => {
      expect(payloads('{"payload":"1.0"}\n{"payload":"\\ud83d\\ude00\\n\\u0041"}')).toEqual([
        ["text", "1.0"],
        ["text", "😀\nA"],
      ]);
    });

    test("may have their members in any order and spelt with escapes", () => {
      expect(
        parsed('{"key":"k","priority":0,"t\\u006f":"ben","p\\u0061yload":{"to":"x"}}'),
      ).toEqual([
        {
          line: 1,
          payload: '{"to":"x"}',
          payloadType: "json",
          to: "ben",
          priority: 0,
          key: "k",
        },
      ]);
    });

    test("of which one is no UTF-8 are refused whole, naming it", async () => {
      const stdin = Buffer.from('{"payload":1}\n{"payload":"caf\xe9"}\n{"payload":2}', "latin1");
      const words = ["queue", "push", "jobs", "--jsonl", "-"];
      const { exit, err } = await coop.run(words, { as: "ann", stdin });
      expect({ exit, err }).toEqual({
        exit: 2,
        err: "coop: line 2: this is not valid UTF-8; convert it first; nothing was written\n",
      });
    });

    test("may be blank, end in any way and begin with a byte order mark", () => {
      const text = '\ufeff{"payload":1}\r\n\n \t\r\n{"payload":2}';
      expect(parsed(text).map(({ line, payload }) => [line, payload])).toEqual([
        [1, "1"],
        [4, "2"],
      ]);
      expect(parsed("")).toEqual([]);
    });

    const big = "x".repeat(4 * 1024 * 1024 + 1);
    for (const [what, line, says] of [
      ["is no JSON", "{payload:1}", "not JSON"],
      ["has a space that is none in JSON", '{"payload":\u00a01}', "not JSON"],
      ["has something after its object", '{"payload":1} 2', "not JSON"],
      ["is no object", '["payload"]', "not an object"],
      ["has no payload", '{"to":"ben"}', "payload is missing"],
      ["has a member too much", '{"payload":1,"priorty":1}', "did you mean priority"],
      ["has a member of every object", '{"payload":1,"__proto__":1}', "no '__proto__'"],
      ["has a member twice", '{"payload":1,"p\\u0061yload":2}', "payload is given twice"],
      ["has a list of addressees", '{"payload":1,"to":["ben"]}', "to: must be a string"],
      ["has two addressees", '{"payload":1,"to":"ben,cyd"}', "to: one id only"],
      ["has an addressee without a name", '{"payload":1,"to":""}', "to: an id may not be empty"],
      [
        "has a priority that is a text",
        '{"payload":1,"priority":"1"}',
        "priority: must be a number",
      ],
      [
        "has a priority too low",
        '{"payload":1,"priority":5}',
        "priority: is a whole number from 0 to 4",
      ],
      [
        "has half a priority",
        '{"payload":1,"priority":0.5}',
        "priority: is a whole number from 0 to 4",
      ],
      ["has no priority but null", '{"payload":1,"priority":null}', "priority: must be a number"],
      ["has no key but null", '{"payload":1,"key":null}', "key: must be a string"],
      ["has a key too long", `{"payload":1,"key":"${"k".repeat(201)}"}`, "key: a key may be up to"],
      ["has a text with U+0000", '{"payload":"a\\u0000"}', "payload: text may not hold U+0000"],
      ["has half a surrogate pair", '{"payload":"\\ud800"}', "payload: holds half a surrogate"],
      ["has a text too long", `{"payload":"${big}"}`, "payload: text may be up to 4 MiB"],
      ["has JSON too long", `{"payload":["${big}"]}`, "payload: text may be up to 4 MiB"],
      ["has the key of another", '{"payload":1,"key":"k"}', "the key 'k' is that of line 1 too"],
    ] as const) {
      test(`of which one ${what} are refused whole, naming it`, async () => {
        const stdin = `{"payload":1,"key":"k"}\n\n${line}\n{"payload":2}`;
        const words = ["queue", "push", "jobs", "--jsonl", "-"];
        const { exit, err } = await coop.run(words, { as: "ann", stdin });
        expect(err).toStartWith("coop: line 3: ");
        expect(err).toContain(says);
        expect(exit).toBe(2);
        expect((await everything()).items).toEqual([]);
      });
    }
  });

  describe("on the command line", () => {
    const say = (as: string, ...words: string[]) => coop.run(["queue", ...words], { as });
    const data = (as: string, ...words: string[]) => coop.data(["queue", ...words], { as });
    const lines = (stdin: string, ...words: string[]) =>
      coop.run(["--json", "queue", "push", "jobs", "--jsonl", "-", ...words], { as: "ann", stdin });

    test("a push of many in many runs of refs says which list has them", async () => {
      const keyed = Array.from({ length: 10 }, (_, index) => `{"payload":1,"key":"${index}"}`);
      await lines(keyed.flatMap((line) => [line, '{"payload":2}']).join("\n"));
      const { out } = await coop.run(["queue", "push", "jobs", "--jsonl", "-"], {
        as: "ann",
        stdin: keyed.join("\n"),
      });
      const [, shown, more] = /^10 items (.*) and 2 more runs: coop (.*)$/m.exec(out)!;
      expect(shown).toBe("Q1 Q3 Q5 Q7 Q9 Q11 Q13 Q15");
      const refs = (await coop.data(more!.split(" "))).map(({ ref }: { ref: string }) => ref);
      expect(refs).toContain("Q19");
    });

    test("a payload is kept as it is given, and is JSON where it parses as that", async () => {
      for (const [payload, type] of [
        ['{"a": 1.0}', "json"],
        [" 12345678901234567890\n", "json"],
        ['"text"', "json"],
        ["{a:1}", "text"],
        ["", "text"],
        ["한글 e\u0301\r\n", "text"],
      ] as const)
        expect(await data("ann", "push", "jobs", payload)).toMatchObject({
          payload,
          payload_type: type,
        });
      expect(await data("ann", "push", "jobs")).toMatchObject({
        payload: "",
        payload_type: "text",
      });
      const words = ["queue", "push", "jobs", "--payload", "-"];
      expect(await coop.data(words, { as: "ann", stdin: "piped\n" })).toMatchObject({
        payload: "piped\n",
      });
    });

    test("several addressees are answered with the fan-out's ref and an item for each", async () => {
      await data("ann", "push", "jobs", "x");
      expect(await data("ann", "push", "jobs", "x", "--to", "me,ben", "--to", "cyd")).toEqual({
        ref: "F1",
        items: [
          { ref: "Q2", to: "ann" },
          { ref: "Q3", to: "ben" },
          { ref: "Q4", to: "cyd" },
        ],
        queue: "jobs",
      });
      const { out } = await say("ann", "push", "jobs", "x", "--to", "ben,cyd");
      expect(out).toBe("F2 jobs → Q5 ben, Q6 cyd\n");
      expect((await say("ann", "push", "jobs", "--to", "ben,cyd", "--quiet")).out).toBe("F3\n");
    });

    test("has the time that it was taken in its line, and not that this changed it", async () => {
      const { created_at } = await pushOne();
      const at = Date.parse(created_at) + 3_600_000;
      await writingAs(store, "ben", (writing) => takeOne(writing, { number: 1 }), { at });
      expect((await coop.run(["queue", "list"])).out).toMatch(
        /^Q1 taken p2 \d+s jobs by ben \S+: a payload\n$/,
      );
    });

    test("what is stale was taken longer ago than is asked", async () => {
      await data("ann", "push", "jobs", "x");
      await data("ben", "take");
      const stale = async (older: string) =>
        (await data("ann", "stale", "--older", older)).items.map(({ ref }: { ref: string }) => ref);
      expect(await stale("1h")).toEqual([]);
      await store.transaction((tx) =>
        tx.all(sql`update queue_items set taken_at = taken_at - 7200000`),
      );
      expect(await stale("1h")).toEqual(["Q1"]);
      expect(await stale("3h")).toEqual([]);
    });

    test("a move without words leaves nothing of what was said with the one before", async () => {
      await data("ann", "push", "jobs", "x");
      await data("ben", "take");
      expect(await data("ben", "release", "Q1", "--reason", "out of context")).toMatchObject({
        note: "out of context",
      });
      await data("ben", "take");
      expect(await data("ben", "done", "Q1")).toMatchObject({ note: null });
    });

    test("who only put an item back did not answer it", async () => {
      await data("ann", "push", "jobs", "x");
      await data("ben", "take");
      await data("dad", "release", "Q1", "--from", "ben");
      await data("dad", "reply", "Q1", "--body", "not mine");
      expect(await data("ann", "replies", "Q1")).toMatchObject([
        { status: "waiting", answered: false },
      ]);
    });

    test("a reply says that it is said, which moves nothing", async () => {
      await data("ann", "push", "jobs", "x", "--to", "ben");
      expect((await say("ben", "reply", "Q1", "text")).out).toBe("replied: Q1 waiting jobs →ben\n");
    });

    test("the scope of an item is told where it is not the current one", async () => {
      await data("ann", "push", "jobs", "x", "--scope", "web");
      for (const words of [
        ["list"],
        ["show", "Q1"],
        ["take", "jobs"],
        ["stale", "--older", "0s"],
      ]) {
        expect((await say("ann", ...words)).out).toContain("[web]");
        if (words[0] !== "take")
          expect((await say("ann", ...words, "--scope", "web")).out).not.toContain("[web]");
      }
    });

    test("only the first few of many unknown addressees are warned of, and the first where nobody is known", async () => {
      const many = Array.from({ length: 50 }, (_, n) => `{"payload":1,"to":"an${n}"}`);
      expect((await lines(many.join("\n"))).json().warnings).toEqual([
        {
          code: "unknown_id",
          message: "'an0' has never written here, nor has anybody else yet: check how it is spelt",
        },
      ]);
      const { warnings } = (await lines(many.join("\n"))).json();
      expect(warnings).toHaveLength(6);
      expect(warnings.at(-1).message).toBe(
        "other ids may be unknown too: coop who lists the known",
      );
    });

    test("several addressees may have spaces between them", async () => {
      const { items } = await data("ann", "push", "jobs", "--to", "ben, cyd");
      expect(items.map(({ to }: { to: string }) => to)).toEqual(["ben", "cyd"]);
    });

    test("an addressee is named once, in whatever form", async () => {
      for (const to of ["ben,ben", "ben, ben", "me,ann", "e\u0301,\u00e9"])
        expect(await say("ann", "push", "jobs", "--to", to)).toMatchObject({ exit: 2, out: "" });
      expect(await eventsOf(store)).toEqual([]);
    });

    test("a queue and an addressee that were never seen are warned of, with the nearest known", async () => {
      const warned = async (...words: string[]) =>
        ((await say("ann", "--json", ...words)).json().warnings ?? []).map(
          ({ code, message }: { code: string; message: string }) =>
            `${code} ${message.split("'").at(-2)}`,
        );
      expect(await warned("push", "jobs")).toEqual([]);
      expect(await warned("push", "jobs", "--to", "me")).toEqual([]);
      expect(await warned("push", "jbos")).toEqual(["unknown_queue jobs"]);
      expect(await warned("push", "jobs", "--to", "anne")).toEqual(["unknown_id ann"]);
      for (const verb of ["take", "list", "stats"])
        expect(await warned(verb, "job")).toEqual(["unknown_queue jobs"]);
      expect(await warned("stale", "job", "--older", "1h")).toEqual(["unknown_queue jobs"]);
    });

    test("lines are pushed in one answer, short as text however many", async () => {
      const text = Array.from({ length: 1000 }, () => '{"payload":1}').join("\n");
      expect((await lines(text)).json().data).toEqual({
        queue: "jobs",
        count: 1000,
        refs: Array.from({ length: 1000 }, (_, index) => `Q${index + 1}`),
      });
      await Bun.write(`${coop.folder}/jobs.jsonl`, text);
      const { out } = await say("ann", "push", "jobs", "--jsonl", `${coop.folder}/jobs.jsonl`);
      expect(out).toBe("1000 items Q1001..Q2000\n");
    });

    test("a line may be for me, and has the priority of any other item where it says none", async () => {
      await lines('{"payload":1,"to":"me"}\n{"payload":2,"priority":0}');
      expect(await data("ann", "list")).toMatchObject([
        { ref: "Q2", to: null, priority: 0 },
        { ref: "Q1", to: "ann", priority: 2 },
      ]);
    });

    test("lines that were all pushed before with their keys are answered as a repeat", async () => {
      const two = '{"payload":1,"key":"a"}\n{"payload":2,"key":"b"}';
      const pushed = (await lines(two)).json();
      expect((await lines(two)).json()).toEqual({ ...pushed, replayed: true });
      const { data: three, warnings, replayed } = (await lines(`${two}\n{"payload":3}`)).json();
      expect(three).toEqual({ queue: "jobs", count: 3, refs: ["Q1", "Q2", "Q3"] });
      expect(warnings).toMatchObject([{ code: "pushed_before" }]);
      const again = () => lines(`${two}\n{"payload":4}`, "--key", "k");
      const { warnings: told } = (await again()).json();
      expect(told).toMatchObject([{ code: "pushed_before" }]);
      expect((await again()).json()).toMatchObject({ replayed: true, warnings: told });
      expect(replayed).toBeUndefined();
    });

    test("a command's key covers its lines, however they come", async () => {
      const text = '{"payload":1}\n{"payload":2}';
      const pushed = (await lines(text, "--key", "k")).json();
      expect((await lines(text, "--key", "k")).json()).toEqual({ ...pushed, replayed: true });
      await Bun.write(`${coop.folder}/jobs.jsonl`, text);
      const file = ["push", "jobs", "--key", "k", "--jsonl", `${coop.folder}/jobs.jsonl`];
      expect(await data("ann", ...file)).toEqual(pushed.data);
      const other = await lines('{"payload":1}', "--key", "k");
      expect(other.json().error).toMatchObject({ code: "conflict", reason: "key" });
      const own = await lines('{"payload":1}\n{"payload":1,"key":"c"}', "--key", "c");
      expect(own.json().error).toMatchObject({ message: expect.stringMatching(/^line 2: /) });
      expect(await eventsOf(store)).toHaveLength(2);
    });

    test("lines go with nothing that each line says for itself", async () => {
      await data("ann", "push", "jobs");
      for (const words of [["payload"], ["--to", "ben"], ["--priority", "1"], ["--re", "Q1"]]) {
        const { exit, err } = await say("ann", "push", "jobs", "--jsonl", "-", ...words);
        expect({ exit, err }).toMatchObject({ exit: 2, err: expect.stringContaining("--jsonl") });
      }
    });

    test("taking gives the items in order with their whole payloads", async () => {
      await data("ann", "push", "jobs", '{"a": 1.0}');
      await data("ann", "push", "jobs", "first", "--priority", "0");
      await data("ann", "push", "jobs", "for cyd", "--to", "cyd");
      expect(await data("ben", "take", "jobs", "--count", "10")).toMatchObject([
        { ref: "Q2", payload: "first", taken_by: "ben" },
        { ref: "Q1", payload: '{"a": 1.0}', taken_by: "ben" },
      ]);
      expect((await say("cyd", "take")).out).toMatch(
        /^Q3 p2 \d+s jobs from ann\n```\nfor cyd\n```\n$/,
      );
    });

    test("taking where nothing waits is exit 5, and writes nothing", async () => {
      await data("ann", "push", "jobs", "--to", "cyd");
      const before = await everything();
      const { exit, err } = await say("ben", "--json", "take", "jobs", "--key", "k");
      expect(exit).toBe(5);
      expect(JSON.parse(err).error).toEqual({
        code: "empty",
        message: "nothing is waiting in jobs for ben",
      });
      expect(await everything()).toEqual(before);
    });

    test("a repeated take with its key gives the same items", async () => {
      for (let count = 0; count < 3; count++) await data("ann", "push", "jobs", `${count}`);
      const words = ["--json", "take", "jobs", "--count", "2", "--key", "k"];
      const taken = (await say("ben", ...words)).json();
      await data("ben", "done", "Q1");
      const before = await everything();
      expect((await say("ben", ...words)).json()).toEqual({ ...taken, replayed: true });
      expect(await everything()).toEqual(before);
    });

    test("an item is taken by its ref in any form, and a queue's name looks like none", async () => {
      for (const form of ["Q1", "q2", "#3", "4"]) {
        await data("ann", "push", "jobs");
        expect(await data("ben", "take", form)).toMatchObject([{ state: "taken" }]);
      }
      for (const [words, says] of [
        [["take", "L1"], "L1 is a letter"],
        [["take", "F1"], "F1 is a push to several"],
        [["take", "Q1", "--count", "2"], "--count goes with a queue"],
        [["take", "jobs", "--if-version", "1"], "--if-version goes with one item"],
        [["take", "--count", "0"], "from 1 to 1000"],
        [["take", "--count", "1001"], "from 1 to 1000"],
        [["push", "Q9"], "may not look like a ref"],
        [["done", "F1"], "F1 is a push to several"],
        [["list", "7"], "may not look like a ref"],
      ] as const) {
        const { exit, err } = await say("ben", ...words);
        expect({ exit, err }).toMatchObject({ exit: 2, err: expect.stringContaining(says) });
      }
    });

    test("every verb that writes is repeatable by its key", async () => {
      for (const as of ["ben", "cyd"]) await coop.data(["todo", "add", "known"], { as });
      for (const words of [
        ["push", "jobs", "x", "--to", "ben,cyd"],
        ["take", "Q1"],
        ["reply", "Q1", "text"],
        ["release", "Q1"],
        ["take", "jobs"],
        ["done", "Q1", "--reply", "text"],
        ["reopen", "Q1"],
        ["drop", "Q1"],
      ]) {
        const keyed = ["--json", ...words, "--key", words.join(" ")];
        const answer = await say("ben", ...keyed);
        expect(answer).toMatchObject({ exit: 0 });
        const before = await everything();
        const { warnings: _, ...answered } = answer.json();
        expect((await say("ben", ...keyed)).json()).toEqual({ ...answered, replayed: true });
        expect(await everything()).toEqual(before);
      }
    });

    test("done takes its reply in every form, and a note by every name", async () => {
      await Bun.write(`${coop.folder}/reply.md`, "from a file\n");
      const file = `${coop.folder}/reply.md`;
      for (const [words, replied, note, stdin] of [
        [["--reply", "text"], "text", null],
        [["--reply", "-", "-m", "why"], "piped", "why", "piped"],
        [["--reply-file", file, "--note", "why"], "from a file\n", "why"],
        [["-F", file, "--reason", "why"], "from a file\n", "why"],
        [["--message", "why"], undefined, "why"],
      ] as const) {
        const { ref } = await data("ann", "push", "jobs");
        await data("ben", "take", ref);
        const options = { as: "ben", ...(stdin !== undefined && { stdin }) };
        expect(await coop.data(["queue", "done", ref, ...words], options)).toMatchObject({ note });
        const { replies } = await data("ann", "show", ref);
        expect(replies.map(({ body }: { body: string }) => body)).toEqual(
          replied === undefined ? [] : [replied],
        );
      }
    });

    test("--from me is the speaker", async () => {
      await itemIn("taken");
      expect(await data("ben", "release", "Q1", "--from", "me")).toMatchObject({
        state: "waiting",
      });
    });

    test("replies say who is missing", async () => {
      await data("ann", "push", "jobs", "x", "--to", "ben,cyd");
      await data("ben", "reply", "Q1", "`yes`");
      const { out } = await say("ann", "replies", "F1");
      expect(out.replace(/\d+s/g, "0s")).toBe(
        "Q1 answered (waiting) jobs →ben\nreply from ben 0s:\n```\n`yes`\n```\nQ2 waiting jobs →cyd\nmissing: cyd\n",
      );
      expect((await say("ann", "replies", "f1", "--quiet")).out).toBe("Q1\nQ2\n");
      await data("ann", "push", "jobs", "for anyone");
      expect((await say("ann", "replies", "3")).out).toEndWith("missing: Q3\n");
      await data("dan", "take", "Q3");
      expect((await say("ann", "replies", "3")).out).toEndWith("missing: dan\n");
      await data("ann", "drop", "Q2", "--reason", "no use");
      expect((await say("ann", "replies", "F1")).out).toEndWith(
        "Q2 dropped jobs →cyd\nnote:\n```\nno use\n```\nmissing: nobody\n",
      );
      expect((await say("ann", "show", "F1")).out).toEndWith("→cyd\nnote:\n```\nno use\n```\n");
    });

    test("show gives an item with all that came of it, a fan-out with its items, and the raw payload", async () => {
      await data("ann", "push", "jobs", "x\n", "--to", "ben,cyd");
      await data("ann", "push", "jobs", "--re", "Q1");
      await data("ben", "reply", "1", "yes");
      expect(await data("ann", "show", "Q1")).toMatchObject({
        ref: "Q1",
        fan_out: "F1",
        followed_by: ["Q3"],
        replies: [{ author: "ben", body: "yes" }],
      });
      expect(await data("ann", "show", "F1")).toMatchObject({
        ref: "F1",
        queue: "jobs",
        items: [
          { ref: "Q1", to: "ben", payload: "x\n" },
          { ref: "Q2", to: "cyd" },
        ],
      });
      expect((await say("ann", "show", "Q1", "--raw")).out).toBe("x\n");
      expect(await say("ann", "show", "F1", "--raw")).toMatchObject({ exit: 2 });
    });

    test("lists, counts and takes mind the scope only on the command line", async () => {
      await data("ann", "push", "jobs", "--scope", "web");
      await data("ann", "push", "jobs", "--scope", "app");
      const env = { PIPPA_COOP_SCOPE: "web" };
      const refs = async (...words: string[]) =>
        (await coop.data(["queue", ...words], { as: "ben", env })).map(
          ({ ref }: { ref: string }) => ref,
        );
      expect(await refs("list")).toEqual(["Q2", "Q1"]);
      expect(await refs("list", "--scope", "web")).toEqual(["Q1"]);
      expect(await refs("list", "--all-scopes")).toEqual(["Q2", "Q1"]);
      const waiting = async (...words: string[]) =>
        (await coop.data(["queue", "stats", ...words], { env })).queues.map(
          (each: { waiting: number }) => each.waiting,
        );
      expect(await waiting()).toEqual([2]);
      expect(await waiting("--scope", "app")).toEqual([1]);
      expect(await waiting("--scope", "none")).toEqual([]);
      expect(await refs("take", "--count", "9", "--scope", "app")).toEqual(["Q2"]);
      expect(await refs("take", "--count", "9")).toEqual(["Q1"]);
      const stale = async (...words: string[]) =>
        (await coop.data(["queue", "stale", "--older", "0s", ...words], { env })).items.map(
          ({ ref }: { ref: string }) => ref,
        );
      expect(await stale()).toEqual(["Q2", "Q1"]);
      expect(await stale("--scope", "web")).toEqual(["Q1"]);
    });

    test("lists hide the finished, and are narrowed by what is asked", async () => {
      await data("ann", "push", "a", "x", "--priority", "0");
      await data("ben", "push", "b", "x", "--to", "ann");
      await data("ann", "push", "a", "x", "--to", "cyd", "--priority", "1");
      await data("ann", "push", "a", "x");
      await data("ann", "drop", "Q4");
      await data("cyd", "take", "Q3");
      const refs = async (...words: string[]) =>
        (await data("ann", "list", ...words)).map(({ ref }: { ref: string }) => ref);
      expect(await refs()).toEqual(["Q3", "Q2", "Q1"]);
      expect(await refs("--status", "all")).toEqual(["Q4", "Q3", "Q2", "Q1"]);
      expect(await refs("--status", "dropped,taken")).toEqual(["Q4", "Q3"]);
      expect(await refs("a")).toEqual(["Q3", "Q1"]);
      expect(await refs("--mine")).toEqual(["Q2"]);
      expect(await refs("--to", "cyd,me")).toEqual(["Q3", "Q2"]);
      expect(await refs("--from", "ben")).toEqual(["Q2"]);
      expect(await refs("--priority", "0,1")).toEqual(["Q3", "Q1"]);
      expect(await refs("--taken-by", "cyd")).toEqual(["Q3"]);
      expect(await refs("--before", "3", "--limit", "1")).toEqual(["Q2"]);
      const { out } = await say("ann", "list", "a");
      expect(out.replace(/\d+s/g, "0s")).toBe(
        "Q3 taken p1 0s a →cyd by cyd 0s: x\nQ1 waiting p0 0s a: x\n1 finished: --status all\n",
      );
    });
  });

  describe("what has been taken for long", () => {
    test("is listed from the longest taken on, whoever holds it", async () => {
      for (let count = 0; count < 4; count++) await pushOne();
      const at = clock.now();
      for (const [number, id, ago] of [
        [1, "ben", 60],
        [2, "cyd", 90],
        [3, "ben", 10],
      ] as const)
        await writingAs(store, id, (writing) => takeOne(writing, { number }), {
          at: at - ago * 60_000,
        });
      const stale = (place: Place, limit = 0) => staleItems(store, place, at - 3_000_000, limit);
      expect((await stale({})).rows.map(({ ref }) => ref)).toEqual(["Q2", "Q1"]);
      expect(await stale({}, 1)).toMatchObject({
        rows: [{ ref: "Q2" }],
        truncated: true,
        total: { count: 2, exact: true },
      });
      expect((await stale({ queue: "other" })).rows).toEqual([]);
      await act("release", "ben");
      expect((await stale({})).rows.map(({ ref }) => ref)).toEqual(["Q2"]);
    });
  });

  describe("stats", () => {
    test("count each queue's items by state, and say since when the oldest waits", async () => {
      const { created_at } = await pushOne({ queue: "b" });
      await pushOne({ queue: "b" });
      await pushOne({ queue: "a" });
      await takeAs("ben", { queue: "a" });
      const told = async (...words: string[]) =>
        (await coop.data(["queue", "stats", ...words])).queues;
      expect(await told()).toEqual([
        { queue: "a", waiting: 0, taken: 1, done: 0, dropped: 0, oldest_waiting_at: null },
        { queue: "b", waiting: 2, taken: 0, done: 0, dropped: 0, oldest_waiting_at: created_at },
      ]);
      expect(await told("b")).toMatchObject([{ queue: "b" }]);
      expect(await told("c")).toEqual([]);
    });

    test("stop counting at ten thousand, and say so", async () => {
      await pushMany(Array.from({ length: 10_000 }, () => ({})));
      await store.transaction((tx) => tx.all(sql`update queue_items set state = 'done'`));
      await pushMany(Array.from({ length: 10_000 }, () => ({})));
      const [exact] = (await coop.data(["queue", "stats"])).queues;
      expect(exact).toMatchObject({ waiting: 10_000, done: 10_000 });
      expect(exact).not.toHaveProperty("exact");
      await pushOne();
      const [more] = (await coop.data(["queue", "stats"])).queues;
      expect(more).toMatchObject({ waiting: 10_000, done: 10_000, exact: false });
      expect((await coop.run(["queue", "stats"])).out).toMatch(
        /^jobs 10000\+ waiting, the oldest \d+[smh], 10000 done\n$/,
      );
    });
  });

  test("of many that take at once each item goes to one", async () => {
    await pushMany(Array.from({ length: 30 }, () => ({})));
    const taken = (
      await Promise.all(
        Array.from({ length: 20 }, async (_, index) => {
          const one = await inside(store);
          const { out } = await one.run(["queue", "take", "--count", "2", "--quiet"], {
            as: `taker ${index}`,
          });
          await one[Symbol.asyncDispose]();
          return out.split("\n").filter(Boolean);
        }),
      )
    ).flat();
    expect(taken).toHaveLength(30);
    expect(new Set(taken).size).toBe(30);
    const row = await first<{ takes: number }>(
      store,
      sql`select count(*) as takes from events where verb = 'take'`,
    );
    expect(row!.takes).toBe(30);
  });
});
