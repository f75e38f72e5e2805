import { SQLiteError, type Database } from "bun:sqlite";
import { statSync } from "node:fs";
import { unavailable } from "../../errors";
import { requireRegular } from "../../files";
import { ARCHIVE_OF, BACKUP_OF, COPIED_FROM, CREATED_AT, IDENTITY, MOVED_TO } from "../schema";
import { APPLICATION_ID } from "./connection";
import { codeOf } from "./errors";
import type { Change } from "./lineage";
import { openDatabase } from "./open-file";

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
  /** The stores that it was moved to and copied from, as they were named. */
  counterparts: string[];
  /** It was moved: nobody writes to it any more. */
  closed: boolean;
  /** The newest event's time in ms since 1970, and its number; 0 when there is none. */
  lastEventAt: number;
  lastEvent: number;
  /** The newest event that is no redaction, which a copy may have had of its own. */
  lastChange: Change | undefined;
}

/** What a whole and sound coop file holds. */
export interface Inspected extends Identity {
  /** How many rows each table has. */
  rows: Record<string, number>;
}

/**
 * Reads all of a coop file that nobody writes to, through a connection of its own, and leaves nothing beside it.
 * @param name what errors call it.
 * @throws CoopError unavailable: foreign for what coop did not write, damaged, access.
 */
export function inspect(path: string, name = path): Inspected {
  return lookingInto(path, name, (database) => {
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
export const identity = (path: string) => lookingInto(path, path, identify);

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
    closed: setting(MOVED_TO) !== undefined,
    counterparts: [setting(MOVED_TO), setting(COPIED_FROM)].filter((name) => name !== undefined),
    lastEventAt: last?.at ?? 0,
    lastEvent: last?.id ?? 0,
    lastChange: newest("where verb <> 'redact'") ?? undefined,
  };
}

/** Opens a file as one that does not change: no locks, and no files beside it. */
function lookingInto<T>(path: string, name: string, work: (database: Database) => T): T {
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

const foreign = (name: string) =>
  unavailable("foreign", `${name} is no coop file`, "leave it as it is, and name another");

/** The error for a coop file that is damaged, and how. */
export const damaged = (name: string, how: string, cause?: unknown) =>
  unavailable("damaged", `${name} is damaged: ${how}`, "coop doctor says more", cause);
