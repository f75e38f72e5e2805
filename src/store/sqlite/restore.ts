import type { Stats } from "node:fs";
import { access, chmod, constants, copyFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { CoopError } from "../../errors";
import { asFolderError, giveLike, linkOrCopy, ownPath, syncFolder } from "../../files";
import { shellWord } from "../../shell";
import { BESIDE } from "../location";
import type { RestoreEvent } from "../archived";
import { appendEvents } from "../events";
import {
  ARCHIVE_OF,
  BACKUP_OF,
  FILLED_FROM,
  IDENTITY,
  identityOf,
  meta,
  migrate,
  MOVED_AT,
  MOVED_TO,
  newer,
  onlyArchive,
  schemaVersion,
  setMeta,
} from "../schema";
import { raw, sql, type Sql } from "../sql";
import type { Wait } from "../wait";
import type { Writing } from "../write";
import { datedName, makeBackupsFolder } from "./backups";
import { naming, SqliteConnection } from "./connection";
import { userVersion } from "./examine";
import { inspect, type Inspected } from "./inspect";
import { decide, journalIn, keep, keptJournal, MODES } from "./journal";
import { discard, inMaking } from "./making";
import { schemaOf, stamp } from "./store";
import { useTemporaryFiles } from "./temporary";
import { undoneBy, type Undone } from "./undone";

/** A private copy of the file that is restored from: verified, and at this binary's schema. */
export interface Restorable {
  path: string;
  contents: Inspected;
  discard(): Promise<void>;
}

/**
 * Copies a file beside the store that is to be restored from it, with the log or journal that belongs to it, and
 * verifies the copy. The file itself is only read, and by no means of SQLite.
 * @throws CoopError busy while somebody writes the file; unavailable: foreign, newer or damaged for the file, and full,
 *   access or read_only for the store's folder.
 */
export async function prepare(file: string, store: string, wait: Wait): Promise<Restorable> {
  const path = inMaking(store, "restore", wait.clock);
  try {
    await copyAtRest(file, path).catch((thrown) => {
      throw asFolderError(thrown, dirname(store), "--db");
    });
    return { path, contents: await verify(path, file, wait), discard: () => discard(path) };
  } catch (thrown) {
    await discard(path);
    throw thrown;
  }
}

async function copyAtRest(named: string, to: string): Promise<void> {
  const file = ownPath(named);
  await requireReadable(file);
  // A stale log beside a file that has none would silently replace its content.
  const suffixes = ["", (await journalIn(file)) === "wal" ? "-wal" : "-journal"];
  const look = () => Promise.all(suffixes.map((suffix) => lookAt(file + suffix)));
  const before = await look();
  for (const [index, suffix] of suffixes.entries()) {
    if (suffix !== "" && before[index] === "") continue;
    if (suffix !== "") await requireReadable(file + suffix);
    await copyFile(file + suffix, to + suffix, constants.COPYFILE_FICLONE);
    await chmod(to + suffix, 0o600);
  }
  const after = await look();
  if (after.every((each, index) => each === before[index])) return;
  throw new CoopError("busy", `${named} is being written: it is a store in use`, {
    hint: `make a copy of it with coop --db ${shellWord(named)} backup`,
  });
}

/** @throws CoopError unavailable access, for a file that this process may not read. */
async function requireReadable(file: string): Promise<void> {
  await access(file, constants.R_OK).catch((thrown) => {
    throw cannotRead(file, thrown);
  });
}

/** The error for a file to restore from that the system does not let this process read or look at. */
export const cannotRead = (file: string, cause: unknown) =>
  new CoopError("unavailable", `${file} cannot be read`, {
    reason: "access",
    hint: "check its permissions and the sandbox you run in",
    cause,
  });

/** A file's size and time of change; "" for none, or an empty one. */
async function lookAt(path: string): Promise<string> {
  const there = await stat(path).catch(() => undefined);
  return there && there.size > 0 ? `${there.size} ${there.mtimeMs}` : "";
}

async function verify(path: string, file: string, wait: Wait): Promise<Inspected> {
  const asFile = <T>(work: () => T | Promise<T>) =>
    Promise.try(work).catch((thrown) => {
      throw aboutFile(thrown, path, file);
    });
  const { version, isArchive } = await asFile(() => settle(path, file, wait));
  if (isArchive) throw onlyArchive(file);
  if (version > schemaVersion()) throw newer(file, version);
  const contents = await asFile(() => inspect(path, file));
  if (version === schemaVersion()) return contents;
  const connection = await SqliteConnection.open(path, wait);
  try {
    await connection.transaction(async (tx) => {
      await migrate(tx, version);
      await stamp(connection);
    });
  } finally {
    await connection.close();
  }
  return inspect(path, file);
}

/** Puts the log or journal of a copy into it, takes the mark of a backup away, and looks what it is. */
async function settle(
  path: string,
  file: string,
  wait: Wait,
): Promise<{ version: number; isArchive: boolean }> {
  const connection = await SqliteConnection.open(path, wait);
  try {
    const version = await schemaOf(connection, file);
    await connection.run("pragma journal_mode = delete");
    await connection.all(sql`delete from meta where name = ${BACKUP_OF}`);
    return { version, isArchive: (await meta(connection, ARCHIVE_OF)) !== undefined };
  } finally {
    await connection.close();
  }
}

/** What is wrong with the copy, as an error of the file that the user named. */
function aboutFile(thrown: unknown, path: string, file: string): unknown {
  if (!(thrown instanceof CoopError)) return thrown;
  const { reason } = thrown.details;
  if (reason !== "foreign" && reason !== "damaged") return thrown;
  const hint =
    reason === "foreign"
      ? "name a snapshot or a backup that coop made"
      : "nothing was changed; try an older backup";
  const { code, message, details } = naming(thrown, `the store ${path}`, file);
  return new CoopError(code, message, { ...details, hint });
}

/** Whether SQLite finds no damage in a store. */
export async function isSound(store: Sql): Promise<boolean> {
  const [row] = await store.all<{ integrity_check: string }>(raw("pragma integrity_check(1)"));
  return row!.integrity_check === "ok";
}

/** The schema under which a copy is attached to the store's connection. */
const ATTACHED = "snapshot";

/** Lets a store's connection read a copy, to put all of it in. To be done outside of a transaction. */
export async function attach(store: Sql, { path }: Restorable): Promise<void> {
  await useTemporaryFiles(store);
  await store.all(sql`attach ${path} as ${raw(ATTACHED)}`);
  // The copy's keys were verified, and rows of all tables are put in as they are.
  await store.all(raw("pragma foreign_keys = off"));
}

export async function detach(store: Sql): Promise<void> {
  await store.all(raw(`detach ${ATTACHED}`));
  await store.all(raw("pragma foreign_keys = on"));
}

/** A number that is another one after any other connection has written. */
export async function versionOf(on: Sql): Promise<number> {
  const [row] = await on.all<{ data_version: number }>(raw("pragma data_version"));
  return row!.data_version;
}

/** The settings of a store itself, which are no data. */
const OWN = `name in ('journal', 'one_host', 'group', '${IDENTITY}', '${MOVED_TO}', '${MOVED_AT}', '${FILLED_FROM}', 'min_reader', 'min_writer')
  or name like 'mount:%' or name like 'snapshot_%'`;

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
  const version = await userVersion(tx);
  if (version !== schemaVersion()) throw newer("the store", version);
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
    sql`select name from pragma_table_list where schema = 'main' and type in ('table', 'shadow')
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
  const name = datedName(store.replace(/(\.db)?$/, ".before-restore.db"), at);
  return join(await makeBackupsFolder(store), name);
}

/**
 * Puts a copy in the place of what nobody can write to, in one rename. What was there is kept under another name, and so
 * is a log or journal beside it: it may be all that is left of a store, and would replace the content of the new one.
 * @param store its own path, with no link in it.
 * @param was what was there, and the name that it is kept under.
 * @throws CoopError busy, where something else has come there since; unavailable: full, access, read_only.
 */
export async function putInPlace(
  { path: copy }: Restorable,
  store: string,
  { there: was, kept }: { there: Stats | undefined; kept: string },
): Promise<void> {
  inspect(copy);
  try {
    const there = await stat(store);
    if (there.ino !== was?.ino)
      throw new CoopError("busy", `${store} was replaced while this command ran`, {
        hint: "nothing was changed; look at it, and repeat the command if need be",
      });
    await giveLike(there, copy);
    for (const suffix of ["", "-wal", "-journal"])
      if ((await lookAt(store + suffix)) !== "") await linkOrCopy(store + suffix, kept + suffix);
    for (const suffix of BESIDE) await rm(store + suffix, { force: true });
    await rename(copy, store);
    await syncFolder(dirname(store));
  } catch (thrown) {
    throw asFolderError(thrown, dirname(store), "--db");
  }
}

/** Gives a copy the journal that its place bears. */
export async function setJournal({ path }: Restorable, wait: Wait): Promise<void> {
  const connection = await SqliteConnection.open(path, wait);
  try {
    const { journal } = await decide(path, wait, await keptJournal(connection));
    await connection.run(`pragma journal_mode = ${MODES[journal]}`);
    await connection.transaction((tx) => keep(tx, { journal }, undefined));
  } finally {
    await connection.close();
  }
}
