import { expect, test } from "bun:test";
import { tmpdir } from "node:os";
import { openStore } from "../../../src/store/open";
import { PostgresConnection } from "../../../src/store/postgres/connection";
import { serverOf } from "../../../src/store/postgres/server";
import { first, letRest, raw } from "../../../src/store/sql";
import { Wait } from "../../../src/store/wait";
import { clock, engines, writingAs } from "../../engines";
import { postgres } from "../../postgres";

test("what is written has the server's time, whatever this machine's clock says", async () => {
  const { store, close } = await engines.find(({ name }) => name === "PostgreSQL")!.openFresh();
  const now = Date.parse("2001-01-01T00:00:00Z");
  const { rules: _, ...own } = clock;
  const serversTime = async () => {
    const time = raw("select floor(extract(epoch from clock_timestamp()) * 1000)::int8 as now");
    return (await first<{ now: number }>(store, time))!.now;
  };
  const begun = await serversTime();
  const wrong = await openStore(store.location, new Wait(10, { ...own, now: () => now }));
  const at = await writingAs(wrong, "ann", async (writing) => writing.at, { at: now });
  const ended = await serversTime();

  for (const told of [at, now + wrong.ahead!]) {
    expect(told).toBeGreaterThanOrEqual(begun);
    expect(told).toBeLessThanOrEqual(ended);
  }
  await wrong.close();
  await close();
});

test("a commit waits for the server's disk, also where the role's own would not", async () => {
  const server = await postgres();
  const role = `hasty_${Bun.randomUUIDv7("hex").replaceAll("-", "")}`;
  await server.sql(`create role ${role} superuser login password 'SECRET'`);
  await server.sql(`alter role ${role} set synchronous_commit = off`);
  const url = server.url("none").replace(/\/\/.*@/, `//${role}:SECRET@`);
  const named = await serverOf({ engine: "postgres", url, around: { env: {}, home: tmpdir } });
  const connection = await PostgresConnection.open(named, new Wait(10, clock));
  const waits = raw("select current_setting('synchronous_commit') as waits");
  try {
    expect(await connection.all(waits)).toEqual([{ waits: "off" }]);
    expect(await connection.transaction((tx) => tx.all(waits))).toEqual([{ waits: "on" }]);
  } finally {
    await connection.close();
    await server.sql(`drop role ${role}`);
  }
});

test("a transaction that nothing comes from keeps the others out for so long and no longer", async () => {
  const { store, close } = await engines.find(({ name }) => name === "PostgreSQL")!.openFresh();
  const setting = raw("select current_setting('idle_in_transaction_session_timeout') as most");
  await store.transaction(async (tx) => {
    expect(await first(tx, setting)).toEqual({ most: "30s" });
    await letRest(tx);
    expect(await first(tx, setting)).toEqual({ most: "1h" });
  });
  await close();
});
