import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { Store } from "../../src/store/open";
import { sql } from "../../src/store/sql";
import {
  assignRequest,
  editRequest,
  findRequest,
  findThread,
  moveRequest,
  openRequest,
  reply,
  STATES,
  type Draft,
  type Edit,
} from "../../src/surfaces/request/store";
import { engines, eventsOf, failure, rowOf, writingAs } from "../engines";
import { insideFresh, type Inside } from "../inside";

type State = (typeof STATES)[number];

const UNFINISHED: readonly State[] = ["open", "accepted"];
const MOVES = {
  accept: { from: ["open"], to: "accepted" },
  done: { from: UNFINISHED, to: "done" },
  decline: { from: UNFINISHED, to: "declined" },
  cancel: { from: UNFINISHED, to: "cancelled" },
  reopen: { from: ["done", "declined", "cancelled"], to: "open" },
} as const satisfies Record<string, { from: readonly State[]; to: State }>;
type Verb = keyof typeof MOVES;
const VERBS = Object.keys(MOVES) as Verb[];

// Ann asks ben; cyd is neither.
describe.each(engines)("requests on $name", ({ openFresh }) => {
  let store: Store;
  let coop: Inside;
  let close: () => Promise<void>;
  beforeEach(async () => ({ store, coop, close } = await insideFresh(openFresh)));
  afterEach(() => close());

  const open = (draft: Partial<Draft> = {}, by = "ann") =>
    writingAs(store, by, (writing) =>
      openRequest(writing, {
        scope: "",
        to: "ben",
        kind: "help",
        title: "a title",
        body: "a body",
        ...draft,
      }),
    );
  const move = (verb: Verb, by: string, said?: string, ifVersion?: number) =>
    writingAs(store, by, (writing) => moveRequest(writing, verb, { number: 1, ifVersion }, said));
  const replyAs = (by: string, body = "a word", ifVersion?: number) =>
    writingAs(store, by, (writing) => reply(writing, { number: 1, ifVersion }, body));
  const assign = (to: string, ifVersion?: number) =>
    writingAs(store, "dad", (writing) => assignRequest(writing, { number: 1, ifVersion }, to));
  const edit = (changes: Edit, ifVersion?: number) =>
    writingAs(store, "dad", (writing) => editRequest(writing, { number: 1, ifVersion }, changes));
  const everything = async () => ({
    requests: await store.all(sql`select * from requests order by number`),
    messages: await store.all(sql`select * from request_messages order by id`),
    events: await eventsOf(store),
  });

  /** Opens request 1, from ann to ben, and brings it into a state. */
  async function requestIn(state: State): Promise<void> {
    await open();
    if (state === "accepted") await move("accept", "ben");
    if (state === "done") await move("done", "ben");
    if (state === "declined") await move("decline", "ben");
    if (state === "cancelled") await move("cancel", "ann");
    expect(await rowOf(store, "requests", 1)).toMatchObject({ state });
  }

  test("a new request is open and waits on its addressee", async () => {
    const opened = await open({ scope: "quest", kind: "review" });
    expect(opened).toMatchObject({
      ref: "R1",
      scope: "quest",
      version: 1,
      author: "ann",
      state: "open",
      to: "ben",
      kind: "review",
      title: "a title",
      body: "a body",
      accepted_by: null,
      waiting_on: "ben",
    });
    expect(await findRequest(store, 1)).toEqual(opened);
    expect(await eventsOf(store)).toMatchObject([{ verb: "open", version: 1, state: "open" }]);
  });

  for (const verb of VERBS) {
    const { from, to } = MOVES[verb];
    for (const state of STATES) {
      if ((from as readonly State[]).includes(state)) {
        test(`${verb} takes a request from ${state} to ${to}, with one event`, async () => {
          await requestIn(state);
          const before = await rowOf(store, "requests", 1);
          const events = await eventsOf(store);
          const moved = await move(verb, "ann");

          expect(moved).toMatchObject({ state: to, version: Number(before!["version"]) + 1 });
          expect(await findRequest(store, 1)).toEqual(moved);
          const all = await eventsOf(store);
          expect(all.slice(0, -1)).toEqual(events);
          expect(all.at(-1)).toMatchObject({
            author: "ann",
            verb,
            version: moved.version,
            state: to,
            before: { state },
            after: { state: to },
          });
        });
      } else {
        test(`${verb} of a request that is ${state} is a conflict and changes nothing`, async () => {
          await requestIn(state);
          const before = await everything();
          const error = await failure(move(verb, "ann", "not to be kept"));

          expect(error).toMatchObject({
            code: "conflict",
            details: { reason: "state", ref: "R1", current: { state } },
          });
          expect(await everything()).toEqual(before);
        });
      }
    }
  }

  test("whoever accepts has it, also when it was asked of another", async () => {
    await open();
    expect(await move("accept", "cyd")).toMatchObject({
      to: "ben",
      accepted_by: "cyd",
      waiting_on: "cyd",
    });
  });

  test("the second to accept learns who was first", async () => {
    await requestIn("accepted");
    const error = await failure(move("accept", "cyd"));
    expect(error.message).toMatch(/^R1 is accepted: by ben on host in \/work, \d+s ago$/);
    expect(error.details.current).toMatchObject({ state: "accepted", by: "ben", version: 2 });
  });

  test.each(["done", "decline", "cancel"] as const)(
    "after %s a request waits on nobody, and who had accepted it stays known",
    async (verb) => {
      await requestIn("accepted");
      expect(await move(verb, "ann")).toMatchObject({ accepted_by: "ben", waiting_on: null });
    },
  );

  test.each(["ben", "cyd"])("%s, who did not ask, cannot cancel, but decline", async (other) => {
    const hint = "coop request decline R1";
    await requestIn("accepted");
    const before = await everything();
    const error = await failure(move("cancel", other, "no more"));

    expect(error).toMatchObject({
      code: "conflict",
      details: { reason: "claimed", ref: "R1", hint },
    });
    expect(error.message).toStartWith(
      "R1 can be cancelled by ann alone, who asked; it is accepted",
    );
    expect(await everything()).toEqual(before);
  });

  test("who accepted in the addressee's place cannot cancel, but decline", async () => {
    await open();
    await move("accept", "cyd");
    const error = await failure(move("cancel", "cyd"));
    expect(error.details.hint).toBe("coop request decline R1");
  });

  test.each(["done", "decline"] as const)("anyone may %s a request", async (verb) => {
    await open();
    expect(await move(verb, "cyd")).toMatchObject({ state: MOVES[verb].to });
  });

  test("a reopened request is nobody's yet and waits on its addressee", async () => {
    await open();
    await move("accept", "cyd");
    await move("done", "cyd");
    expect(await move("reopen", "ann")).toMatchObject({
      state: "open",
      accepted_by: null,
      waiting_on: "ben",
    });
    expect((await eventsOf(store)).at(-1)).toMatchObject({
      before: { state: "done", accepted_by: "cyd", waiting_on: null },
    });
  });

  describe("the turn", () => {
    test.each([
      { from: "ben", to: "ann" },
      { from: "cyd", to: "ben" },
      { from: "ann", to: "ben" },
    ])("an open request that waits on its addressee: $from replies, $to is next", async (turn) => {
      await open();
      expect(await replyAs(turn.from)).toMatchObject({ state: "open", waiting_on: turn.to });
    });

    test.each([
      { from: "ann", to: "ben" },
      { from: "ben", to: "ann" },
      { from: "cyd", to: "ann" },
    ])("an open request that waits on the asker: $from replies, $to is next", async (turn) => {
      await open();
      await replyAs("ben");
      expect(await replyAs(turn.from)).toMatchObject({ state: "open", waiting_on: turn.to });
    });

    test.each([
      { from: "cyd", to: "ann" },
      { from: "ann", to: "cyd" },
      { from: "ben", to: "cyd" },
    ])(
      "an accepted request that waits on who took it: $from replies, $to is next",
      async (turn) => {
        await open();
        await move("accept", "cyd");
        expect(await replyAs(turn.from)).toMatchObject({ state: "accepted", waiting_on: turn.to });
      },
    );

    test.each([
      { from: "ann", to: "cyd" },
      { from: "cyd", to: "ann" },
      { from: "ben", to: "ann" },
    ])("an accepted request that waits on the asker: $from replies, $to is next", async (turn) => {
      await open();
      await move("accept", "cyd");
      await replyAs("cyd");
      expect(await replyAs(turn.from)).toMatchObject({ state: "accepted", waiting_on: turn.to });
    });

    test("a request to oneself always waits on oneself", async () => {
      await open({ to: "ann" });
      expect(await replyAs("ann")).toMatchObject({ waiting_on: "ann" });
    });

    test.each(["done", "declined", "cancelled"] as const)(
      "a request that is %s can be replied to, stays so and waits on nobody",
      async (state) => {
        await requestIn(state);
        for (const replier of ["ann", "ben", "cyd"])
          expect(await replyAs(replier)).toMatchObject({ state, waiting_on: null });
        expect((await findThread(store, 1)).messages).toHaveLength(3);
      },
    );
  });

  test("a reply is a change of the request, with the turn before", async () => {
    await open();
    expect(await replyAs("ben")).toMatchObject({ version: 2 });
    expect((await eventsOf(store)).at(-1)).toMatchObject({
      author: "ben",
      verb: "reply",
      version: 2,
      state: null,
      before: { waiting_on: "ben" },
      after: { waiting_on: "ann" },
    });
  });

  test("the thread keeps what was said with each verb, oldest first and byte for byte", async () => {
    const odd = " \u202eodd\r\n```\n";
    await open();
    await replyAs("ben", "which branch?");
    await replyAs("ann", odd);
    await move("accept", "ben", "on it");
    await move("done", "ben", "");
    await move("reopen", "ann", "again");
    await move("decline", "ben");

    expect((await findThread(store, 1)).messages).toMatchObject([
      { author: "ben", verb: "reply", body: "which branch?" },
      { author: "ann", verb: "reply", body: odd },
      { author: "ben", verb: "accept", body: "on it" },
      { author: "ben", verb: "done", body: "" },
      { author: "ann", verb: "reopen", body: "again" },
    ]);
    expect((await findRequest(store, 1)).body).toBe("a body");
  });

  test("each request has its own thread", async () => {
    await open();
    await open({ title: "another" });
    await replyAs("ben", "to the first");
    expect(await findThread(store, 2)).toMatchObject({ title: "another", messages: [] });
  });

  test.each(UNFINISHED)("assigning one that is %s opens it for another", async (state) => {
    await requestIn(state);
    const { version } = await findRequest(store, 1);
    expect(await assign("cyd")).toMatchObject({
      state: "open",
      to: "cyd",
      accepted_by: null,
      waiting_on: "cyd",
      version: version + 1,
    });
    expect((await eventsOf(store)).at(-1)).toMatchObject({
      author: "dad",
      verb: "assign",
      before: { addressee: "ben", waiting_on: "ben" },
      after: { addressee: "cyd", waiting_on: "cyd" },
    });
  });

  test.each(["done", "declined", "cancelled"] as const)(
    "assigning one that is %s is a conflict and changes nothing",
    async (state) => {
      await requestIn(state);
      const before = await everything();
      expect(await failure(assign("cyd"))).toMatchObject({
        code: "conflict",
        details: { reason: "state", hint: "to open it again: coop request reopen R1" },
      });
      expect(await everything()).toEqual(before);
    },
  );

  test.each(STATES)(
    "one that is %s can be edited, and the event has the words before",
    async (state) => {
      await requestIn(state);
      const before = await findRequest(store, 1);
      const edited = await edit({ title: "new", body: "new body", kind: "question" });

      expect(edited).toEqual({
        ...before,
        title: "new",
        body: "new body",
        kind: "question",
        version: before.version + 1,
        updated_at: edited.updated_at,
      });
      expect((await eventsOf(store)).at(-1)).toMatchObject({
        verb: "edit",
        state: null,
        before: { title: "a title", body: "a body", kind: "help" },
        after: { title: "new", kind: "question" },
      });
    },
  );

  test("an edit leaves what it does not name", async () => {
    await open();
    await edit({ title: "new" });
    expect(await findRequest(store, 1)).toMatchObject({
      title: "new",
      body: "a body",
      kind: "help",
    });
    expect((await eventsOf(store)).at(-1)!.before).toEqual({ title: "a title" });
  });

  test("every change is held to the version that its user saw", async () => {
    await open();
    const before = await everything();
    for (const changing of [
      () => move("accept", "ben", "a word", 7),
      () => replyAs("ben", "a word", 7),
      () => assign("cyd", 7),
      () => edit({ title: "new" }, 7),
    ]) {
      expect(await failure(changing())).toMatchObject({
        code: "conflict",
        details: { reason: "version", ref: "R1" },
      });
    }
    expect(await everything()).toEqual(before);
    expect(await move("accept", "ben", undefined, 1)).toMatchObject({ version: 2 });
  });

  test("what is not there is not found", async () => {
    for (const looking of [
      () => move("accept", "ben"),
      () => replyAs("ben"),
      () => assign("cyd"),
      () => edit({ title: "new" }),
      () => findThread(store, 1),
    ]) {
      expect(await failure(looking())).toMatchObject({ code: "not_found", details: { ref: "R1" } });
    }
    expect(await eventsOf(store)).toEqual([]);
  });

  describe("on the command line", () => {
    const say = (as: string, ...words: string[]) => coop.run(["request", ...words], { as });
    const list = async (as: string, ...words: string[]) =>
      (await coop.data(["request", "list", ...words], { as })).map(
        (one: { ref: string }) => one.ref,
      );

    test("opening asks for a title, an addressee and a text, and is help unless it says otherwise", async () => {
      for (const words of [
        ["--to", "ben", "--body", "text"],
        ["title", "--body", "text"],
        ["title", "--to", "ben"],
        ["title", "--to", "ben,cyd", "--body", "text"],
      ])
        expect(await say("ann", "open", ...words)).toMatchObject({ exit: 2, out: "" });
      const opened = await say("ann", "open", "--title", "Crash", "--to", "ann", "--body", "text");
      expect(opened).toMatchObject({ exit: 0, out: "R1 open waits on ann: Crash\n", err: "" });
      expect(await findRequest(store, 1)).toMatchObject({ kind: "help" });
    });

    test("the near synonyms move it, and cancel is the asker's own", async () => {
      await say("ann", "send", "Crash", "--to", "ben", "--body", "text");
      expect((await say("ben", "claim", "1")).out).toBe(
        "R1 accepted waits on ben: Crash\n```\ntext\n```\n",
      );
      expect((await say("ben", "finish", "r1")).out).toBe("R1 done: Crash\n");
      expect((await say("ann", "reopen", "R1")).out).toBe("R1 open waits on ben: Crash\n");
      expect((await say("ben", "reject", "#1")).out).toBe("R1 declined: Crash\n");
      await say("ann", "reopen", "R1");
      expect((await say("ben", "cancel", "R1")).exit).toBe(4);
      expect((await say("ann", "cancel", "R1")).out).toBe("R1 cancelled: Crash\n");
      expect((await say("ann", "release", "R1")).exit).toBe(2);
    });

    test("a reply is a word, a flag or standard input, and never nothing", async () => {
      await open();
      expect(await say("ben", "reply", "R1")).toMatchObject({ exit: 2 });
      expect(await say("ben", "reply", "R1", "word", "--body", "flag")).toMatchObject({ exit: 2 });
      await say("ben", "reply", "R1", "word");
      await say("ben", "reply", "R1", "--body", "flag");
      await coop.run(["request", "reply", "R1", "-"], { as: "ben", stdin: "input" });
      const { messages } = await findThread(store, 1);
      expect(messages.map(({ body }) => body)).toEqual(["word", "flag", "input"]);
    });

    test("a reply says that it is said, and to whom the turn is or that it is nobody's", async () => {
      await open();
      expect((await say("ben", "reply", "R1", "word")).out).toBe(
        "replied: R1 open waits on ann: a title\n",
      );
      await say("ben", "done", "R1");
      expect((await say("ann", "reply", "R1", "and then?")).out).toBe(
        "replied: R1 done: a title\nit waits on nobody; to ask again: coop request reopen R1\n",
      );
    });

    test("accepting gives what is asked, and says where more came of it", async () => {
      await open();
      const asked = "R1 accepted waits on ben: a title\n```\na body\n```\n";
      expect((await say("ben", "accept", "R1")).out).toBe(asked);
      await say("ann", "assign", "R1", "--to", "cyd");
      expect((await say("cyd", "accept", "R1")).out).toBe(
        `${asked.replace("ben", "cyd")}what came of it since: coop request show R1\n`,
      );
    });

    test("closing one between others is warned of", async () => {
      for (const as of ["ben", "dan"]) await coop.data(["todo", "add", "known"], { as });
      for (const [number, verb] of ["done", "decline"].entries()) {
        await open();
        const ref = `R${number + 1}`;
        const { exit, err } = await say("dan", verb, ref);
        expect({ exit, err }).toEqual({
          exit: 0,
          err: `coop: warning: ${ref} waited on ben; if another was meant: coop request reopen ${ref}\n`,
        });
      }
      for (const [who, verb] of [
        ["ann", "done"],
        ["ben", "decline"],
      ] as const) {
        await say("ann", "reopen", "R1");
        expect((await say(who, verb, "R1")).err).toBe("");
      }
    });

    test("a reply with a key is said once", async () => {
      await open();
      await say("ben", "reply", "R1", "word", "--key", "k");
      const again = await say("ben", "reply", "R1", "word", "--key", "k", "--json");
      expect(again.json()).toMatchObject({ replayed: true, data: { version: 2 } });
      expect(await say("ben", "reply", "R1", "other", "--key", "k")).toMatchObject({ exit: 4 });
      expect((await findThread(store, 1)).messages).toHaveLength(1);
    });

    test("an edit needs something to change, and an editor begins with the present text", async () => {
      await open();
      expect(await say("ann", "edit", "R1")).toMatchObject({ exit: 2 });
      const seen: string[] = [];
      await coop.run(["request", "edit", "R1", "--edit"], {
        as: "ann",
        edit: (initial) => {
          seen.push(initial);
          return `${initial}, longer`;
        },
      });
      expect(seen).toEqual(["a body"]);
      expect(await findRequest(store, 1)).toMatchObject({ body: "a body, longer", version: 2 });
    });

    test("a list of what waits on somebody spans all scopes, unless one is named", async () => {
      await open({ scope: "quest" });
      await open({ scope: "other" });
      await open({ scope: "other", to: "cyd" });
      const here = { as: "ben", env: { PIPPA_COOP_SCOPE: "quest" } };
      const data = await coop.data(["request", "list", "--waiting-on", "me"], here);
      expect(data.map((one: { ref: string }) => one.ref)).toEqual(["R2", "R1"]);
      expect(await list("ben", "--waiting-on", "ben,cyd")).toEqual(["R3", "R2", "R1"]);
      expect(await list("ben", "--waiting-on", "me", "--scope", "other")).toEqual(["R2"]);
    });

    test("a list is narrowed by kind, addressee, asker and state, and hides the finished", async () => {
      await open({ kind: "review" });
      await open({ to: "cyd" });
      await open({}, "cyd");
      await move("done", "ben");
      expect(await list("ben")).toEqual(["R3", "R2"]);
      expect(await list("ben", "--mine")).toEqual(["R3"]);
      expect(await list("ben", "--to", "cyd")).toEqual(["R2"]);
      expect(await list("ben", "--from", "cyd")).toEqual(["R3"]);
      expect(await list("ben", "--kind", "review", "--status", "all")).toEqual(["R1"]);
      expect(await list("ben", "--status", "done")).toEqual(["R1"]);
      expect((await say("ben", "list")).out).toEndWith("\n1 finished: --status all\n");
    });

    test("an id that nobody has is warned of", async () => {
      await open();
      const waiting = await say("ann", "list", "--waiting-on", "bne");
      expect(waiting).toMatchObject({ exit: 0, out: "no such requests\n" });
      expect(waiting.err).toContain("'bne' has never written here");
      expect((await say("ann", "assign", "R1", "--to", "anm")).err).toContain("is 'ann'");
    });

    test("a line says who asked whom and whose turn it is, but never what is the reader's own", async () => {
      await open();
      const lineFor = async (id: string) => (await say(id, "list")).out.trim();
      expect(await lineFor("ann")).toMatch(/^R1 open \d+s help waits on ben: a title$/);
      expect(await lineFor("ben")).toMatch(/^R1 open \d+s help from ann waits on ben: a title$/);
      await move("accept", "cyd");
      await replyAs("cyd");
      expect(await lineFor("dad")).toMatch(
        /^R1 accepted \d+s help from ann to ben accepted by cyd waits on ann: a title$/,
      );
    });

    test("showing gives the thread, each message fenced", async () => {
      await open();
      await replyAs("ben", "which?\nR9 done");
      await move("done", "ben", "fixed");
      const { out } = await say("ann", "show", "R1");
      expect(out.replace(/\d+s/g, "1s")).toBe(
        [
          "R1 done 1s help to ben: a title",
          "```\na body\n```",
          "reply 1s ben",
          "```\nwhich?\nR9 done\n```",
          "done 1s ben",
          "```\nfixed\n```\n",
        ].join("\n"),
      );
      expect((await say("ann", "show", "R1", "--raw")).out).toBe("a body");
    });

    test("showing and listing change nothing", async () => {
      await open();
      const before = await everything();
      await say("ben", "show", "R1");
      await say("ben", "list", "--waiting-on", "me");
      expect(await everything()).toEqual(before);
    });
  });
});
