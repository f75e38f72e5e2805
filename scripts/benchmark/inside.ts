import { Database } from "bun:sqlite";
import { join } from "node:path";
import { createSqliteStore } from "../../src/store/sqlite/create";
import { openStore, type Store } from "../../src/store/open";
import { Wait, type Clock } from "../../src/store/wait";
import { write, type Writing } from "../../src/store/write";
import { done, push, take } from "../../src/surfaces/queue/store";
import { parseRef } from "../../src/ref";
import { compared, inTurn, requireEqual, type Row, type Scale } from "./measure";
import { peers, plainjob, type Peer } from "./peers";
import type { Place } from "./place";

const clock: Clock = {
  now: Date.now,
  elapsed: () => performance.now(),
  random: Math.random,
  unique: Bun.randomUUIDv7,
  sleep: Bun.sleep,
};

export const PAYLOAD = JSON.stringify({ task: "review", branch: "parser", text: "x".repeat(80) });

/** Opens the store of coop at a path, which is made if it is not there. */
export async function openCoop(path: string): Promise<Store> {
  const wait = new Wait(10, clock);
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
    { actor, key: undefined, now: Date.now, warn: () => {} },
    work,
  );
  return result;
}

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
    payloadType: "json",
  } as const;
  return {
    name: "coop",
    add: () => writing(store, "reader", (at) => push(at, draft)),
    finishOne: async () => {
      const [item] = await writing(store, "reader", (at) => take(at, { queue: "jobs" }, 1));
      const { number } = parseRef(item!.ref)!;
      await writing(store, "reader", (at) =>
        done(at, { number }, { reply: undefined, note: undefined }),
      );
    },
    counts: () => {
      using database = new Database(path, { readonly: true });
      return database
        .query<{ added: number; finished: number }, []>(
          "select count(*) as added, count(*) filter (where state = 'done') as finished from queue_items",
        )
        .get()!;
    },
    close: () => store.close(),
  };
}

/** What one would write by hand: the same rows, with the one index that taking needs, and prepared statements. */
function byHand(folder: string): Peer {
  const path = join(folder, "by-hand.db");
  const database = new Database(path, { create: true, strict: true });
  for (const statement of [
    "pragma journal_mode = wal",
    "pragma synchronous = full",
    `create table items (number integer primary key, scope text, version integer, created_at integer,
      updated_at integer, author text, state text, queue text, addressee text, priority integer, payload text,
      payload_type text, taken_by text, taken_at integer)`,
    "create index waiting on items (queue, addressee, priority, number) where state = 'waiting'",
    `create table events (id integer primary key, at integer, author text, host text, pid integer, folder text,
      surface text, number integer, verb text, version integer, state text, before text, after text)`,
  ])
    database.run(statement);
  const begin = database.query("begin immediate");
  const commit = database.query("commit");
  const insert = database.query<{ number: number }, [number, string]>(
    `insert into items (scope, version, created_at, updated_at, author, state, queue, addressee, priority, payload, payload_type)
      values ('', 1, ?1, ?1, 'reader', 'waiting', 'jobs', '', 2, ?2, 'json') returning number`,
  );
  const claim = database.query<{ number: number; payload: string }, [number]>(
    `update items set state = 'taken', taken_by = 'reader', taken_at = ?1, updated_at = ?1, version = version + 1
      where number = (select number from items where queue = 'jobs' and addressee = '' and state = 'waiting'
        order by priority, number limit 1) returning *`,
  );
  const finish = database.query<{ number: number }, [number, number]>(
    `update items set state = 'done', updated_at = ?1, version = version + 1
      where number = ?2 and state = 'taken' returning *`,
  );
  const event = database.query<
    unknown,
    [number, number, string, number, string, string | null, string | null]
  >(
    `insert into events (at, author, host, pid, folder, surface, number, verb, version, state, before, after)
      values (?1, 'reader', 'studio', ${process.pid}, '/home/me/work/project', 'queue', ?2, ?3, ?4, ?5, ?6, ?7)`,
  );
  const transaction = (work: () => void) => {
    begin.run();
    work();
    commit.run();
  };
  return {
    name: "by hand",
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
    counts: () =>
      database
        .query<{ added: number; finished: number }, []>(
          "select count(*) as added, count(*) filter (where state = 'done') as finished from items",
        )
        .get()!,
    close: () => database.close(),
  };
}

/** One enqueue, and one claim with its completion, inside one process: coop, by hand, and the npm packages. */
export async function engineRows({ folder }: Place, { operations }: Scale): Promise<Row[]> {
  const all = [await coopPeer(folder), byHand(folder), ...(await peers(folder, PAYLOAD))];
  const subjects = (work: "add" | "finishOne") =>
    Object.fromEntries(all.map((peer) => [peer.name, () => peer[work]()]));
  const added = await inTurn(operations, subjects("add"));
  const finished = await inTurn(operations, subjects("finishOne"));
  const expected = operations + Math.ceil(operations / 10);
  for (const { name, counts } of all)
    requireEqual(name, counts(), { added: name === "liteque" ? 0 : expected, finished: expected });
  for (const peer of all) await peer.close();

  return all.slice(1).flatMap(({ name }) => {
    const hand = name === "by hand";
    const goal = hand ? 1.25 : 1.3;
    const against = hand ? "bun:sqlite by hand, same rows" : name;
    return [
      compared({ what: "enqueue, in-process", against, goal }, added["coop"]!, added[name]!),
      compared(
        { what: "claim + done, in-process", against, goal },
        finished["coop"]!,
        finished[name]!,
      ),
    ];
  });
}

/** Many items by one command's standard input, against plainjob's addMany in a process that is there already. */
export async function batchRow({ home, folder }: Place, { batch, runs }: Scale): Promise<Row> {
  const at = home("batch");
  at.init();
  const payloads = Array.from({ length: batch }, (_, index) => ({
    task: "review",
    index,
    text: "x".repeat(80),
  }));
  const stdin = payloads.map((payload) => JSON.stringify({ payload })).join("\n");
  const other = await plainjob(join(folder, "batch-plainjob.db"), undefined);
  const rounds = runs > 100 ? 11 : 3;
  const times = await inTurn(rounds, {
    coop: () => at.run(["queue", "push", "jobs", "--jsonl", "-", "--quiet"], { stdin }),
    plainjob: () => other.addMany!(payloads),
  });
  const expected = batch * (rounds + Math.ceil(rounds / 10));
  requireEqual("items", at.count("select count(*) as found from queue_items"), expected);
  requireEqual("events", at.count("select count(*) as found from events"), expected);
  requireEqual("plainjob's", other.counts().added, expected);
  await other.close();
  return compared(
    {
      what: `${batch} items by queue push --jsonl -`,
      against: "plainjob's addMany, in-process",
      goal: 1,
      note: "coop's time is the whole command's, with an event an item",
    },
    times.coop,
    times.plainjob,
  );
}
