import { Database, SQLiteError } from "bun:sqlite";
import { constants as files, statSync, type Stats } from "node:fs";
import { copyFile, open, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { CoopError, type UnavailableReason } from "../../errors";
import { asFolderError, giveLike, requireRegular } from "../../files";
import { sqlitePath, type Store } from "../open";
import { ARCHIVE_OF, BACKUP_OF, CREATED_AT, IDENTITY, identityOf } from "../schema";
import { first, raw, sql, type Fragment, type Value } from "../sql";
import type { Clock } from "../wait";
import { APPLICATION_ID, codeOf, isUnlocked, openDatabase } from "./connection";
import type { Change } from "./lineage";

/** What a coop file says of itself. */
export interface Identity {
  /** The schema version. */
  schema: number;
  /**
   * When the store was made that its records come from: RFC 3339, as `init` wrote it down. Tells what has one origin, from
   * which another store may have been restored too.
   */
  created_at: string | undefined;
  /** By what the backups of the store know it that it is, or was copied from. */
  identity: string | undefined;
  /** The identity of the store that it is a backup of; undefined for a file that is no backup. */
  backup_of: string | undefined;
  /** When the store was made that it is an archive of; undefined for a file that is no archive. */
  archive_of: string | undefined;
  /** The newest event's time in ms since 1970, and its number; 0 when there is none. */
  lastEventAt: number;
  lastEvent: number;
  /** The newest event that is no redaction, which a copy may have had of its own. */
  lastChange: Change | undefined;
}

/** What a whole and sound coop file holds. */
export interface Contents extends Identity {
  /** How many rows each table has. */
  rows: Record<string, number>;
}

export interface Snapshot extends Contents {
  /** Its absolute path. */
  file: string;
  bytes: number;
  /** How long nobody could write to the store, in ms: not at all where it keeps a write-ahead log, or no lock is taken. */
  blockedMs: number;
}

export interface SnapshotOptions {
  clock: Clock;
  /** Told what is being done, as one word, before each part that can take long. */
  doing?(what: "copying" | "checking"): Promise<void>;
}

/**
 * Copies a live SQLite store as it is at one moment into a file, marked as a backup of it, which is not there before it
 * is whole, on the disk and checked; what was there until then is replaced at that moment, or left as it is when the copy
 * fails. A copy that was overtaken by a redaction is made once more. Only opens the store by the connection that it is given: to open and close its files would drop that
 * connection's locks.
 * @param target an absolute path in a folder that is there.
 * @throws CoopError unavailable: full, access or read_only for the target; damaged; what the store throws.
 */
export async function snapshot(
  store: Store,
  target: string,
  { clock, doing }: SnapshotOptions,
): Promise<Snapshot> {
  const last = Number(await only(store, sql`select coalesce(max(id), 0) from events`));
  const journal = await only(store, raw("pragma journal_mode"));
  const blocks = journal !== "wal" && !(await isUnlocked(store));
  const of = await identityOf(store);
  const putting: Putting = {
    store,
    clock,
    like: await stat(sqlitePath(store.location)),
    fill: async (temporary) => {
      await doing?.("copying");
      const begun = clock.elapsed();
      await store.all(sql`vacuum into ${temporary}`);
      const blockedMs = blocks ? Math.ceil(clock.elapsed() - begun) : 0;
      mark(temporary, of);
      return blockedMs;
    },
    inspect: async (temporary) => {
      await doing?.("checking");
      const contents = inspect(temporary, `the copy for ${target}`);
      if (contents.schema >= store.schema && contents.lastEvent >= last) return contents;
      throw damaged(`the copy for ${target}`, "it lacks what the store has");
    },
  };
  for (;;) {
    const made = await put(target, putting);
    if (made) return made;
  }
}

/** Marks a copy in the making as a backup of a store. */
function mark(temporary: string, of: string): void {
  using database = new Database(temporary, { readwrite: true });
  // What becomes of it when this is cut off is nobody's concern, and it is synced as a whole.
  database.run("pragma journal_mode = off");
  database.run("pragma synchronous = off");
  database.run("insert or replace into meta (name, value) values (?, ?)", [BACKUP_OF, of]);
}

/**
 * Copies a snapshot of a store, with the same care.
 * @throws the errors of {@link snapshot}.
 */
export async function copySnapshot(
  store: Store,
  from: Snapshot,
  target: string,
  { clock }: SnapshotOptions,
): Promise<Snapshot> {
  const copied = await put(target, {
    store,
    clock,
    like: await stat(from.file),
    fill: async (temporary) => {
      await copyFile(from.file, temporary, files.COPYFILE_FICLONE);
      return 0;
    },
    inspect: async (temporary) => inspect(temporary, `the copy for ${target}`),
  });
  return copied ?? snapshot(store, target, { clock });
}

/** How a temporary beside its target is called; one that is left over was being written when its process was killed. */
export const temporaryOf = (target: string, clock: Clock) => `${target}.${clock.unique()}.snapshot`;

/** Whether a file's name is that of a snapshot that was never finished, or of the journal beside one. */
export const isTemporary = (name: string) => /\.snapshot(-journal)?$/.test(name);

/** Nothing is written into a temporary for this long unless its process is gone. */
const ABANDONED_MS = 3_600_000;

interface Putting {
  /** The store that it is of. */
  store: Store;
  clock: Clock;
  /** For whom it is to be. */
  like: Stats;
  /** Gives how long writers were blocked, in ms. */
  fill(temporary: string): Promise<number>;
  inspect(temporary: string): Promise<Contents>;
}

/** Makes a snapshot in its place; undefined, and nothing is made, where the store has redacted since what it holds. */
async function put(
  target: string,
  { store, clock, like, fill, inspect: look }: Putting,
): Promise<Snapshot | undefined> {
  const temporary = temporaryOf(target, clock);
  try {
    await removeAbandoned(target, clock);
    // Made beforehand, so that nobody else may read it at any moment and the system says what it refuses; SQLite takes
    // an empty file for none.
    await (await open(temporary, "wx", 0o600)).close();
    const blockedMs = await fill(temporary);
    await giveLike(like, temporary);
    await sync(temporary, "r+");
    const contents = await look(temporary);
    const { size } = await stat(temporary);
    if (await redactedSince(store, contents)) return undefined;
    await rename(temporary, target);
    await syncFolder(dirname(target));
    return { file: target, bytes: size, blockedMs, ...contents };
  } catch (thrown) {
    throw asTargetError(thrown, target);
  } finally {
    for (const suffix of ["", "-journal"])
      await rm(temporary + suffix, { force: true }).catch(() => {});
  }
}

/** Whether a text was redacted in a store after its last event that a copy has: that one still holds it. */
async function redactedSince(store: Store, { lastEvent }: Contents): Promise<boolean> {
  const found = await first(
    store,
    sql`select 1 as one from events where id > ${lastEvent} and verb = 'redact' limit 1`,
  );
  return found !== undefined;
}

/** Removes what killed processes left of earlier snapshots of the same target, or of the same but for its date. */
export async function removeAbandoned(target: string, clock: Clock): Promise<void> {
  const folder = dirname(target);
  const own = withoutDate(basename(target));
  for (const name of await readdir(folder).catch(() => [])) {
    const of = /^(.+)\.[0-9a-f-]{36}\.snapshot(-journal)?$/.exec(name)?.[1];
    if (of === undefined || withoutDate(of) !== own) continue;
    const path = join(folder, name);
    const written = await stat(path).catch(() => undefined);
    if (written && clock.now() - written.mtimeMs > ABANDONED_MS)
      await rm(path, { force: true }).catch(() => {});
  }
}

const withoutDate = (name: string) => name.replace(/\d{4}(-\d\d){2}T(\d\d-){2}\d\d\.\d{3}Z/, "");

/** Makes a file's content durable. Windows wants one that is open to be written: `r+`. */
export async function sync(path: string, flags: string): Promise<void> {
  const file = await open(path, flags);
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes a rename durable. Windows has no such thing, and some mounts have none either. */
export async function syncFolder(folder: string): Promise<void> {
  try {
    await sync(folder, "r");
  } catch (thrown) {
    if (codeOf(thrown) === "EIO") throw thrown;
  }
}

/**
 * Reads all of a coop file that nobody writes to, through a connection of its own, and leaves nothing beside it.
 * @param name what errors call it.
 * @throws CoopError unavailable: foreign for what coop did not write, damaged, access.
 */
export function inspect(path: string, name = path): Contents {
  return reading(path, name, (database) => {
    const all = <R>(statement: string) => database.query<R, []>(statement).all();
    const { integrity_check: found } = all<{ integrity_check: string }>(
      "pragma integrity_check(1)",
    )[0]!;
    if (found !== "ok") throw damaged(name, found.replace(/^\*.*\n/, ""));
    const [dangling] = all<{ table: string }>("pragma foreign_key_check");
    if (dangling) throw damaged(name, `rows of ${dangling.table} name records that are not there`);
    const tables = all<{ name: string }>(
      "select name from pragma_table_list where schema = 'main' and type = 'table' and name not like 'sqlite_%'",
    );
    const rows = tables.map(({ name: table }): [string, number] => [
      table,
      all<{ count: number }>(`select count(*) as count from "${table}"`)[0]!.count,
    ]);
    return { ...identify(database), rows: Object.fromEntries(rows) };
  });
}

/**
 * What a coop file says of itself; as cheap as opening it.
 * @throws CoopError unavailable: foreign for what coop did not write, damaged, access.
 */
export const identity = (path: string) => reading(path, path, identify);

function identify(database: Database): Identity {
  const newest = (where: string) =>
    database.query<Change, []>(`select id, at from events ${where} order by id desc limit 1`).get();
  const last = newest("");
  const schema = database.query<{ user_version: number }, []>("pragma user_version").get()!;
  const setting = (name: string) =>
    database.query<{ value: string }, [string]>("select value from meta where name = ?").get(name)
      ?.value;
  const created_at = setting(CREATED_AT);
  return {
    schema: schema.user_version,
    created_at,
    identity: setting(IDENTITY) ?? created_at,
    backup_of: setting(BACKUP_OF),
    archive_of: setting(ARCHIVE_OF),
    lastEventAt: last?.at ?? 0,
    lastEvent: last?.id ?? 0,
    lastChange: newest("where verb <> 'redact'") ?? undefined,
  };
}

/** Opens a file as one that does not change: no locks, and no files beside it. */
function reading<T>(path: string, name: string, work: (database: Database) => T): T {
  let database: Database | undefined;
  try {
    requireRegularIfThere(path);
    database = openDatabase(path, "unchanging");
    const { application_id: application } = database
      .query<{ application_id: number }, []>("pragma application_id")
      .get()!;
    if (application === APPLICATION_ID) return work(database);
    throw foreign(name);
  } catch (thrown) {
    throw asReadingError(thrown, name);
  } finally {
    database?.close();
  }
}

/** To open a pipe waits until somebody writes into it. What is not there is told by SQLite. */
function requireRegularIfThere(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found) requireRegular(path, found);
}

function asReadingError(thrown: unknown, name: string): unknown {
  if (!(thrown instanceof SQLiteError)) return thrown;
  const code = codeOf(thrown);
  if (code === "SQLITE_NOTADB") return foreign(name);
  return code.startsWith("SQLITE_CANTOPEN")
    ? unavailable("access", `${name} cannot be opened (${code})`, "check its permissions", thrown)
    : damaged(name, thrown.message, thrown);
}

const unavailable = (reason: UnavailableReason, message: string, hint: string, cause?: unknown) =>
  new CoopError("unavailable", message, { reason, hint, cause });

const foreign = (name: string) =>
  unavailable("foreign", `${name} is no coop file`, "leave it as it is, and name another");

const damaged = (name: string, how: string, cause?: unknown) =>
  unavailable("damaged", `${name} is damaged: ${how}`, "coop doctor says more", cause);

/** What SQLite met while it wrote the copy, as the system says it. */
const WRITING: readonly [pattern: RegExp, code: string][] = [
  [/^SQLITE_FULL/, "ENOSPC"],
  [/^SQLITE_(IOERR_(WRITE|FSYNC|DIR_FSYNC|TRUNCATE|CLOSE)|CANTOPEN)/, "EIO"],
];

function asTargetError(thrown: unknown, target: string): unknown {
  const code = WRITING.find(([pattern]) => pattern.test(codeOf(thrown)))?.[1];
  return asFolderError(code === undefined ? thrown : { code }, dirname(target), "--to");
}

/** The one value that a statement gives. */
async function only(store: Store, statement: Fragment): Promise<Value | undefined> {
  const row = await first(store, statement);
  return row && Object.values(row)[0];
}
