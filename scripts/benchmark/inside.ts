import { Database } from "bun:sqlite";
import { join } from "node:path";
import { createSqliteStore } from "../../src/store/sqlite/create";
import { MIGRATIONS } from "../../src/store/migrations";
import { openStore, type Store } from "../../src/store/open";
import { SQLITE } from "../../src/store/sqlite/connection";
import { Wait } from "../../src/store/wait";
import { write, type Writing } from "../../src/store/write";
import { done, payloadType, push, take } from "../../src/surfaces/queue/store";
import { parseRef } from "../../src/ref";
import { machineClock } from "../../test/clock";
import {
  allRounds,
  compared,
  inTurn,
  requireCount,
  requireEqual,
  type Row,
  type Scale,
} from "./measure";
import { peers, plainjob, type Peer } from "./peers";
import type { Place } from "./place";

export const PAYLOAD = JSON.stringify({ task: "review", branch: "parser", text: "x".repeat(80) });

/** Opens the store of coop at a path, which is made if it is not there. */
export async function openCoop(path: string): Promise<Store> {
  const wait = new Wait(10, machineClock);
  await createSqliteStore(path, wait);
  return openStore({ engine: "sqlite", path }, wait);
}

/** Runs one writing command's part that is not the command line. */
export async function writing<T>(
  store: Store,
  id: string,
  work: (writing: Writing) => Promise<T>,
): Promise<T> {
  const actor = { id, host: "studio", pid: process.pid, folder: "/home/me/work/project" };
  const { result } = await write(
    store,
    { actor, key: undefined, now: Date.now, warn: () => {}, warnings: [] },
    work,
  );
  return result;
}

type Counts = ReturnType<Peer["counts"]>;

/** Of what coop writes and of what is written by hand: as their events say, and their rows. */
const COUNTS = `select (select count(*) from events where verb = 'push') as added,
  count(*) filter (where state = 'done') as finished from queue_items`;

/** coop as a queue inside this process: its store functions, with the event of each change. */
async function coopPeer(folder: string): Promise<Peer> {
  const path = join(folder, "coop.db");
  const store = await openCoop(path);
  const draft = {
    scope: "",
    queue: "jobs",
    to: undefined,
    priority: 2,
    payload: PAYLOAD,
  } as const;
  return {
    name: "coop",
    add: () =>
      writing(store, "reader", (at) =>
        push(at, { ...draft, payloadType: payloadType(draft.payload) }),
      ),
    finishOne: async () => {
      const [item] = await writing(store, "reader", (at) => take(at, { queue: "jobs" }, 1));
      const { number } = parseRef(item!.ref)!;
      await writing(store, "reader", (at) =>
        done(at, { number }, { reply: undefined, note: undefined }),
      );
    },
    counts: () => {
      using database = new Database(path, { readonly: true });
      return database.query<Counts, []>(COUNTS).get()!;
    },
    close: () => store.close(),
  };
}

/** The one index that taking needs. */
const ONE_INDEX = [
  "create index waiting on queue_items (queue, addressee, priority, number) where state = 'waiting'",
];

/** All that coop has on the same two tables: it keeps every list flat. */
const COOP_INDEXES = MIGRATIONS.flatMap((migration) => migration.statements(SQLITE)).filter(
  (statement) => /^create index \w+ on (queue_items|events) /.test(statement),
);

/** What one would write by hand: the same rows, and prepared statements. */
function byHand(name: string, path: string, indexes: readonly string[]): Peer {
  const database = new Database(path, { create: true, strict: true });
  for (const statement of [
    "pragma journal_mode = wal",
    "pragma synchronous = full",
    `create table queue_items (number integer primary key, scope text, version integer, created_at integer,
      updated_at integer, author text, state text, queue text, addressee text, priority integer, payload text,
      payload_type text, fan_out integer, re integer, taken_by text, taken_at integer, note text)`,
    `create table events (id integer primary key, at integer, author text, host text, pid integer, folder text,
      surface text, number integer, verb text, version integer, state text, before text, after text)`,
    ...indexes,
  ])
    database.run(statement);
  const begin = database.query("begin immediate");
  const commit = database.query("commit");
  const insert = database.query<{ number: number }, [number, string]>(
    `insert into queue_items (scope, version, created_at, updated_at, author, state, queue, addressee, priority, payload, payload_type)
      values ('', 1, ?1, ?1, 'reader', 'waiting', 'jobs', '', 2, ?2, 'json') returning number`,
  );
  const claim = database.query<{ number: number; payload: string }, [number]>(
    `update queue_items set state = 'taken', taken_by = 'reader', taken_at = ?1, updated_at = ?1, version = version + 1
      where number = (select number from queue_items where queue = 'jobs' and addressee = '' and state = 'waiting'
        order by priority, number limit 1) returning *`,
  );
  const finish = database.query<{ number: number }, [number, number]>(
    `update queue_items set state = 'done', updated_at = ?1, version = version + 1
      where number = ?2 and state = 'taken' returning *`,
  );
  const event = database.query<
    unknown,
    [number, number, string, number, string, string | null, string | null]
  >(
    `insert into events (at, author, host, pid, folder, surface, number, verb, version, state, before, after)
      values (?1, 'reader', 'studio', ${process.pid}, '/home/me/work/project', 'queue', ?2, ?3, ?4, ?5, ?6, ?7)`,
  );
  const insertMany = database.query<unknown, [number, string]>(
    `insert into queue_items (scope, version, created_at, updated_at, author, state, queue, addressee, priority, payload, payload_type)
      select '', 1, ?1, ?1, 'reader', 'waiting', 'jobs', '', 2, value, 'json' from json_each(?2)`,
  );
  const last = database.query<{ number: number | null }, []>(
    "select max(number) as number from queue_items",
  );
  const eventMany = database.query<unknown, [number, number]>(
    `insert into events (at, author, host, pid, folder, surface, number, verb, version, state)
      select ?1, 'reader', 'studio', ${process.pid}, '/home/me/work/project', 'queue', number, 'push', 1, 'waiting'
      from queue_items where number > ?2`,
  );
  const transaction = (work: () => void) => {
    begin.run();
    work();
    commit.run();
  };
  return {
    name,
    add: () =>
      transaction(() => {
        const now = Date.now();
        const { number } = insert.get(now, PAYLOAD)!;
        event.run(now, number, "push", 1, "waiting", null, null);
      }),
    finishOne: () => {
      let number = 0;
      transaction(() => {
        const now = Date.now();
        number = claim.get(now)!.number;
        event.run(now, number, "take", 2, "taken", '{"state":"waiting"}', '{"state":"taken"}');
      });
      transaction(() => {
        const now = Date.now();
        finish.get(now, number);
        event.run(now, number, "done", 3, "done", '{"state":"taken"}', '{"state":"done"}');
      });
    },
    addMany: (payloads) =>
      transaction(() => {
        const now = Date.now();
        const before = last.get()!.number ?? 0;
        insertMany.run(now, JSON.stringify(payloads));
        eventMany.run(now, before);
      }),
    counts: () => database.query<Counts, []>(COUNTS).get()!,
    close: () => database.close(),
  };
}

