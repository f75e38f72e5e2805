import { access, constants, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { CoopError, unavailable, usage } from "../../errors";
import {
  asFolderError,
  giveLike,
  lookAtPlace,
  makePrivate,
  renameUnlessThere,
  requireRegular,
  statIfThere,
} from "../../files";
import {
  ARCHIVE_OF,
  BACKUP_OF,
  JOURNAL,
  meta,
  migrate,
  requireKnown,
  schemaVersion,
  setMeta,
  setIdentity,
} from "../schema";
import { raw, type Connection, type Sql } from "../sql";
import type { Wait } from "../wait";
import { SqliteConnection } from "./connection";
import { naming } from "./errors";
import { identity } from "./inspect";
import { discard, removeAbandoned, snapshotInMaking } from "./making";
import { schemaOf, stamp } from "./store";

/** Where finished records of a store are moved to. */
export interface ArchiveFile {
  /** Its absolute path. */
  file: string;
  /** The store's own file, for whose users it is made; undefined for a store on a server, of which it is its maker's. */
  store: string | undefined;
}

/**
 * Opens the file that finished records of a store are moved to, and makes it if it is not there. It is a coop store by
 * itself, but for its setting `archive_of`, for which commands only read it.
 * @throws CoopError usage for what is no file; conflict state for a backup of an archive; unavailable: foreign for any
 *   other file, newer, damaged, access, read_only, full.
 */
export async function openArchive(
  { file, store }: ArchiveFile,
  of: string,
  wait: Wait,
): Promise<Connection> {
  await removeAbandoned(file, wait.clock);
  if (!(await isThere(file))) await make({ file, store }, of, wait);
  return prepared(file, of, wait).catch((thrown) => {
    throw isForeign(thrown) ? foreign(file) : thrown;
  });
}

/**
 * Looks whether items could be archived into a file, and changes nothing.
 * @throws the errors of {@link openArchive}.
 */
export async function requireArchivable(file: string, of: string): Promise<void> {
  const there = await isThere(file);
  await access(there ? file : dirname(file), constants.W_OK).catch((thrown) => {
    throw asFolderError(thrown, dirname(file), "--to");
  });
  if (!there || (await stat(file)).size === 0) return;
  const { archive_of: archive, backup_of: backup, schema } = identity(file);
  if (archive !== of) throw foreign(file);
  if (backup !== undefined) throw onlyBackupOf(file);
  requireKnown({ schema }, file);
}

/**
 * Reads all of an archive: what is moved into a damaged one may not be found again.
 * @throws CoopError unavailable damaged.
 */
export async function requireUndamaged(archive: Sql, file: string): Promise<void> {
  const [row] = await archive.all<{ quick_check: string }>(raw("pragma quick_check(1)"));
  if (row!.quick_check === "ok") return;
  throw unavailable(
    "damaged",
    `${file} is damaged`,
    "nothing was moved; name another file with --to, and keep this one",
  );
}

/** Whether a file is there. @throws CoopError usage for anything else; unavailable where none could be. */
async function isThere(file: string): Promise<boolean> {
  const there = await lookAtPlace(file);
  if (!there) return false;
  if (there.isDirectory()) throw usage(`${file} is a folder`, "name a file in it");
  requireRegular(file, there);
  return true;
}

/**
 * Makes an empty archive, whole under another name and then linked into place: of several that make one at once, also of
 * other stores, one does. Never makes the folder.
 */
async function make({ file, store }: ArchiveFile, of: string, wait: Wait): Promise<void> {
  const temporary = snapshotInMaking(file, wait.clock);
  try {
    await makePrivate(temporary);
    const like = store === undefined ? undefined : await statIfThere(store);
    if (like) await giveLike(like, temporary);
    await (await prepared(temporary, of, wait)).close();
    await renameUnlessThere(temporary, file);
  } catch (thrown) {
    const error = thrown instanceof CoopError ? naming(thrown, temporary, file) : thrown;
    throw asFolderError(error, dirname(file), "--to");
  } finally {
    await discard(temporary);
  }
}

/** Opens an archive of a store, and prepares it to be written. */
async function prepared(file: string, of: string, wait: Wait): Promise<Connection> {
  const connection = await SqliteConnection.open(file, wait);
  try {
    await prepare(connection, file, of);
    return connection;
  } catch (thrown) {
    await connection.close();
    throw thrown;
  }
}

/** Fills an empty file, brings an older archive up to this binary's schema, and refuses anything else. */
async function prepare(connection: SqliteConnection, file: string, of: string): Promise<void> {
  const [pages] = await connection.run("pragma page_count");
  const isEmpty = pages!["page_count"] === 0;
  if (!isEmpty && (await archiveVersion(connection, file, of)) === schemaVersion()) return;
  await connection.transaction(async (tx) => {
    // Another command may have done it since; the transaction has made a page of an empty file's.
    const [table] = await connection.run("select 1 from sqlite_schema limit 1");
    const version = isEmpty && !table ? 0 : await archiveVersion(connection, file, of);
    if (version === schemaVersion()) return;
    await migrate(tx, version);
    await stamp(connection);
    if (version > 0) return;
    const { clock } = connection.wait;
    await setIdentity(tx, clock.now(), clock);
    await setMeta(tx, ARCHIVE_OF, of);
    // It lies where nobody knows the file system, and is used by one command at a time.
    await setMeta(tx, JOURNAL, "rollback");
  });
}

/** The schema version of an archive of a store. @throws CoopError as {@link openArchive}. */
async function archiveVersion(
  connection: SqliteConnection,
  file: string,
  of: string,
): Promise<number> {
  const version = await schemaOf(connection, file);
  if ((await meta(connection, ARCHIVE_OF)) !== of) throw foreign(file);
  if ((await meta(connection, BACKUP_OF)) !== undefined) throw onlyBackupOf(file);
  requireKnown({ schema: version }, file);
  return version;
}

/** The error for a backup of an archive: what is moved into it would be lost to the next backup in its place. */
const onlyBackupOf = (file: string) =>
  new CoopError("conflict", `${file} is a backup of an archive: it is only for reading`, {
    reason: "state",
    hint: "name the archive itself, or a new file, with --to",
  });

const foreign = (file: string) =>
  unavailable(
    "foreign",
    `${file} is not an archive of this store`,
    "leave it as it is, and name another with --to",
  );

const isForeign = (thrown: unknown) =>
  thrown instanceof CoopError && thrown.details.reason === "foreign";
