import { statSync } from "node:fs";
import { CoopError, unavailable } from "../../errors";
import { ownPath } from "../../files";
import { age } from "../../time";
import type { Store, Warn } from "../open";
import { notBroughtUp, requireNotNewer, schemaVersion } from "../schema";
import type { Fragment, Row } from "../sql";
import type { Wait } from "../wait";
import { publishedFile } from "./backups";
import { SQLITE, SqliteConnection } from "./connection";
import { isKeptOut } from "./errors";
import { convert, decide, journalChanged, keptJournal } from "./journal";
import { userVersion } from "./examine";
import { openSqliteStore, schemaOf } from "./store";

/**
 * Opens for reading a store that SQLite cannot open as usual: the file as it is, where all is in it, else the snapshot
 * that was published beside it.
 * @param cause why it cannot be opened as usual; what a writing command is told.
 * @param isApart whether it is never to be opened as usual, by whoever sees no other host's locks.
 * @throws `cause`, where neither can be read; CoopError unavailable, for a schema that is not this binary's.
 */
export async function openToRead(
  path: string,
  wait: Wait,
  cause: CoopError,
  warn: Warn,
  isApart = false,
): Promise<Store> {
  const own = ownPath(path);
  const opened = look(own);
  const alone = isWhole(own) ? await openUnchanging(path, wait, cause) : undefined;
  let connection = alone ?? (await openSnapshot(path, wait, cause, warn));
  /** The store as it is opened usually, once that has become possible. */
  let usual: Store | undefined;
  const reopen = async () => {
    await connection.close();
    if (isApart) return (connection = await openSnapshot(path, wait, cause, warn));
    usual = await openSqliteStore(path, wait, { warn });
    return usual;
  };
  const store: Store = {
    location: { engine: "sqlite", path },
    schema: await userVersion(connection),
    dialect: SQLITE,
    all: async <R extends Row>(statement: Fragment) => {
      if (usual) return usual.all<R>(statement);
      const rows = connection.all<R>(statement);
      await rows.catch(() => {});
      // Nothing locks the file: what was read while somebody wrote to it may be half old and half new.
      const isFine = (isApart && connection !== alone) || look(own) === opened;
      return isFine ? rows : (await reopen()).all<R>(statement);
    },
    transaction: async (work) => {
      if (usual) return usual.transaction(work);
      throw cause;
    },
    requireWritable: async (writer) => {
      if (isApart) throw cause;
      if (!usual) {
        // Where a write-ahead log does not work, that may be all there is to it: the journal can be changed unopened.
        const { journal, because } = await decide(path, wait, await keptJournal(store));
        if (journal === "wal") throw cause;
        await convert(path, journal, wait);
        writer?.warn("journal", journalChanged(because));
      }
      if (!usual) await reopen();
      await usual!.requireWritable(writer);
    },
    close: () => (usual ?? connection).close(),
  };
  return store;
}

/** How the file at a store's own path and its log look from outside; both are the same as before when nobody has written. */
function look(path: string): string {
  return ["", "-wal", "-journal"]
    .map((suffix) => found(path + suffix))
    .map((file) => file && `${file.ino} ${file.size} ${file.mtimeMs}`)
    .join();
}

/** Whether nothing of a store is in a log beside it. */
const isWhole = (path: string) =>
  ["-wal", "-journal"].every((suffix) => !found(path + suffix)?.size);

/** A file as far as this process is let see it. */
function found(path: string) {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

async function openSnapshot(path: string, wait: Wait, cause: CoopError, warn: Warn) {
  const snapshot = publishedFile(path);
  const file = found(snapshot);
  const connection = file && (await openUnchanging(snapshot, wait, cause));
  if (!connection) throw cause;
  const old = age(wait.clock.now() - file.mtimeMs);
  warn("snapshot", `${cause.message}; this is from its snapshot of ${old} ago, ${snapshot}`);
  return connection;
}

/** Opens a file without any lock; undefined when this process may not even read it. */
async function openUnchanging(
  file: string,
  wait: Wait,
  cause: CoopError,
): Promise<SqliteConnection | undefined> {
  let connection: SqliteConnection | undefined;
  try {
    connection = await SqliteConnection.open(file, wait, "unchanging");
    const version = await schemaOf(connection, file);
    await requireNotNewer(connection, version, "reader");
    if (version >= schemaVersion()) return connection;
    throw unavailable(
      "read_only",
      notBroughtUp(file, version, cause.message),
      "run any coop command once where it can be written",
      cause,
    );
  } catch (thrown) {
    await connection?.close();
    if (isKeptOut(thrown)) return undefined;
    throw thrown;
  }
}
