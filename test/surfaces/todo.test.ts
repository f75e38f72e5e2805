import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { COUNT_STOP } from "../../src/store/listing";
import type { Store } from "../../src/store/open";
import { sql } from "../../src/store/sql";
import {
  addTodo,
  assignTodo,
  editTodo,
  findTodo,
  listTodos,
  moveTodo,
  readyTodos,
  STATES,
  UNFINISHED,
  type Draft,
  type Edit,
} from "../../src/surfaces/todo/store";
import { engines, eventsOf, failure, rowOf, writingAs } from "../engines";
import { insideFresh, type Inside } from "../inside";

type State = (typeof STATES)[number];

const MOVES = {
  start: { from: ["open", "blocked"], to: "doing" },
  stop: { from: ["doing", "blocked"], to: "open" },
  block: { from: ["open", "doing"], to: "blocked" },
  done: { from: ["open", "doing", "blocked"], to: "done" },
  drop: { from: ["open", "doing", "blocked"], to: "dropped" },
  reopen: { from: ["done", "dropped"], to: "open" },
} as const satisfies Record<string, { from: readonly State[]; to: State }>;
type Verb = keyof typeof MOVES;
const VERBS = Object.keys(MOVES) as Verb[];

describe.each(engines)("todos on $name", ({ openFresh }) => {
  let store: Store;
  let coop: Inside;
  let close: () => Promise<void>;
  let warnings: string[];
  beforeEach(async () => {
    ({ store, coop, close } = await insideFresh(openFresh));
    warnings = [];
  });
  afterEach(() => close());

  const warn = (code: string, message: string) => void warnings.push(`${code}: ${message}`);
  const add = (draft: Partial<Draft> = {}, by = "ann") =>
    writingAs(store, by, (writing) =>
      addTodo(writing, {
        scope: "",
        to: null,
        priority: 2,
        title: "a title",
        body: "a body",
        after: [],
        ...draft,
      }),
    );
  const move = (verb: Verb, number = 1, said?: string, ifVersion?: number, by = "ben") =>
    writingAs(store, by, (writing) => moveTodo(writing, verb, { number, ifVersion }, said), {
      warn,
    });
  const assign = (to: string | null, ifVersion?: number) =>
    writingAs(store, "dad", (writing) => assignTodo(writing, { number: 1, ifVersion }, to));
  const edit = (number: number, changes: Edit, ifVersion?: number) =>
    writingAs(store, "dad", (writing) => editTodo(writing, { number, ifVersion }, changes), {
      warn,
    });
  const everything = async () => ({
    todos: await store.all(sql`select * from todos order by number`),
    links: await store.all(sql`select * from todo_after order by todo, after`),
    events: await eventsOf(store),
  });
  const lastEvent = async () => (await eventsOf(store)).at(-1)!;
  const first = (limit: number, filter = {}) => ({ filter, slice: { limit }, hidesFinished: true });
  const ready = async (filter = {}, limit = 0) =>
    (await readyTodos(store, first(limit, filter))).todos.map(({ ref }) => ref);

  /** Makes todo 1 as many as that. */
  const multiply = (many: number) =>
    store.transaction((tx) =>
      tx.all(sql`with recursive n (n) as (select 2 union all select n + 1 from n where n < ${many})
        insert into todos (number, scope, version, created_at, updated_at, author, state, addressee, priority, title, body, note)
        select n, scope, version, created_at, updated_at, author, state, addressee, priority, title, body, note
        from todos, n where number = 1`),
    );

  /** Adds todo 1, nobody's, and brings it into a state. */
  async function todoIn(state: State): Promise<void> {
    await add();
    if (state === "doing") await move("start");
    if (state === "blocked") await move("block");
    if (state === "done") await move("done");
    if (state === "dropped") await move("drop");
    expect(await rowOf(store, "todos", 1)).toMatchObject({ state });
  }

  test("a new todo is open, and nobody's unless it is given to somebody", async () => {
    const added = await add({ scope: "quest" });
    expect(added).toMatchObject({
      ref: "T1",
      scope: "quest",
      version: 1,
      author: "ann",
      state: "open",
      to: null,
      priority: 2,
      title: "a title",
      body: "a body",
      note: null,
      after: [],
      waits_on: [],
    });
    expect(await findTodo(store, 1)).toEqual({ ...added, before: [] });
    expect(await add({ to: "ben" })).toMatchObject({ ref: "T2", to: "ben" });
    expect(await eventsOf(store)).toMatchObject([
      { verb: "add", number: 1, version: 1, state: "open", before: null },
      { verb: "add", number: 2, version: 1, state: "open", before: null },
    ]);
  });

  for (const verb of VERBS) {
    const { from, to } = MOVES[verb];
    for (const state of STATES) {
      if ((from as readonly State[]).includes(state)) {
        test(`${verb} takes a todo from ${state} to ${to}, with one event and the note`, async () => {
          await todoIn(state);
          const before = await rowOf(store, "todos", 1);
          const events = await eventsOf(store);
          const moved = await move(verb, 1, "because");

          expect(moved).toMatchObject({
            state: to,
            note: "because",
            version: Number(before!["version"]) + 1,
          });
          const { frees: _, ...shown } = moved;
          expect(await findTodo(store, 1)).toEqual({ ...shown, before: [] });
          const all = await eventsOf(store);
          expect(all.slice(0, -1)).toEqual(events);
          expect(all.at(-1)).toMatchObject({
            author: "ben",
            verb,
            version: moved.version,
            state: to,
            before: { state, note: null },
          });
          expect(all.at(-1)!.after).not.toHaveProperty("note");
          expect(all.at(-1)!.after).toMatchObject({ state: to });
        });
      } else {
        test(`${verb} of a todo that is ${state} is a conflict and changes nothing`, async () => {
          await todoIn(state);
          const before = await everything();
          const error = await failure(move(verb, 1, "not to be kept"));

          expect(error).toMatchObject({
            code: "conflict",
            details: { reason: "state", ref: "T1", current: { state } },
          });
          expect(await everything()).toEqual(before);
        });
      }
    }
  }

  test("the loser of a start learns since when, by whom and where", async () => {
    await todoIn("doing");
    const error = await failure(move("start", 1, undefined, undefined, "cyd"));
    expect(error.message).toMatch(/^T1 is doing: by ben on host in \/work, \d+s ago$/);
    expect(error.details.current).toMatchObject({ state: "doing", by: "ben", version: 2 });
  });

  test("starting what is nobody's takes it, and stopping leaves it there", async () => {
    await add();
    expect(await move("start")).toMatchObject({ to: "ben" });
    expect((await lastEvent()).before).toEqual({ state: "open", addressee: null });
    expect(await move("stop")).toMatchObject({ state: "open", to: "ben" });
    expect(await move("start")).toMatchObject({ to: "ben" });
  });

  test.each(["open", "blocked"] as const)(
    "starting another's that is %s is a conflict that names whose it is, and changes nothing",
    async (state) => {
      await add({ to: "ann" });
      if (state === "blocked") await move("block");
      const before = await everything();
      const error = await failure(move("start"));

      expect(error).toMatchObject({
        code: "conflict",
        details: {
          reason: "claimed",
          ref: "T1",
          hint: "coop todo assign T1 --to me, if you mean to take it over",
        },
      });
      expect(error.message).toStartWith(`T1 is ann's and ${state}`);
      expect(await everything()).toEqual(before);
    },
  );

  test("whose a todo is was said by who assigned it last", async () => {
    await add({ to: "ann" });
    await assign("cyd");
    await writingAs(store, "eve", (writing) => editTodo(writing, { number: 1 }, { title: "new" }));
    expect((await failure(move("start"))).message).toStartWith("T1 is cyd's and open: by dad ");
  });

  test("a version that is gone is by who changed it last, whatever they changed", async () => {
    await add();
    await writingAs(store, "eve", (writing) =>
      editTodo(writing, { number: 1 }, { title: "another" }),
    );
    const error = await failure(move("done", 1, undefined, 1));
    expect(error.message).toStartWith("T1 is at version 2, not 1: by eve on host in ");
    expect(error.details.current).toMatchObject({ by: "eve", version: 2 });
  });

  test("what was never changed is as who made it said", async () => {
    await add({ to: "ann" });
    const error = await failure(move("start"));
    expect(error.message).toMatch(/: by ann on host in \//);
  });

  test("to start leaves what was said when it was opened again", async () => {
    await todoIn("done");
    await move("reopen", 1, "the fix did not hold");
    expect(await move("start")).toMatchObject({ note: "the fix did not hold" });
  });

  test("the last move's note is the todo's, and the log has those before", async () => {
    await add();
    await move("block", 1, "needs a password");
    expect(await move("done")).toMatchObject({ note: null });
    expect((await lastEvent()).before).toMatchObject({ note: "needs a password" });
  });

  test.each(UNFINISHED)("one that is %s can be given to another, and stays so", async (state) => {
    await todoIn(state);
    const { version, to } = await findTodo(store, 1);
    expect(await assign("cyd")).toMatchObject({ state, to: "cyd", version: version + 1 });
    expect(await lastEvent()).toMatchObject({
      author: "dad",
      verb: "assign",
      state: null,
      before: { addressee: to },
      after: { addressee: "cyd" },
    });
    expect(await assign(null)).toMatchObject({ state, to: null });
  });

  test("who is given one that another began is told that it is theirs to go on with", async () => {
    await todoIn("doing");
    await assign("cyd");
    expect(await failure(move("start", 1, undefined, undefined, "cyd"))).toMatchObject({
      code: "conflict",
      details: { reason: "state", hint: "it is yours: go on, or coop todo stop T1" },
    });
    expect(await failure(move("start", 1, undefined, undefined, "dan"))).toMatchObject({
      details: { reason: "state", hint: "coop show T1" },
    });
  });

  test.each(["done", "dropped"] as const)(
    "giving one that is %s to another is a conflict and changes nothing",
    async (state) => {
      await todoIn(state);
      const before = await everything();
      expect(await failure(assign("cyd"))).toMatchObject({
        code: "conflict",
        details: { reason: "state", hint: "to open it again: coop todo reopen T1" },
      });
      expect(await everything()).toEqual(before);
    },
  );

  test.each(STATES)(
    "one that is %s can be edited, and the event has the values before",
    async (state) => {
      await todoIn(state);
      const { before: _, ...was } = await findTodo(store, 1);
      const edited = await edit(1, { title: "new", body: "new body", priority: 0 });

      expect(edited).toEqual({
        ...was,
        title: "new",
        body: "new body",
        priority: 0,
        version: was.version + 1,
        updated_at: edited.updated_at,
      });
      expect(await lastEvent()).toMatchObject({
        verb: "edit",
        state: null,
        before: { title: "a title", body: "a body", priority: 2 },
        after: { title: "new", priority: 0 },
      });
    },
  );

  test("an edit leaves what it does not name", async () => {
    await add({ priority: 0 });
    await edit(1, { body: "" });
    expect(await findTodo(store, 1)).toMatchObject({ title: "a title", body: "", priority: 0 });
    expect((await lastEvent()).before).toEqual({ body: "a body" });
  });

  test("every change is held to the version that its user saw", async () => {
    await add();
    await add();
    const before = await everything();
    for (const changing of [
      () => move("start", 1, "a word", 7),
      () => assign("cyd", 7),
      () => edit(1, { title: "new", after: [2] }, 7),
    ]) {
      expect(await failure(changing())).toMatchObject({
        code: "conflict",
        details: { reason: "version", ref: "T1" },
      });
    }
    expect(await everything()).toEqual(before);
    expect(await move("start", 1, undefined, 1)).toMatchObject({ version: 2 });
  });

  test("what is not there is not found", async () => {
    for (const looking of [
      () => move("start"),
      () => assign("cyd"),
      () => edit(1, { title: "new" }),
      () => findTodo(store, 1),
    ]) {
      expect(await failure(looking())).toMatchObject({ code: "not_found", details: { ref: "T1" } });
    }
    expect(await eventsOf(store)).toEqual([]);
  });

  describe("what comes after what", () => {
    beforeEach(async () => {
      for (let number = 1; number <= 3; number++) await add();
    });

    test("a todo names all that it comes after, and waits on those that are unfinished", async () => {
      await move("done", 1);
      const added = await add({ after: [3, 1, 3] });
      expect(added).toMatchObject({ after: ["T1", "T3"], waits_on: ["T3"] });
      expect(await findTodo(store, 4)).toEqual({ ...added, before: [] });
      await move("drop", 3);
      expect(await findTodo(store, 4)).toMatchObject({ after: ["T1", "T3"], waits_on: [] });
      await move("reopen", 1);
      expect(await findTodo(store, 4)).toMatchObject({ waits_on: ["T1"] });
    });

    test("what is finished itself waits on nothing", async () => {
      await edit(2, { after: [1] });
      expect(await move("done", 2)).toMatchObject({ after: ["T1"], waits_on: [] });
    });

    test("nothing comes after what is not there", async () => {
      const before = await everything();
      for (const changing of [
        () => add({ after: [1, 9] }),
        () => edit(1, { title: "new", after: [2, 9] }),
        () => edit(1, { title: "new", notAfter: [9] }),
      ]) {
        expect(await failure(changing())).toMatchObject({
          code: "not_found",
          details: { ref: "T9" },
        });
      }
      expect(await everything()).toEqual(before);
      expect(await add()).toMatchObject({ ref: "T4" });
    });

    test("an edit adds and removes, as one version and one event with what was before", async () => {
      await edit(3, { after: [1] });
      expect(await lastEvent()).toMatchObject({
        version: 2,
        before: { after: null },
        after: { after: "T1" },
      });
      expect(await edit(3, { after: [2], priority: 1 })).toMatchObject({
        version: 3,
        after: ["T1", "T2"],
      });
      expect(await lastEvent()).toMatchObject({
        before: { priority: 2, after: "T1" },
        after: { priority: 1, after: "T1,T2" },
      });
      await add();
      expect(await edit(3, { after: [4], notAfter: [1] })).toMatchObject({ after: ["T2", "T4"] });
      expect((await lastEvent()).before).toEqual({ after: "T1,T2" });
      expect(await edit(3, { notAfter: [2, 4] })).toMatchObject({ after: [], version: 5 });
      expect(await eventsOf(store, "todo", 3)).toHaveLength(5);
    });

    test("what already comes after stays so, and the event does not name it", async () => {
      await edit(3, { after: [1] });
      expect(await edit(3, { title: "new", after: [1] })).toMatchObject({ after: ["T1"] });
      expect((await lastEvent()).before).toEqual({ title: "a title" });
      expect(warnings).toEqual([]);
    });

    test("taking away what was not there is told", async () => {
      await edit(3, { notAfter: [1] });
      expect(warnings).toEqual(["not_after: T3 did not come after T1"]);
    });

    test("finishing names what waits on nothing from then on, and showing what comes after", async () => {
      await edit(2, { after: [1] });
      await edit(3, { after: [1, 2] });
      expect(await findTodo(store, 1)).toMatchObject({ before: ["T2", "T3"] });
      expect((await coop.run(["todo", "show", "T1"])).out).toContain("from ann before T2, T3\n");
      await move("block", 2);
      expect(await move("done", 1)).toMatchObject({ frees: ["T2"] });
      expect(await findTodo(store, 1)).toMatchObject({ before: ["T2", "T3"] });
      const { out } = await coop.run(["todo", "drop", "T2"], { as: "ann" });
      expect(out).toBe("T2 dropped p2: a title\nwaits on nothing now: T3\n");
      expect(await move("done", 3)).toMatchObject({ frees: [] });
    });

    test("starting what waits succeeds, and names what it waits on", async () => {
      await edit(3, { after: [1, 2] });
      await move("done", 2);
      expect(await move("start", 3)).toMatchObject({ state: "doing", waits_on: ["T1"] });
      expect(warnings).toEqual(["waits: T3 waits on T1, still unfinished: started all the same"]);
    });

    test("what waits on many names the first of them", async () => {
      const others = Array.from({ length: 12 }, (_, n) => `T${n + 4}`);
      for (const other of others) await add({ title: other });
      await coop.data(["todo", "edit", "T3", "--after", others.join()], { as: "ann" });
      const { out, err } = await coop.run(["todo", "start", "T3"], { as: "ann" });
      const named = `T3 waits on ${others.slice(0, 10).join(", ")}, and 2 more (coop show T3)`;
      expect(out).toContain(`\n${named}\n`);
      expect(err).toContain(`${named}, still unfinished`);
      expect((await coop.data(["todo", "show", "T3"])).waits_on).toEqual(others);
      expect((await coop.run(["todo", "show", "T3"])).out).toContain(
        `waits on ${others.join(", ")}: `,
      );
    });

    test.each([
      { links: [], todo: 1, after: [1], says: "T1 → T1" },
      { links: [[2, 1]], todo: 1, after: [2], says: "T1 → T2 → T1" },
      {
        links: [
          [2, 1],
          [3, 2],
        ],
        todo: 1,
        after: [3],
        says: "T1 → T3 → T2 → T1",
      },
      {
        links: [
          [2, 1],
          [3, 2],
          [3, 1],
        ],
        todo: 1,
        after: [3],
        says: "T1 → T3 → T1",
      },
      { links: [[3, 1]], todo: 1, after: [2, 3], says: "T1 → T3 → T1" },
    ])("a cycle is a conflict that spells it and changes nothing: $says", async (cycle) => {
      for (const [todo, after] of cycle.links) await edit(todo!, { after: [after!] });
      const before = await everything();
      const { todo, after, says } = cycle;
      const error = await failure(edit(todo, { title: "new", after, notAfter: [] }));

      expect(error).toMatchObject({
        code: "conflict",
        message: `T${todo} would wait on itself: ${says}`,
        details: { reason: "cycle", ref: `T${todo}` },
      });
      expect(await everything()).toEqual(before);
    });

    test("a cycle says what undoes its last link, but where a todo would come after itself there is none", async () => {
      await edit(2, { after: [1] });
      await edit(3, { after: [2] });
      const hint = async (after: number) =>
        (await failure(edit(1, { after: [after] }))).details.hint;
      expect(await hint(3)).toBe("coop todo edit T2 --not-after T1 undoes the last link");
      expect(await hint(2)).toBe("coop todo edit T2 --not-after T1 undoes the last link");
      expect(await hint(1)).toBeUndefined();
    });

    test("of the way round a cycle the middle is left out where that is more than one", async () => {
      for (let number = 4; number <= 17; number++) await add();
      for (let number = 2; number <= 17; number++) await edit(number, { after: [number - 1] });
      const way = async (last: number) => (await failure(edit(1, { after: [last] }))).message;
      expect(await way(16)).toEndWith(" T10 → T9 → T8 → T7 → T6 → T5 → T4 → T3 → T2 → T1");
      expect(await way(17)).toEndWith(" T11 → (2 more) → T8 → T7 → T6 → T5 → T4 → T3 → T2 → T1");
    });

    test("finished todos make cycles too, since they can be reopened", async () => {
      await edit(2, { after: [1] });
      await move("done", 2);
      await move("drop", 1);
      expect((await failure(edit(1, { after: [2] }))).details.reason).toBe("cycle");
    });

    test("two ways to the same todo are no cycle", async () => {
      await add();
      await edit(2, { after: [1] });
      await edit(3, { after: [1] });
      expect(await edit(4, { after: [2, 3, 1] })).toMatchObject({ after: ["T1", "T2", "T3"] });
    });

    test("a cycle that the same edit undoes is none", async () => {
      await edit(1, { after: [2] });
      await add({ after: [1] });
      expect((await failure(edit(2, { after: [4] }))).message).toEndWith("T2 → T4 → T1 → T2");
      await edit(1, { after: [3], notAfter: [2] });
      expect(await edit(2, { after: [4] })).toMatchObject({ after: ["T4"] });
    });

    test("a cycle among many ways is found as fast as one among few", async () => {
      // 40 layers of three todos, each after all of the layer before: 3^40 ways.
      for (let layer = 1; layer < 40; layer++) {
        const before = [0, 1, 2].map((each) => 3 * layer - each);
        for (let each = 0; each < 3; each++) await add({ after: before });
      }
      const { message } = await failure(edit(1, { after: [120] }));
      expect(message).toMatch(/^T1 would wait on itself: T1 → T120 → .* → \(25 more\) → .* → T1$/);
      expect(await edit(120, { after: [1] })).toMatchObject({ version: 2 });
    });

    test("a list gives each todo's own", async () => {
      await edit(3, { after: [1, 2] });
      await edit(2, { after: [1] });
      const query = { filter: {}, slice: { limit: 0 }, hidesFinished: false };
      const { rows } = await listTodos(store, query);
      expect(rows.map(({ ref, after }) => [ref, ...after])).toEqual([
        ["T3", "T1", "T2"],
        ["T2", "T1"],
        ["T1"],
      ]);
    });
  });

  describe("what is ready", () => {
    test("the most urgent come first, then the oldest", async () => {
      for (const priority of [2, 0, 4, 0, 2]) await add({ priority });
      expect(await ready()).toEqual(["T2", "T4", "T1", "T5", "T3"]);
      expect(await ready({}, 2)).toEqual(["T2", "T4"]);
      expect((await readyTodos(store, first(2))).total).toEqual({ count: 5, exact: true });
    });

    test("more of them than are counted are cut only where that is said", async () => {
      const many = COUNT_STOP + 5;
      await add();
      await multiply(many);
      const { todos, total, truncated } = await readyTodos(store, first(COUNT_STOP + 2));
      expect(todos).toHaveLength(COUNT_STOP + 2);
      expect({ total, truncated }).toEqual({
        total: { count: COUNT_STOP, exact: false },
        truncated: true,
      });
      const all = await readyTodos(store, first(many));
      expect(all.todos).toHaveLength(many);
      expect(all).toMatchObject({ total: { count: many, exact: true }, truncated: false });
    });

    test.each(STATES)("one that is %s is ready only if open", async (state) => {
      await todoIn(state);
      expect(await ready()).toEqual(state === "open" ? ["T1"] : []);
    });

    test.each(STATES)(
      "what comes after one that is %s is ready only if that is finished",
      async (state) => {
        await todoIn(state);
        await add({ after: [1] });
        expect((await ready()).includes("T2")).toBe(state === "done" || state === "dropped");
      },
    );

    test("all that it comes after must be finished, also in another scope", async () => {
      await add();
      await add({ scope: "other" });
      await add({ scope: "quest", after: [1, 2] });
      await move("done", 1);
      expect(await ready({ scope: "quest" })).toEqual([]);
      await move("drop", 2);
      expect(await ready({ scope: "quest" })).toEqual(["T3"]);
    });

    test("they are those of anyone, of nobody, or of some", async () => {
      await add();
      await add({ to: "ben" });
      await add({ to: "cyd" });
      expect(await ready()).toEqual(["T1", "T2", "T3"]);
      expect(await ready({ addressees: ["ben"] })).toEqual(["T2"]);
      expect(await ready({ addressees: ["ben", "cyd"] })).toEqual(["T2", "T3"]);
    });
  });

  describe("on the command line", () => {
    const say = (as: string, ...words: string[]) => coop.run(["todo", ...words], { as });
    const refs = async (as: string, ...words: string[]) =>
      (await coop.data(["todo", ...words], { as })).map((one: { ref: string }) => one.ref);

    test("an addition says what it waits on", async () => {
      expect((await say("ann", "add", "Fix lexer")).out).toBe("T1 open p2: Fix lexer\n");
      const second = [
        "new",
        "Fix parser",
        "--assign",
        "me",
        "--priority",
        "0",
        "--depends-on",
        "t1",
      ];
      expect((await say("ann", ...second)).out).toBe(
        "T2 open p0 @ann: Fix parser\nT2 waits on T1\n",
      );
      await say(
        "ann",
        "add",
        "--title",
        "Release",
        "--to",
        "ann",
        "--after",
        "T1,T2",
        "--body",
        "x",
      );
      expect(await findTodo(store, 3)).toMatchObject({ to: "ann", after: ["T1", "T2"], body: "x" });
    });

    test("what cannot be is a usage error", async () => {
      await add();
      for (const words of [
        ["add"],
        ["add", "title", "--priority", "5"],
        ["add", "title", "--to", "ben,cyd"],
        ["add", "title", "--after", "L1"],
        ["edit", "T1"],
        ["edit", "T1", "--after", "T2", "--not-after", "t2"],
        ["assign", "T1"],
        ["start", "R1"],
      ])
        expect(await say("ann", ...words)).toMatchObject({ exit: 2, out: "" });
      expect(await say("ann", "assign", "T1", "--to", "ben", "--nobody")).toMatchObject({
        exit: 2,
        err: "coop: --to and --nobody exclude each other; give one of them\n",
      });
      expect(await eventsOf(store)).toHaveLength(1);
    });

    test("the near synonyms move it", async () => {
      await add();
      for (const [word, state] of [
        ["take", "doing"],
        ["release", "open"],
        ["block", "blocked"],
        ["close", "done"],
        ["reopen", "open"],
        ["cancel", "dropped"],
      ] as const)
        expect((await say("ben", word, "1")).out).toBe(
          `T1 ${state} p2 @ben: a title\n${state === "doing" ? "```\na body\n```\n" : ""}`,
        );
    });

    test("an addition with a key is made once", async () => {
      const words = ["add", "title", "--key", "k", "--json"];
      await say("ann", ...words);
      expect((await say("ann", ...words)).json()).toMatchObject({
        replayed: true,
        data: { ref: "T1" },
      });
      expect(await say("ann", "add", "other", "--key", "k")).toMatchObject({ exit: 4 });
      expect(await eventsOf(store)).toHaveLength(1);
    });

    test("an editor begins with the present text", async () => {
      await add();
      await coop.run(["todo", "edit", "T1", "--edit"], {
        as: "ann",
        edit: (initial) => `${initial}, longer`,
      });
      expect(await findTodo(store, 1)).toMatchObject({ body: "a body, longer", version: 2 });
    });

    test("what is on somebody in other projects is counted, where no project is named", async () => {
      const here = { env: { PIPPA_COOP_SCOPE: "quest" } };
      const lines = [
        "add here --to ben",
        "add there --to ben",
        "add nowhere --to ben",
        "add done --to ben",
      ];
      const scopes = ["quest", "other", "", "other"];
      for (const [index, line] of lines.entries())
        await coop.data(["todo", ...line.split(" ")], {
          as: "ann",
          env: { PIPPA_COOP_SCOPE: scopes[index]! },
        });
      await coop.data(["todo", "done", "T4"], { as: "ben" });
      for (const verb of ["list", "ready"]) {
        const asked = async (...words: string[]) =>
          (await coop.run(["--json", "todo", verb, ...words], { as: "ben", ...here })).json();
        const text = await coop.run(["todo", verb, "--mine"], { as: "ben", ...here });
        expect(text.out).toMatch(/^T1 open .*\n2 in other projects: --all-scopes\n$/);
        const refsAlone = await coop.run(["todo", verb, "--mine", "--quiet"], {
          as: "ben",
          ...here,
        });
        expect(refsAlone).toMatchObject({
          out: "T1\n",
          err: "coop: 2 in other projects: --all-scopes\n",
        });
        expect((await asked("--mine")).elsewhere).toBe(2);
        expect((await asked("--to", "ann")).elsewhere).toBe(0);
        if (verb === "list")
          expect(await asked("--mine", "--since", "2999-01-01")).toMatchObject({
            total: 0,
            elsewhere: 0,
          });
        if (verb === "list")
          expect(await asked("--mine", "--before", "T1")).not.toHaveProperty("elsewhere");
        expect(await asked()).not.toHaveProperty("elsewhere");
        expect(await asked("--mine", "--scope", "quest")).not.toHaveProperty("elsewhere");
        expect(await asked("--mine", "--all-scopes")).not.toHaveProperty("elsewhere");
      }
      const all = await coop.run(["todo", "list", "--mine", "--status", "all"], {
        as: "ben",
        ...here,
      });
      expect(all.out).toEndWith("3 in other projects: --all-scopes\n");
      await coop.data(["letter", "write", "--body", "x", "--to", "ben", "--scope", "other"], {
        as: "ann",
      });
      const letters = await coop.run(["letter", "list", "--mine"], { as: "ben", ...here });
      expect(letters.out).toBe("no such letters in quest\n1 in other projects: --all-scopes\n");
    });

    test("more in other projects than are looked at are told as at least so many", async () => {
      await add({ to: "ben", scope: "other" });
      await multiply(COUNT_STOP + 5);
      const options = { as: "ben", env: { PIPPA_COOP_SCOPE: "quest" } };
      for (const verb of ["list", "ready"]) {
        const { elsewhere, elsewhere_exact: exact } = (
          await coop.run(["--json", "todo", verb, "--mine"], options)
        ).json();
        expect({ verb, elsewhere, exact }).toEqual({ verb, elsewhere: COUNT_STOP, exact: false });
      }
    });

    test("a list is narrowed by whose, by whom, priority and state, and hides the finished", async () => {
      await add({ to: "ben", priority: 1 });
      await add({}, "cyd");
      await add();
      await move("done", 3);
      expect(await refs("ben", "list")).toEqual(["T2", "T1"]);
      expect(await refs("ben", "list", "--mine")).toEqual(["T1"]);
      expect(await refs("ann", "list", "--to", "ben")).toEqual(["T1"]);
      expect(await refs("ben", "list", "--from", "cyd")).toEqual(["T2"]);
      expect(await refs("ben", "list", "--priority", "0,1")).toEqual(["T1"]);
      expect(await refs("ben", "list", "--status", "done,open")).toEqual(["T3", "T2", "T1"]);
      expect((await say("ben", "list")).out).toEndWith("\n1 finished: --status all\n");
      expect(await refs("ben", "list", "--status", "finished")).toEqual(
        await refs("ben", "list", "--status", "done,dropped"),
      );
      expect(await refs("ben", "list", "--status", "finished,done")).toEqual(
        await refs("ben", "list", "--status", "done,dropped"),
      );
      expect(await refs("ben", "list", "--status", "unfinished")).toEqual(
        await refs("ben", "list"),
      );
      expect(await refs("ben", "list", "--status", "unfinished,finished")).toEqual(
        await refs("ben", "list", "--status", "all"),
      );
    });

    test("ending or blocking what another is doing is warned of, with the way back", async () => {
      for (const as of ["ann", "ben"])
        await coop.data(["request", "open", "x", "--to", as, "--body", "x"], { as });
      const doing = async (verb: string) => {
        const { ref } = await add();
        await say("ben", "start", ref);
        return [ref, (await say("ann", verb, ref)).err] as const;
      };
      for (const [verb, back] of [
        ["done", "coop todo reopen REF, and "],
        ["drop", "coop todo reopen REF, and "],
        ["block", ""],
        ["stop", ""],
      ] as const) {
        const [ref, err] = await doing(verb);
        expect(err).toBe(
          `coop: warning: ${ref} is ben's and was doing; if another was meant: ${back.replace("REF", ref)}ben can start it again\n`,
        );
      }
      const { ref: nobodys } = await add();
      await say("ben", "start", nobodys);
      await say("ann", "assign", nobodys, "--nobody");
      expect((await say("ann", "done", nobodys)).err).toBe("");
      const { ref } = await add({ to: "ben" });
      expect((await say("ann", "done", ref)).err).toBe("");
      await say("ann", "reopen", ref);
      await say("ben", "start", ref);
      expect((await say("ben", "done", ref)).err).toBe("");
    });

    test("a line of what is blocked says why, and an answer whose project it is", async () => {
      await add({ scope: "quest", title: "Rotate the key", body: "" });
      await say("ann", "block", "T1", "--reason", "needs dad\nto say when");
      const { out } = await say("ann", "list");
      expect(out).toMatch(/: Rotate the key \(needs dad…\)\n$/);
      expect((await say("ann", "stop", "T1")).out).toBe("T1 open p2 [quest]: Rotate the key\n");
      expect((await say("ann", "stop", "T1", "--scope", "quest")).exit).toBe(4);
    });

    test("a line says whose it is and what it waits on", async () => {
      await add({ to: "ben", priority: 1, title: "Fix lexer" });
      await add({ after: [1], title: "Fix\nparser" });
      const { out } = await say("ann", "list");
      expect(out.replace(/\d+s/g, "1s")).toBe(
        "T2 open p2 1s waits on T1: Fix…\nT1 open p1 1s @ben: Fix lexer…\n",
      );
      await add({ title: "Fix it", body: "" });
      expect((await say("ann", "list", "--limit", "1")).out).toContain(": Fix it\n");
    });

    test("ready is of this scope or all, of all or mine, and says how many more there are", async () => {
      await add({ scope: "quest" });
      await add({ scope: "quest", to: "ben" });
      await add({ scope: "other", to: "ben" });
      const here = { as: "ben", env: { PIPPA_COOP_SCOPE: "quest" } };
      const run = async (...words: string[]) =>
        (await coop.run(["todo", "ready", ...words], here)).out.replace(/\d+s/g, "1s");
      expect(await run()).toBe("T1 open p2 1s: a title…\nT2 open p2 1s @ben: a title…\n");
      expect(await run("--mine", "--all-scopes")).toBe(
        "T2 open p2 1s @ben: a title…\nT3 open p2 1s [other] @ben: a title…\n",
      );
      const mineOrNobodys = await run("--mine", "--nobody");
      expect(mineOrNobodys).toBe(`${await run()}1 in other projects: --all-scopes\n`);
      expect(await run("--nobody", "--all-scopes")).toBe("T1 open p2 1s: a title…\n");
      expect(await refs("ben", "list", "--nobody", "--scope", "quest")).toEqual(["T1"]);
      expect(await refs("ben", "list", "--nobody", "--to", "ben", "--scope", "quest")).toEqual([
        "T2",
        "T1",
      ]);
      expect(await run("--limit", "1")).toBe(
        "T1 open p2 1s: a title…\n1 of 2 ready: --limit 0 for all\n",
      );
      expect(await run("--to", "ann")).toBe("nothing ready in quest\n");
      const { total, truncated } = (
        await coop.run(["todo", "ready", "--limit", "1", "--json"], here)
      ).json();
      expect({ total, truncated }).toEqual({ total: 2, truncated: true });
    });

    test("showing gives all of it", async () => {
      await add({ title: "Fix lexer" });
      await add({ after: [1], title: "Fix parser" });
      await move("block", 2, "needs the lexer");
      const { out } = await say("ann", "show", "T2");
      expect(out.replace(/\d+s/g, "1s")).toBe(
        [
          "T2 blocked p2 1s waits on T1: Fix parser",
          "from ann after T1",
          "```\na body\n```",
          "note:",
          "```\nneeds the lexer\n```\n",
        ].join("\n"),
      );
      expect((await say("ann", "show", "T2", "--raw")).out).toBe("a body");
    });

    test("showing, listing and asking what is ready change nothing", async () => {
      await add();
      const before = await everything();
      await say("ben", "show", "T1");
      await say("ben", "list");
      await say("ben", "ready");
      expect(await everything()).toEqual(before);
    });
  });
});
