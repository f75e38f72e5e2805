import { CoopError } from "../../errors";
import type { Purpose, Store, Warn } from "../open";
import {
  breaksOlder,
  MOUNT_OF,
  needsUpgrade,
  requireNotNewer,
  schemaVersion,
  whileBringingUp,
} from "../schema";
import { sql, type Sql } from "../sql";
import type { Wait } from "../wait";
import { APPLICATION_ID, LOG_PAUSE_MS, LOG_TRIES, SqliteConnection } from "./connection";
import { isKeptOut } from "./errors";
import type { Host } from "./journal";
import { lookAround, lookAt, mayBeApart, type Look, type Place } from "./look";

/**
 * Opens the SQLite store that is there, and brings an older schema up to this binary's after a safety copy beside it. One
 * that this process may not write, or not even lock, is opened for reading alone.
 * @throws the errors of `openStore`.
 */
export async function openSqliteStore(
  path: string,
  wait: Wait,
  { warn = () => {}, writes = false }: Purpose = {},
): Promise<Store> {
  // The system is as long about the folder as the rest of opening takes.
  const begun = writes ? lookAround(path) : undefined;
  const file = await (begun ? begun.then((place) => place.file) : lookAt(path));
  if (file && mayBeApart(file)) {
    const { openApart } = await import("./apart");
    const store = await openApart(path, file, wait, warn);
    if (store) return store;
  }
  for (let tries = 1; ; tries++) {
    try {
      const store = await openToWrite(path, wait, warn, { file, begun });
      // Who writes is refused.
      if (file && file.nlink > 1 && !writes) {
        const { warnOfNames } = await import("./names");
        await warnOfNames(store, path, wait, warn);
      }
      return store;
    } catch (thrown) {
      if (!(thrown instanceof CoopError && isKeptOut(thrown))) throw thrown;
      if (tries === LOG_TRIES) {
        const { openToRead } = await import("./reading");
        return openToRead(path, wait, thrown, warn);
      }
      await wait.clock.sleep(tries * LOG_PAUSE_MS);
    }
  }
}

async function openToWrite(
  path: string,
  wait: Wait,
  warn: Warn,
  { file, begun }: { file: Look; begun: Promise<Place> | undefined },
): Promise<Store> {
  if (Bun.file(`${path}-wal`).size > 0 || Bun.file(`${path}-journal`).size > 0) {
    const { requireOwnLogs } = await import("./log");
    await requireOwnLogs(path, file);
  }
  const connection = await SqliteConnection.open(path, wait);
  try {
    return await verified(connection, path, warn, begun);
  } catch (thrown) {
    await connection.close();
    throw thrown;
  }
}

async function verified(
  connection: SqliteConnection,
  path: string,
  warn: Warn,
  begun: Promise<Place> | undefined,
): Promise<Store> {
  let version = await schemaOf(connection, path);
  await requireNotNewer(connection, version, "reader");
  if (version < schemaVersion()) {
    if (breaksOlder(version)) throw needsUpgrade(version);
    const { upgrade } = await import("./upgrade");
    await upgrade(connection, path, warn).catch((thrown) => {
      // Who is kept out reads, if that can be, and is told there.
      throw thrown instanceof CoopError && isKeptOut(thrown)
        ? thrown
        : whileBringingUp(thrown, version);
    });
    version = schemaVersion();
  }
  // While it is open it stays where it is, and nobody can change its journal.
  let fitted = false;
  return {
    location: { engine: "sqlite", path },
    schema: version,
    dialect: connection.dialect,
    all: (statement) => connection.all(statement),
    transaction: (work) => connection.transaction(work),
    close: () => connection.close(),
    requireWritable: async (writer) => {
      await requireNotNewer(connection, version, "writer");
      if (!writer || fitted) return;
      const { file, folder } = await (begun ?? lookAround(path));
      // Of what is mounted into a container the folder is mostly on another device.
      if (file && (file.nlink > 1 || file.dev !== folder?.dev)) {
        const { requireOwnPlace } = await import("./names");
        await requireOwnPlace(path, connection.wait);
      }
      const host = await hostOf(writer.host, path, file);
      if (!(await isFitted(connection, host))) {
        const { fitToMount } = await import("./journal");
        await fitToMount(connection, path, host, writer);
      }
      fitted = true;
    },
  };
}

/**
 * A host and where it sees a store: another mount at the same path has another device or other inodes.
 * @param file what it sees there.
 * @throws CoopError unavailable no_store.
 */
export async function hostOf(name: string, path: string, file: Look): Promise<Host> {
  if (file) return { name, place: `${file.dev}:${file.ino}` };
  const { moved } = await import("./refusal");
  throw await moved(path);
}

/** Whether the store's journal was chosen with this host's mount and SQLite as they are. */
async function isFitted(on: Sql, { name, place }: Host): Promise<boolean> {
  const rows = await on.all(sql`select 1 as settled from meta
    where name = ${MOUNT_OF + name} and value = ${place} || ' ' || sqlite_version()`);
  return rows.length > 0;
}

/**
 * The schema version of a coop store.
 * @throws CoopError unavailable foreign, when the file is not one.
 */
export async function schemaOf(connection: SqliteConnection, path: string): Promise<number> {
  const [application] = await connection.run("pragma application_id");
  const [user] = await connection.run("pragma user_version");
  const version = Number(user!["user_version"]);
  if (application!["application_id"] === APPLICATION_ID && version > 0) return version;
  const { absence, foreign } = await import("./refusal");
  throw (await absence(path)) ?? (await foreign(path));
}

/** Writes who made the file and its schema version, inside the caller's transaction. */
export async function stamp(connection: SqliteConnection): Promise<void> {
  await connection.run(`pragma application_id = ${APPLICATION_ID}`);
  await connection.run(`pragma user_version = ${schemaVersion()}`);
}
