import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { Store } from "../../src/store/open";
import { sql } from "../../src/store/sql";
import {
  findLetter,
  listLetters,
  markRead,
  moveLetter,
  STATES,
  writeLetter,
  type Draft,
} from "../../src/surfaces/letter/store";
import { letterText } from "../../src/surfaces/letter/text";
import { engines, eventsOf, failure, rowOf, writingAs } from "../engines";
import { insideFresh, type Inside } from "../inside";

type State = (typeof STATES)[number];

const MOVES = {
  start: { from: ["unread", "read"], to: "working" },
  ack: { from: ["unread", "read", "working"], to: "done" },
  abandon: { from: ["unread", "read", "working"], to: "abandoned" },
  reopen: { from: ["done", "abandoned", "superseded"], to: "unread" },
} as const satisfies Record<string, { from: readonly State[]; to: State }>;
type Verb = keyof typeof MOVES;
const VERBS = Object.keys(MOVES) as Verb[];
const ALL = { slice: { limit: 50 }, hidesFinished: false };
const ALL_LETTERS = sql`select * from letters order by number`;

describe.each(engines)("letters on $name", ({ openFresh }) => {
  let store: Store;
  let coop: Inside;
  let close: () => Promise<void>;
  beforeEach(async () => ({ store, coop, close } = await insideFresh(openFresh)));
  afterEach(() => close());

  const write = (draft: Partial<Draft> = {}, by = "ann") =>
    writingAs(store, by, (writing) =>
      writeLetter(writing, {
        scope: "",
        to: "ann",
        title: "a title",
        body: "a body",
        supersedes: [],
        ...draft,
      }),
    );
  const move = (verb: Verb, number = 1, said?: string, ifVersion?: number) =>
    writingAs(store, "ben", (writing) => moveLetter(writing, verb, { number, ifVersion }, said));
  const everything = async () => ({
    letters: await store.all(ALL_LETTERS),
    events: await eventsOf(store),
  });

  /** Writes letter 1 and brings it into a state. */
  async function letterIn(state: State): Promise<void> {
    await write();
    if (state === "read") await writingAs(store, "ann", (writing) => markRead(writing, [1]));
    if (state === "working") await move("start");
    if (state === "done") await move("ack");
    if (state === "abandoned") await move("abandon");
    if (state === "superseded") await write({ supersedes: [1] });
    expect(await rowOf(store, "letters", 1)).toMatchObject({ state });
  }

  test.each(["working", "done", "abandoned"] as const)(
    "a letter that is %s by the time that a reader marks it stays as it is",
    async (state) => {
      await letterIn(state);
      const before = await everything();
      await writingAs(store, "ann", (writing) => markRead(writing, [1]));
      expect(await everything()).toEqual(before);
      expect(before.letters).toMatchObject([{ state, version: 2 }]);
    },
  );

  for (const verb of VERBS) {
    const { from, to } = MOVES[verb];
    for (const state of STATES) {
      if ((from as readonly State[]).includes(state)) {
        test(`${verb} takes a letter from ${state} to ${to}, with one event`, async () => {
          await letterIn(state);
          const before = await rowOf(store, "letters", 1);
          const events = await eventsOf(store, "letter", 1);
          const moved = await move(verb);

          expect(moved).toMatchObject({
            ref: "L1",
            state: to,
            version: Number(before!["version"]) + 1,
          });
          expect(await findLetter(store, 1)).toEqual(moved);
          const all = await eventsOf(store, "letter", 1);
          expect(all.slice(0, -1)).toEqual(events);
          expect(all.at(-1)).toMatchObject({
            author: "ben",
            verb,
            version: moved.version,
            state: to,
            before: { state },
            after: { state: to },
          });
        });
      } else {
        test(`${verb} of a letter that is ${state} is a conflict and changes nothing`, async () => {
          await letterIn(state);
          const before = await everything();
          const error = await failure(move(verb));

          expect(error).toMatchObject({
            code: "conflict",
            details: { reason: "state", ref: "L1" },
          });
          expect(error.details.current).toMatchObject({ state });
          expect(await everything()).toEqual(before);
        });
      }
    }
  }

  test("the loser of a start learns since when, by whom and where", async () => {
    await write();
    const { updated_at } = await move("start");
    const error = await failure(move("start"));
    expect(error.message).toMatch(/^L1 is working: by ben on host in \/work, \d+s ago$/);
    expect(error.details.current).toEqual({
      state: "working",
      by: "ben",
      at: updated_at,
      version: 2,
    });
  });

  test("a letter is written unread, at version 1, with the event of its creation", async () => {
    const letter = await write({
      scope: "web",
      to: "cat",
      title: "한글 제목",
      body: "\ufeffa\r\n'b'\t",
    });
    expect(letter).toMatchObject({
      ref: "L1",
      scope: "web",
      version: 1,
      author: "ann",
      state: "unread",
      to: "cat",
      title: "한글 제목",
      body: "\ufeffa\r\n'b'\t",
      acknowledgement: null,
      note: null,
      supersedes: [],
      superseded_by: null,
    });
    expect(letter.created_at).toBe(letter.updated_at);
    expect(await eventsOf(store, "letter", 1)).toMatchObject([
      {
        author: "ann",
        host: "host",
        pid: 1,
        folder: "/work",
        verb: "write",
        version: 1,
        state: "unread",
      },
    ]);
  });

  test("an acknowledgement is kept, and an event holds the one before it", async () => {
    await write();
    expect(await move("ack", 1, "shipped abc1234")).toMatchObject({
      acknowledgement: "shipped abc1234",
    });
    await move("reopen", 1, "it did not hold");
    expect(await move("ack", 1, "now it does")).toMatchObject({ acknowledgement: "now it does" });
    await move("reopen", 1);
    expect(letterText(await findLetter(store, 1), { now: 0, scope: "", me: "ann" })).toContain(
      "acknowledged before:\n```\nnow it does\n```",
    );
    expect(await move("ack", 1)).toMatchObject({ acknowledgement: "now it does" });
    const [, ack, , again] = await eventsOf(store, "letter", 1);
    expect(ack!.before).toEqual({ state: "unread", acknowledgement: null });
    expect(ack!.after).toEqual({ state: "done" });
    expect(again!.before).toEqual({ state: "unread", acknowledgement: "shipped abc1234" });
  });

  test("a move holds to the version that its user saw", async () => {
    await write();
    await move("start", 1, undefined, 1);
    const before = await everything();
    const error = await failure(move("ack", 1, undefined, 1));
    expect(error).toMatchObject({ code: "conflict", details: { reason: "version" } });
    expect(error.details.current).toMatchObject({ version: 2 });
    expect(await everything()).toEqual(before);
    expect(await move("ack", 1, undefined, 2)).toMatchObject({ state: "done", version: 3 });
  });

  test("a letter that is not there is not found", async () => {
    await write();
    for (const verb of VERBS)
      expect(await failure(move(verb, 2))).toMatchObject({
        code: "not_found",
        details: { ref: "L2" },
      });
    expect(await failure(findLetter(store, 2))).toMatchObject({ code: "not_found" });
  });

  test("a new letter supersedes the open ones that it names, each with an event", async () => {
    await write();
    await write();
    await move("start", 2);
    expect(await write({ supersedes: [1, 2] })).toMatchObject({ supersedes: ["L1", "L2"] });
    for (const [number, state] of [
      [1, "unread"],
      [2, "working"],
    ] as const) {
      expect(await findLetter(store, number)).toMatchObject({
        state: "superseded",
        superseded_by: "L3",
      });
      expect((await eventsOf(store, "letter", number)).at(-1)).toMatchObject({
        verb: "supersede",
        state: "superseded",
        before: { state, superseded_by: null },
      });
    }
  });

  test("a letter that is closed already is linked, left and warned of, and the new one is written", async () => {
    await write();
    await move("ack", 1, "thanks");
    const warned: string[] = [];
    await writingAs(
      store,
      "ann",
      (writing) =>
        writeLetter(writing, { scope: "", to: "ann", title: "", body: "new", supersedes: [1] }),
      { warn: (code, message) => warned.push(`${code} ${message}`) },
    );
    expect(warned).toEqual([expect.stringMatching(/^already_closed L1 is already done/)]);
    expect(await findLetter(store, 2)).toMatchObject({ state: "unread", supersedes: ["L1"] });
    expect(await findLetter(store, 1)).toMatchObject({
      state: "done",
      acknowledgement: "thanks",
      superseded_by: "L2",
    });
    expect((await eventsOf(store, "letter", 1)).at(-1)).toMatchObject({
      verb: "supersede",
      state: null,
      before: { superseded_by: null },
    });
  });

  test("one is marked only where it is to its reader and given in full", async () => {
    await write({ to: "ben", scope: "quest" });
    const marked = async (as: string, ...words: string[]) =>
      (await coop.run(["--json", "letter", "read", ...words], { as })).json().data[0].marked;
    expect(await marked("ben", "L1")).toBe(true);
    expect(await marked("ben", "--scope", "another")).toBe(false);
    expect(await marked("cyd", "L1")).toBe(false);
    expect(await marked("ben")).toBe(true);
  });

  test.each([
    ["start", "cannot start it any more", "coop letter abandon L2 && coop letter reopen L2"],
    ["ack", "does not get it any more", "coop letter reopen L2"],
    ["abandon", "does not get it any more", "coop letter reopen L2"],
  ])("to %s what is another's is warned of", async (verb, loses, back) => {
    for (const to of ["ann", "ben", "cyd"]) await write({ to });
    const warningsOf = async (ref: string, as: string) =>
      (await coop.run(["--json", "letter", verb, ref], { as })).json().warnings;
    expect(await warningsOf("L1", "ann")).toBeUndefined();
    expect(await warningsOf("L2", "cyd")).toContainEqual({
      code: "not_yours",
      message: `L2 was for ben, who ${loses}; if another was meant: ${back}`,
    });
    // Who wrote it may take it back.
    expect(await warningsOf("L3", "ann")).toBeUndefined();
  });

  test("a letter that supersedes another's is warned of, since that one's addressee gets none in its place", async () => {
    await write({ to: "ben" });
    await write({ to: "ben" });
    const words = ["letter", "write", "--body", "new", "--supersedes"];
    const kept = await coop.run([...words, "L1", "--to", "ben"], { as: "ann" });
    expect(kept).toMatchObject({ exit: 0, err: expect.not.stringContaining("L1 was for") });
    const lost = await coop.run([...words, "L2"], { as: "ann" });
    expect(lost).toMatchObject({
      exit: 0,
      err: expect.stringContaining(
        "L2 was for ben, and L4 is for ann: ben gets nothing in its place",
      ),
    });
  });

  test("the log of a superseded letter names the one in its place", async () => {
    await letterIn("superseded");
    const { out } = await coop.run(["log", "L1"]);
    expect(out).toContain("superseded by – → L2");
  });

  test("a move of a superseded letter is told which one is in its place", async () => {
    await letterIn("superseded");
    expect(await failure(move("ack"))).toMatchObject({
      code: "conflict",
      details: { hint: "L2 is in its place: coop letter show L2" },
    });
  });

  test("a letter to supersede is named once, in whatever form", async () => {
    await write();
    for (const refs of ["L1,1", "L1,L1", "#1,l1"]) {
      const words = ["letter", "write", "--body", "new", "--supersedes", refs];
      expect(await coop.run(words, { as: "ann" })).toMatchObject({ exit: 2, out: "" });
    }
    expect(await eventsOf(store)).toHaveLength(1);
  });

  test("a letter that supersedes one which is not there is not written", async () => {
    await write();
    const before = await everything();
    expect(await failure(write({ supersedes: [1, 9] }))).toMatchObject({
      code: "not_found",
      details: { ref: "L9" },
    });
    expect(await everything()).toEqual(before);
  });

  test("why a letter was opened again stays with it when it is started without a word", async () => {
    await letterIn("done");
    await move("reopen", 1, "the fix did not hold");
    expect(await move("start")).toMatchObject({ note: "the fix did not hold" });
    expect(await move("abandon")).toMatchObject({ note: null });
  });

  test("a line does not say of a letter that was read that this changed it", async () => {
    const { created_at } = await write();
    const at = Date.parse(created_at) + 3_600_000;
    await writingAs(store, "ann", (writing) => markRead(writing, [1]), { at });
    const { out } = await coop.run(["letter", "list"], { as: "ann" });
    expect(out).toMatch(/^L1 read \d+s: a title\n$/);
  });

  test("a superseded letter that is opened again points to no other, and no other to it", async () => {
    await letterIn("superseded");
    expect((await findLetter(store, 2)).supersedes).toEqual(["L1"]);
    expect(await move("reopen")).toMatchObject({ state: "unread", superseded_by: null });
    expect((await findLetter(store, 2)).supersedes).toEqual([]);
    const [, event] = await eventsOf(store, "letter", 2);
    expect(event).toMatchObject({ verb: "edit", before: { supersedes: '["L1"]' } });
    for (const number of [3, 4]) {
      await write({ supersedes: [1] });
      expect((await findLetter(store, number)).supersedes).toEqual(["L1"]);
    }
    await move("reopen");
    for (const number of [3, 4]) expect((await findLetter(store, number)).supersedes).toEqual([]);
  });

  test("who opens a superseded letter again is told which letters that changes", async () => {
    await letterIn("superseded");
    await write({ supersedes: [1] });
    const again = async () =>
      (await coop.run(["--json", "letter", "reopen", "L1"], { as: "ann" })).json();
    expect((await again()).warnings).toEqual([
      { code: "no_longer_superseded", message: "L2, L3 supersede L1 no longer" },
    ]);
    await move("ack");
    expect(await again()).not.toHaveProperty("warnings");
  });

  test("letters are listed in every state, newest first, and narrowed by what is asked", async () => {
    await write({ scope: "web", to: "ann" });
    await write({ scope: "web", to: "ben" }, "ben");
    await write({ scope: "app", to: "ann" });
    await move("ack", 1);
    const refs = async (filter: Parameters<typeof listLetters>[1]["filter"]) =>
      (await listLetters(store, { ...ALL, filter })).rows.map(({ ref }) => ref);
    expect(await refs({})).toEqual(["L3", "L2", "L1"]);
    expect(await refs({ scope: "web" })).toEqual(["L2", "L1"]);
    expect(await refs({ states: ["done"] })).toEqual(["L1"]);
    expect(await refs({ addressees: ["ann"] })).toEqual(["L3", "L1"]);
    expect(await refs({ authors: ["ben"] })).toEqual(["L2"]);
    const { updated_at } = await findLetter(store, 1);
    expect(await refs({ since: Date.parse(updated_at) })).toEqual(["L1"]);
    expect(await refs({ since: Date.parse(updated_at) + 1 })).toEqual([]);
  });

  test("a list says how many there are and pages through all of them", async () => {
    for (let count = 0; count < 5; count++) await write();
    const page = (before?: number) =>
      listLetters(store, { filter: {}, slice: { before, limit: 2 }, hidesFinished: false });
    const pages = [await page(), await page(4), await page(2)];
    expect(pages.map(({ rows }) => rows.map(({ ref }) => ref))).toEqual([
      ["L5", "L4"],
      ["L3", "L2"],
      ["L1"],
    ]);
    expect(pages.map(({ truncated }) => truncated)).toEqual([true, true, false]);
    for (const { total } of pages) expect(total).toEqual({ count: 5, exact: true });
  });

  describe("reading", () => {
    const KB = 1024;
    const read = (...words: string[]) =>
      coop.run(["--json", "letter", "read", ...words], { as: "ann" });
    const stateOf = async (number: number) => (await findLetter(store, number)).state;
    /** Lines of 16 bytes, `bytes` in all. */
    const linesOf = (bytes: number) => "fifteen letters\n".repeat(bytes / 16);

    test("shows every open letter in full, newest first, and marks it once", async () => {
      await write({ body: "one" });
      await write({ body: "two" });
      const { data, total, truncated } = (await read()).json();
      expect(data).toMatchObject([
        { ref: "L2", state: "read", body: "two", complete: true, marked: true },
        { ref: "L1", state: "read", body: "one", complete: true, marked: true },
      ]);
      expect({ total, truncated }).toEqual({ total: 2, truncated: false });
      const events = await eventsOf(store);
      expect(events.slice(2)).toMatchObject([
        { verb: "read", state: "read", before: { state: "unread" } },
        { verb: "read", state: "read", before: { state: "unread" } },
      ]);

      expect((await read()).json().data).toMatchObject([{ ref: "L2" }, { ref: "L1" }]);
      expect(await eventsOf(store)).toEqual(events);
    });

    test("that finds nothing uses up no key, which would hide the next letter", async () => {
      const empty = (await read("--key", "k")).json();
      expect(empty).toMatchObject({ data: [], total: 0 });
      await write({ body: "one" });
      for (const replayed of [undefined, true]) {
        const found = (await read("--key", "k")).json();
        expect(found).toMatchObject({ data: [{ ref: "L1", state: "read" }] });
        expect(found.replayed).toBe(replayed);
      }
    });

    test("holds one letter to the version that its reader saw", async () => {
      await write({ body: "one" });
      const late = await read("L1", "--if-version", "2");
      expect({ exit: late.exit, ...late.json().error }).toMatchObject({
        exit: 4,
        reason: "version",
      });
      expect(await stateOf(1)).toBe("unread");
      expect((await read("L1", "--if-version", "1")).json().data).toMatchObject([{ version: 2 }]);
      expect((await read("L1", "--if-version", "1")).exit).toBe(4);
      expect((await read("--if-version", "1")).exit).toBe(2);
    });

    test("by an id that never wrote and has letters names the others that have some", async () => {
      await write({ to: "new", body: "one" });
      await write({ body: "two" });
      const { data, warnings } = (
        await coop.run(["--json", "letter", "read"], { as: "new" })
      ).json();
      expect(data).toHaveLength(1);
      expect(warnings).toMatchObject([
        { code: "unknown_id" },
        { code: "open_letters", message: "open letters are also for ann" },
      ]);
    });

    test("keeps returning a letter until it is done, abandoned or superseded", async () => {
      for (let count = 0; count < 4; count++) await write();
      await move("start", 4);
      await move("ack", 1);
      await move("abandon", 2);
      await write({ supersedes: [3] });
      for (let repeat = 0; repeat < 2; repeat++)
        expect((await read()).json().data).toMatchObject([
          { ref: "L5", state: "read" },
          { ref: "L4", state: "working" },
        ]);
    });

    test("says with exit 0 that nothing is open", async () => {
      expect(await read()).toMatchObject({ exit: 0 });
      expect((await read()).json().data).toEqual([]);
      expect((await coop.run(["letter", "read"], { as: "ann" })).out).toBe(
        "no open letters to ann\n",
      );
    });

    test("shows 24 KB in full and marks it", async () => {
      await write({ body: linesOf(14 * KB - 64) });
      await write({ body: linesOf(10 * KB) });
      expect((await read()).json().data).toMatchObject([{ complete: true }, { complete: true }]);
      expect([await stateOf(1), await stateOf(2)]).toEqual(["read", "read"]);
    });

    test("counts what was said with moves, and cuts it too", async () => {
      await write({ body: "its body" });
      await move("start", 1, linesOf(100 * KB));
      const [letter] = (await read()).json().data;
      expect(letter).toMatchObject({ state: "working", body: "its body", complete: false });
      expect(letter.bytes).toBe(100 * KB + 8);
      expect(linesOf(100 * KB)).toStartWith(letter.note);
      expect(letter.note.length).toBeGreaterThan(24 * KB - 64);
      expect(letter.note.length).toBeLessThan(24 * KB);
      const { out } = await coop.run(["letter", "read"], { as: "ann" });
      expect(out.length).toBeLessThan(24 * KB + 100);
      expect(out).toEndWith("\n```\ncut here. all of it: coop letter read L1\n");
      expect((await read("L1")).json().data).toMatchObject([
        { note: linesOf(100 * KB), complete: true },
      ]);
    });

    test("leaves a letter unread whose acknowledgement from before does not fit", async () => {
      await write({ body: linesOf(10 * KB) });
      await move("ack", 1, linesOf(20 * KB));
      await move("reopen", 1, "a note");
      const [letter] = (await read()).json().data;
      expect(letter).toMatchObject({ state: "unread", marked: false, complete: false, note: null });
      expect(letter.body).toBe(linesOf(10 * KB));
      expect(letter.acknowledgement.length).toBeLessThan(14 * KB);
      const { out } = await coop.run(["letter", "read"], { as: "ann" });
      expect(out.length).toBeLessThan(24 * KB + 100);
      expect(out).toEndWith("cut here; it stays unread. all of it: coop letter read L1\n");
      await read("L1");
      expect(await stateOf(1)).toBe("read");
    });

    test("shows nothing that comes after what is cut, however short", async () => {
      await write({ body: `${"fifteen letters\n".repeat(1200)}${"x".repeat(9000)}` });
      await move("ack", 1, "short ack");
      await move("reopen");
      expect((await read()).json().data).toMatchObject([
        { body: "fifteen letters\n".repeat(1200), acknowledgement: null, complete: false },
      ]);
    });

    test("a line too long that was said with a move takes no room from other letters", async () => {
      await write({ body: "older" });
      await write({ body: "its body" });
      await move("start", 2, "x".repeat(30_000));
      expect((await read()).json().data).toMatchObject([
        { ref: "L2", body: "its body", note: null, complete: false },
        { ref: "L1", body: "older", complete: true, marked: true },
      ]);
    });

    test("counts titles, and what is made visible", async () => {
      for (let count = 0; count < 40; count++) await write({ title: "t".repeat(KB), body: "b" });
      const { out } = await coop.run(["letter", "read"], { as: "ann" });
      const [shown, lines] = [out.match(/^L\d+ .* t{1024}$/gm)!, out.match(/^L\d+ /gm)!];
      expect({ shown: shown.length, lines: lines.length }).toEqual({ shown: 23, lines: 40 });

      for (let count = 1; count <= 40; count++) await move("ack", count);
      await write({ body: "\u200b\n".repeat(5 * KB) });
      const [hidden] = (await read()).json().data;
      expect(hidden).toMatchObject({ ref: "L41", complete: false });
      // Each line is printed as \u{200b}.
      expect(hidden.body.length / 2).toBeGreaterThan((24 * KB - 64) / 9);
      const newest = (await coop.run(["letter", "read"], { as: "ann" })).out;
      expect(newest.length).toBeLessThan(24 * KB + 100);
    });

    test("cuts what does not fit at a line, says how to see it, and leaves it unread", async () => {
      await write({ body: linesOf(30 * KB) });
      await write({ body: linesOf(30 * KB) });
      await write({ body: linesOf(10 * KB) });
      const { data, truncated } = (await read()).json();
      expect(data).toMatchObject([
        { ref: "L3", state: "read", complete: true, marked: true },
        { ref: "L2", state: "unread", complete: false, marked: false },
        { ref: "L1", state: "unread", complete: false, marked: false, body: null },
      ]);
      expect(linesOf(14 * KB)).toStartWith(data[1].body);
      expect(data[1].body.length).toBeGreaterThan(14 * KB - 64);
      expect(truncated).toBe(true);
      expect([await stateOf(1), await stateOf(2)]).toEqual(["unread", "unread"]);

      const { out } = await coop.run(["letter", "read"], { as: "ann" });
      expect(out).toContain("cut here; it stays unread. all of it: coop letter read L2\n");
      expect(out).toMatch(
        /\nL1 unread \d+s: a title \(31 kB\)\ndid not fit here, in full: coop letter read L3\n$/,
      );
      // What was read makes room for what was not.
      expect(out).toMatch(/^L3 read \d+s: a title \(11 kB\)\nL2 unread \d+s: a title\n```\n/);
    });

    test("a long one keeps no shorter one from being read, and comes no more once it was read", async () => {
      await write({ body: "the hand-off" });
      await write({ body: linesOf(30 * KB) });
      expect((await read()).json().data).toMatchObject([
        { ref: "L2", state: "unread", complete: false },
        { ref: "L1", state: "read", body: "the hand-off", complete: true, marked: true },
      ]);
      await read("L2");
      expect((await read()).json().data).toMatchObject([
        { ref: "L2", state: "read", body: null, complete: false },
        { ref: "L1", body: "the hand-off" },
      ]);
      const { out } = await coop.run(["letter", "read"], { as: "ann" });
      expect(out).toMatch(/^L2 read \d+s: a title \(31 kB\)\nL1 read /);
    });

    test("what is being worked on makes room for what is unread", async () => {
      await write({ body: linesOf(20 * KB) });
      await move("start", 1);
      await write({ body: linesOf(20 * KB) });
      const { data } = (await read()).json();
      expect(data).toMatchObject([
        { ref: "L2", state: "read", complete: true },
        { ref: "L1", state: "working", complete: false },
      ]);
      expect(data[1].body.length).toBeGreaterThan(3 * KB);
    });

    test("says what has no room of any project, where it looks in all", async () => {
      await write({ body: linesOf(24 * KB - 100), scope: "web" });
      await write({ body: linesOf(30 * KB), scope: "app" });
      await write({ body: linesOf(20 * KB), scope: "api" });
      const outside = await coop.run(["letter", "read"], { as: "ann" });
      expect(outside.out).toContain(
        "[web]: a title (25 kB)\ndid not fit here, in full: coop letter read L1\n",
      );
      const within = await coop.run(["letter", "read", "--scope", "app"], { as: "ann" });
      expect(within.out).toContain("[web]: a title\n");
      expect(within.out).toEndWith("\nof other projects, in full: coop letter read L3\n");
    });

    test("calls an untitled letter that is only a line by how it begins", async () => {
      await write({ body: "Where I stopped.\nThe printer is next.", title: "", scope: "app" });
      await write({ body: `Notes ${"x".repeat(30_000)}`, title: "", scope: "web" });
      const line = ["letter", "read", "--scope", "web"];
      const { out } = await coop.run(line, { as: "ann" });
      expect(out).toMatch(/^L2 unread \d+s: Notes x+… \(31 kB\)\n/);
      expect(out).toMatch(/\nL1 unread \d+s \[app\]: Where I stopped\.…\n/);
      expect((await read("--scope", "web")).json().data[1]).toMatchObject({
        begins: "Where I stopped.\nThe printer is next.",
        body: null,
      });
      // What is kept must hold no text where an older coop's redaction would not look.
      expect((await read("--scope", "web", "--key", "k")).json().data[1]).not.toHaveProperty(
        "begins",
      );
    });

    test("of refs alone is repeated by its key too, and marks nothing", async () => {
      await write();
      const words = ["letter", "read", "--key", "k"];
      const refs = () => coop.run([...words, "--quiet"], { as: "ann" });
      expect((await refs()).out).toBe("L1\n");
      await write();
      expect((await refs()).out).toBe("L1\n");
      expect([await stateOf(1), await stateOf(2)]).toEqual(["unread", "unread"]);
      expect((await coop.run([...words, "L9"], { as: "ann" })).exit).toBe(4);
    });

    test("cuts between lines although a character or a line crosses the border", async () => {
      const korean = "가나다라마\n".repeat(KB * 2);
      await write({ body: korean });
      const [{ body }] = (await read()).json().data;
      expect(Buffer.byteLength(body)).toBeGreaterThan(24 * KB - 64);
      expect(Buffer.byteLength(body)).toBeLessThanOrEqual(24 * KB);
      expect(korean).toStartWith(body);
      expect(body).toEndWith("\n");

      await write({ body: "x".repeat(25 * KB) });
      expect((await read()).json().data[0]).toMatchObject({
        ref: "L2",
        body: null,
        complete: false,
      });
      expect(await stateOf(2)).toBe("unread");
    });

    test("a letter whose first line is too long takes no room from the others, and says how long it is", async () => {
      await write({ body: linesOf(10 * KB) });
      await write({ body: "y".repeat(20 * KB), scope: "" });
      await write({ body: "가".repeat(10_000) });
      await write({ body: linesOf(10 * KB) });
      await write({ body: `${"x".repeat(30_000)}\nmore` });
      const { data, truncated } = (await read()).json();
      expect(data).toMatchObject([
        { ref: "L5", state: "unread", complete: false, marked: false, body: null, bytes: 30_005 },
        { ref: "L4", state: "read", complete: true, marked: true, bytes: 10 * KB },
        { ref: "L3", state: "unread", complete: false, marked: false, body: null, bytes: 30_000 },
        { ref: "L2", state: "unread", complete: false, marked: false, body: null, bytes: 20 * KB },
        { ref: "L1", state: "read", complete: true, marked: true },
      ]);
      expect(truncated).toBe(true);
      const { out } = await coop.run(["letter", "read"], { as: "ann" });
      for (const line of [/^L5 .*\(31 kB\)$/m, /^L4 .*\(11 kB\)$/m, /^L3 .*\(30 kB\)$/m])
        expect(out).toMatch(line);
      // By now it is the newest of those not read that fits.
      expect(out).toMatch(/^L2 read \d+s: a title\n```\ny{20480}\n/m);
      expect(out).toEndWith("\ndid not fit here, in full: coop letter read L5\n");
      const [whole] = (await read("L5")).json().data;
      expect(whole).toMatchObject({ complete: true, marked: true, bytes: 30_005 });
    });

    test("a letter that is asked for is shown in full whatever its length, and marked", async () => {
      const body = linesOf(100 * KB);
      await write({ body });
      expect((await read("L1")).json().data).toMatchObject([
        { body, complete: true, marked: true, state: "read" },
      ]);
    });

    test("marks no letter that is addressed to another", async () => {
      await write({ to: "ben" });
      expect((await read("L1")).json().data).toMatchObject([
        { body: "a body", complete: true, marked: false, state: "unread" },
      ]);
      expect((await read()).json().data).toEqual([]);
      expect(await eventsOf(store)).toHaveLength(1);
    });

    test("shows the letters of this scope and of none in full, and of others a line each, unmarked", async () => {
      await write({ scope: "web", body: "here" });
      await write({ scope: "", body: "nowhere" });
      await write({ scope: "app", body: "elsewhere", title: "one" });
      await write({ scope: "api", body: "elsewhere", title: "other" });
      expect((await read("--scope", "web")).json().data).toMatchObject([
        { ref: "L2", body: "nowhere", marked: true },
        { ref: "L1", body: "here", marked: true },
        { ref: "L4", body: null, complete: false, marked: false, state: "unread", scope: "api" },
        { ref: "L3", body: null, complete: false, marked: false, state: "unread", scope: "app" },
      ]);
      expect(await stateOf(3)).toBe("unread");
      const { out } = await coop.run(["letter", "read", "--scope", "web"], { as: "ann" });
      expect(out).toMatch(
        /\nL4 unread \d+s \[api\]: other\nL3 unread \d+s \[app\]: one\nof other projects, in full: coop letter read L4\n$/,
      );
    });

    test("shows those of all scopes in full where there is no scope", async () => {
      await write({ scope: "web", body: "one" });
      await write({ scope: "app", body: "two" });
      expect((await read()).json().data).toMatchObject([
        { body: "two", marked: true },
        { body: "one", marked: true },
      ]);
    });

    test("says how many more there are than it shows", async () => {
      const body = "short";
      await writingAs(store, "ann", async (writing) => {
        for (let count = 0; count < 205; count++)
          await writeLetter(writing, { scope: "", to: "ann", title: "", body, supersedes: [] });
      });
      const { data, total, truncated } = (await read()).json();
      expect({ shown: data.length, total, truncated }).toEqual({
        shown: 200,
        total: 205,
        truncated: true,
      });
      const more =
        "5 more: coop letter list --mine --status unread,read,working --all-scopes --limit 0";
      const { out } = await coop.run(["letter", "read"], { as: "ann" });
      expect(out).toEndWith(`\n${more}\n`);
      const quiet = await coop.run(["letter", "read", "--quiet"], { as: "ann" });
      expect(quiet.out.trimEnd().split("\n")).toHaveLength(200);
      expect(quiet.err).toBe(`coop: ${more}\n`);
      expect(await stateOf(5)).toBe("unread");
      expect(await stateOf(6)).toBe("read");
    });

    test("listing and showing mark nothing", async () => {
      await write();
      await coop.data(["letter", "list", "--mine"], { as: "ann" });
      await coop.data(["letter", "show", "L1"], { as: "ann" });
      expect(await stateOf(1)).toBe("unread");
      expect(await eventsOf(store)).toHaveLength(1);
    });
  });
});
