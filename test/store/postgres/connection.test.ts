import { afterEach, beforeEach, expect, test } from "bun:test";
import { tmpdir } from "node:os";
import { PostgresConnection } from "../../../src/store/postgres/connection";
import { serverOf } from "../../../src/store/postgres/server";
import { among, raw, sql, type Fragment } from "../../../src/store/sql";
import { Wait } from "../../../src/store/wait";
import { clock } from "../../engines";
import { postgres } from "../../postgres";

/** So long that a test which waits to its end has hung. */
const SECONDS = 3600;

/** How long the command has waited already. */
let waited: number;
let connection: PostgresConnection;
let other: Bun.SQL;
/** Reads a table that nobody is let at. */
let read: Fragment;
let release: () => Promise<unknown>;

beforeEach(async () => {
  waited = 0;
  const url = (await postgres()).url("none");
  other = new Bun.SQL(url.replace(/[?&]schema=[^&]*/, ""), { max: 1 });
  const session = await other.reserve();
  const table = `locked_${Bun.randomUUIDv7("hex")}`;
  await session.unsafe(`create table public."${table}" (id bigint)`);
  await session.unsafe(`begin; lock table public."${table}" in access exclusive mode`);
  release = () => session.unsafe(`drop table public."${table}"; commit`);
  read = raw(`select * from public."${table}"`);
  const server = await serverOf({ engine: "postgres", url, around: { env: {}, home: tmpdir } });
  const elapsed = () => performance.now() + waited;
  connection = await PostgresConnection.open(server, new Wait(SECONDS, { ...clock, elapsed }));
});
afterEach(async () => {
  await release();
  await connection.close();
  await other.close({ timeout: 0 });
});

const busy = { code: "busy", message: expect.stringContaining("is locked by another command") };
const useUp = () => (waited += SECONDS * 1000);

test("what was waited before counts for a statement by itself", async () => {
  useUp();
  await expect(connection.all(read)).rejects.toMatchObject(busy);
  expect(await connection.all(raw("select 1 as one"))).toEqual([{ one: 1 }]);
});

test("what was waited before counts within a transaction", async () => {
  const inside = connection.transaction(async (tx) => {
    useUp();
    await tx.all(read);
  });
  await expect(inside).rejects.toMatchObject(busy);
});

test("what was waited before counts while the store is read as it is at one moment", async () => {
  const inside = connection.reading(async (on) => {
    useUp();
    await on.all(read);
  });
  await expect(inside).rejects.toMatchObject(busy);
});

test("what a transaction waited counts for a statement after it", async () => {
  await connection.transaction(async (tx) => {
    useUp();
    await tx.all(raw("select 1 as one"));
  });
  await expect(connection.all(read)).rejects.toMatchObject(busy);
});

test("more values than a server takes in one statement are an error of usage, not a lost connection", async () => {
  const of = (count: number) => sql`select 1 as one where ${among("1", Array(count).fill(1))}`;
  expect(await connection.all(of(65_535))).toEqual([{ one: 1 }]);
  await expect(connection.all(of(65_536))).rejects.toMatchObject({
    code: "usage",
    message: "these are 65536 values, more than a server takes at once",
  });
});
