import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CoopError } from "../src/errors";
import type { Surface } from "../src/ref";
import type { PostgresLocation } from "../src/store/location";
import { openStore, type Store } from "../src/store/open";
import { createPostgresStore } from "../src/store/postgres/store";
import { first, raw, sql, type Row } from "../src/store/sql";
import { createSqliteStore } from "../src/store/sqlite/create";
import { Wait, type Clock } from "../src/store/wait";
import { write, type WriteRequest, type Writing } from "../src/store/write";
import { postgres } from "./postgres";
import { borrow, giveBack } from "./schemas";

/** An engine that a contract suite runs on. */
export interface Engine {
  name: string;
  /** A store as `coop init` makes it, that nothing else uses; `close` also takes it away. */
  openFresh(): Promise<{ store: Store; close(): Promise<void> }>;
}

/** To ask the tests' server for TLS, which it has not, takes as long as to connect once more. */
export const PLAINLY = { PGSSLMODE: "disable" };

/** Every engine; a contract suite is `describe.each(engines)("…", ({ openFresh }) => …)`. */
export const engines: Engine[] = [
  {
    name: "SQLite",
    openFresh: async () => {
      const folder = await mkdtemp(join(tmpdir(), "coop-store-"));
      const path = join(folder, "coop.db");
      const wait = new Wait(10, clock);
      await createSqliteStore(path, wait, { host: "host" });
      const store = await openStore({ engine: "sqlite", path }, wait);
      const close = async () => {
        await store.close();
        await rm(folder, { recursive: true });
      };
      return { store, close };
    },
  },
  {
    name: "PostgreSQL",
    openFresh: async () => {
      const server = await postgres();
      const wait = new Wait(10, clock);
      const location = (name: string): PostgresLocation => ({
        engine: "postgres",
        url: server.url(name),
        around: { env: PLAINLY, home: tmpdir },
      });
      const schema = await borrow((name) => createPostgresStore(location(name), wait));
      const store = await openStore(location(schema.name), wait);
      const close = async () => {
        await store.close();
        await giveBack(schema);
      };
      return { store, close };
    },
  },
];

let now = Date.parse("2026-11-22T09:30:00Z");

/** A clock whose calendar goes on by a second each time it is looked at; waiting takes real time. */
export const clock: Clock = {
  now: () => (now += 1000),
  rules: true,
  elapsed: () => performance.now(),
  random: Math.random,
  unique: Bun.randomUUIDv7,
  sleep: Bun.sleep,
};

/**
 * Runs one writing command as `id` and gives its result: `writingAs(store, "ann", (writing) => writeLetter(writing, …))`.
 * Its time is a second after that of the command before, unless `at` says another (milliseconds since 1970).
 * @throws what `work` throws.
 */
export async function writingAs<T>(
  store: Store,
  id: string,
  work: (writing: Writing) => Promise<T>,
  { at, key, warn }: { at?: number; key?: WriteRequest["key"]; warn?: Writing["warn"] } = {},
): Promise<T> {
  const actor = { id, host: "host", pid: 1, folder: "/work" };
  const request = {
    actor,
    key,
    now: () => at ?? clock.now(),
    warn: warn ?? (() => {}),
    warnings: [],
  };
  const { result } = await write(store, request, work);
  return result;
}

/** An event as the store keeps it, with the values before and after as objects. */
export interface KeptEvent {
  id: number;
  at: number;
  author: string;
  host: string;
  pid: number;
  folder: string;
  verb: string;
  version: number;
  state: string | null;
  before: Row | null;
  after: Row | null;
}

/** A record's events, oldest first; without a record those of the whole store. */
export async function eventsOf(
  store: Store,
  surface?: Surface,
  number?: number,
): Promise<KeptEvent[]> {
  const rows = await store.all<Row & { before: string | null; after: string | null }>(
    surface === undefined
      ? sql`select * from events order by id`
      : sql`select * from events where surface = ${surface} and number = ${number ?? null} order by id`,
  );
  const parse = (text: string | null): Row | null => text && JSON.parse(text);
  return rows.map(
    (row) =>
      ({ ...row, before: parse(row.before), after: parse(row.after) }) as unknown as KeptEvent,
  );
}

/** A record's row as the store keeps it: `rowOf(store, "letters", 12)`; undefined when there is none. */
export const rowOf = (store: Store, table: string, number: number): Promise<Row | undefined> =>
  first(store, sql`select * from ${raw(table)} where number = ${number}`);

/** What a command that must fail threw: `await failure(writingAs(…))`. A command that succeeds fails the test. */
export async function failure(command: Promise<unknown>): Promise<CoopError> {
  const result = await command.then(
    (value) => ({ value }),
    (error: CoopError) => ({ error }),
  );
  if ("error" in result) return result.error;
  throw new Error(`it succeeded: ${JSON.stringify(result.value)}`);
}

/** A store whose server ends a transaction that rests for longer than a moment. */
export const impatient = (store: Store): Store => ({
  ...store,
  transaction: (work) =>
    store.transaction(async (tx) => {
      if (tx.dialect.name === "postgres")
        await tx.all(raw("set local idle_in_transaction_session_timeout = 100"));
      return work(tx);
    }),
});