/** What coop may cost, as a ratio; undefined where it only tells. The packages write no event. */
const ENGINE_GOALS: Record<string, number | undefined> = {
  "bun:sqlite by hand, same rows": 1.25,
  "by hand, with coop's indexes": undefined,
  plainjob: 1.3,
  liteque: 1.3,
  bunqueue: 1.3,
};

/** One enqueue, and one claim with its completion, inside one process: coop, by hand, and the npm packages. */
export async function engineRows({ folder }: Place, { operations }: Scale): Promise<Row[]> {
  const all = [
    await coopPeer(folder),
    byHand("bun:sqlite by hand, same rows", join(folder, "by-hand.db"), ONE_INDEX),
    byHand("by hand, with coop's indexes", join(folder, "by-hand-indexed.db"), COOP_INDEXES),
    ...(await peers(folder, PAYLOAD)),
  ];
  const subjects = (work: "add" | "finishOne") =>
    Object.fromEntries(all.map((peer) => [peer.name, () => peer[work]()]));
  const added = await inTurn(operations, subjects("add"));
  const finished = await inTurn(operations, subjects("finishOne"));
  const expected = allRounds(operations);
  for (const { name, counts } of all)
    requireEqual(name, counts(), { added: name === "liteque" ? 0 : expected, finished: expected });
  for (const peer of all) await peer.close();

  return Object.entries(ENGINE_GOALS).flatMap(([against, goal]) =>
    Object.entries({ "enqueue, in-process": added, "claim + done, in-process": finished }).map(
      ([what, times]) => compared({ what, against, goal }, times["coop"]!, times[against]!),
    ),
  );
}

/** Many items by one command's standard input, against those who add them in a process that is there already. */
export async function batchRows({ home, folder }: Place, { batch, runs }: Scale): Promise<Row[]> {
  const at = home("batch");
  at.init();
  const payloads = Array.from({ length: batch }, (_, index) => ({
    task: "review",
    index,
    text: "x".repeat(80),
  }));
  const stdin = payloads.map((payload) => JSON.stringify({ payload })).join("\n");
  const file = (name: string) => join(folder, `batch-${name}.db`);
  const others = {
    "plainjob's addMany, in-process": await plainjob(file("plainjob"), undefined),
    "an insert … select by hand, in-process": byHand("", file("by-hand"), ONE_INDEX),
    "the same with coop's indexes": byHand("", file("by-hand-indexed"), COOP_INDEXES),
  };
  const rounds = runs > 100 ? 11 : 3;
  const times: Record<string, number> = await inTurn(rounds, {
    coop: () => at.run(["queue", "push", "jobs", "--jsonl", "-", "--quiet"], { stdin }),
    ...Object.fromEntries(
      Object.entries(others).map(([name, other]) => [name, () => other.addMany!(payloads)]),
    ),
  });
  const added = batch * allRounds(rounds);
  requireCount(at.store, "queue_items", added);
  requireCount(at.store, "events", added);
  for (const [name, other] of Object.entries(others)) {
    requireEqual(name, other.counts(), { added, finished: 0 });
    await other.close();
  }
  const what = `${batch} items by queue push --jsonl -`;
  const note = "coop's time is the whole command's, with an event an item";
  return Object.keys(others).map((against, index) =>
    compared(
      { what, against, ...(index === 0 && { goal: 1, note }) },
      times["coop"]!,
      times[against]!,
    ),
  );
}
