import { join } from "node:path";
import { statIfThere } from "../../files";
import type { RestoreEvent } from "../archived";
import { appendEvents } from "../events";
import {
  FILLED_FROM,
  GROUP,
  IDENTITY,
  identityOf,
  JOURNAL,
  LEAST,
  MOUNT_OF,
  MOVED_AT,
  MOVED_TO,
  ONE_HOST,
  requireKnown,
  setMeta,
} from "../schema";
import { raw, sql, type Sql } from "../sql";
import type { Writing } from "../write";
import { beforeRestore, datedName, makeBackupsFolder } from "./backups";
import { userVersion } from "./examine";
import type { Restorable } from "./restorable";
import { useTemporaryFiles } from "./temporary";
import { undoneBy, type Undone } from "./undone";

/** The schema under which a copy is attached to the store's connection. */
const ATTACHED = "snapshot";

/** Lets a store's connection read a copy, to put all of it in. To be done outside of a transaction. */
export async function attach(store: Sql, { path }: Restorable): Promise<void> {
  await useTemporaryFiles(store);
  await store.all(sql`attach ${path} as ${raw(ATTACHED)}`);
  // The copy's keys were verified, and rows of all tables are put in as they are.
  await store.all(raw("pragma foreign_keys = off"));
}

/** Lets go of the copy again. */
export async function detach(store: Sql): Promise<void> {
  await store.all(raw(`detach ${ATTACHED}`));
  await store.all(raw("pragma foreign_keys = on"));
}

/** The settings of a store itself, which are no data. */
const OWN = `name in ('${JOURNAL}', '${ONE_HOST}', '${GROUP}', '${IDENTITY}', '${MOVED_TO}', '${MOVED_AT}', '${FILLED_FROM}', '${LEAST.reader}', '${LEAST.writer}')
  or name like '${MOUNT_OF}%' or name like 'snapshot_%'`;

/** Which rows of a table stay, and which of the copy are left out, where not all are replaced. */
const STAYING: Record<string, { here: string; there: string }> = {
  meta: { here: OWN, there: OWN },
  events: {
    here: `surface = 'store' and id not in (select id from ${ATTACHED}.events)`,
    there: "false",
  },
};

/**
 * Gives new numbers to what the log says of the store as a whole where the copy has another event of that number, as one of
 * another store's may.
 */
const renumberOwn = (tx: Sql) => {
  const there = raw(`${ATTACHED}.events`);
  return tx.all(sql`update main.events
    set id = id + (select max(id) from (select id from main.events union all select id from ${there}))
    where surface = 'store' and id in (select id from ${there})
      and (id, at, author, surface, verb) not in (select id, at, author, surface, verb from ${there})`);
};

/**
 * Replaces all rows of a store by those of the attached copy, inside the caller's transaction. The store's own settings
 * and what its log says of it as a whole stay, and of each counter the higher value, so that no number is given twice.
 * Gives the number of the store's last event before, and what was done there that is not in the copy.
 * @throws CoopError unavailable newer, for a store whose schema this binary does not know.
 */
export async function replaceRows(tx: Sql): Promise<{ lastEvent: number; undone: Undone }> {
  await requireKnownSchema(tx);
  await keepIdentity(tx, await identityOf(tx));
  const lastEvent = await lastEventOf(tx);
  const undone = await undoneBy(tx, ATTACHED);
  await renumberOwn(tx);
  for (const table of await tablesOf(tx)) {
    if (table === "counters") continue;
    const [here, there] = [raw(`main.${table}`), raw(`${ATTACHED}.${table}`)];
    const columns = raw((await columnsOf(tx, table)).join(", "));
    const staying = STAYING[table];
    await tx.all(sql`delete from ${here} ${raw(staying ? `where not (${staying.here})` : "")}`);
    await tx.all(sql`insert into ${here} (${columns}) select ${columns} from ${there}
      ${raw(staying ? `where not (${staying.there})` : "")}`);
  }
  await tx.all(sql`insert into main.counters (name, value)
    select name, value from ${raw(ATTACHED)}.counters where true
    on conflict (name) do update set value = max(counters.value, excluded.value)`);
  return { lastEvent, undone };
}

/** Keeps by what its backups know a store: what is put into it may have been another store's. */
export const keepIdentity = (tx: Sql, identity: string) => setMeta(tx, IDENTITY, identity);

async function requireKnownSchema(tx: Sql): Promise<void> {
  requireKnown({ schema: await userVersion(tx) });
}

/** The number of a store's last event; 0 where it has none. */
export async function lastEventOf(on: Sql): Promise<number> {
  const [row] = await on.all<{ last: number }>(
    sql`select coalesce(max(id), 0) as last from events`,
  );
  return row!.last;
}

async function tablesOf(tx: Sql): Promise<string[]> {
  const rows = await tx.all<{ name: string }>(
    sql`select name from pragma_table_list where schema = 'main' and type = 'table'
      and name not like 'sqlite_%'`,
  );
  return rows.map(({ name }) => name);
}

async function columnsOf(tx: Sql, table: string): Promise<string[]> {
  const rows = await tx.all<{ name: string }>(
    sql`select name from pragma_table_info(${table}) order by cid`,
  );
  return rows.map(({ name }) => name);
}

/** Logs a restore under a number that no event had before. */
export async function logRestore(
  { tx, actor, at }: Writing,
  after: RestoreEvent,
  lastEvent: number,
): Promise<void> {
  const id = Math.max(lastEvent, await lastEventOf(tx)) + 1;
  await appendEvents(tx, actor, at, [
    { surface: "store", number: 0, verb: "restore", version: 0, after },
  ]);
  await tx.all(sql`update events set id = ${id} where id = (select max(id) from events)`);
}

/** Where the store is kept as it was before a restore at a time (ms since 1970); makes the folder. */
export async function savedName(store: string, at: number): Promise<string> {
  const folder = await makeBackupsFolder(store);
  const own = beforeRestore(store);
  // Another restore may have had the same time.
  for (let time = at; ; time++) {
    const path = join(folder, datedName(own, time));
    if (!(await statIfThere(path))) return path;
  }
}
