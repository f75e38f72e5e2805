import { unavailable } from "../../errors";
import { identityOf } from "../schema";
import { RESTORE_IT } from "../sql";
import { asSql } from "./connection";
import { codeOf } from "./errors";
import { openDatabase, type Opening } from "./open-file";
import { lookAt, type Look } from "./look";
import { leftBy } from "./refusal";
import { requireOwnJournal } from "./rollback-journal";

/**
 * Refuses a store beside which another one left a log or a journal, and an empty file beside which one is at all: SQLite
 * would remove what may be all that is left of the store.
 * @param path its own, with no link in it: by that SQLite finds what is beside it.
 * @param seen what the system says of the store's file, where it was asked before.
 * @throws CoopError unavailable damaged.
 */
export async function requireOwnLogs(path: string, seen?: Look): Promise<void> {
  await requireNotEmptied(path, seen);
  await requireOwnLog(path, seen);
  await requireOwnJournal(path);
}

/**
 * Refuses an empty file beside which a log or a journal is.
 * @throws CoopError unavailable damaged.
 */
export async function requireNotEmptied(path: string, seen?: Look): Promise<void> {
  if ((seen ?? (await lookAt(path)))?.size !== 0) return;
  for (const suffix of ["-wal", "-journal"])
    if (Bun.file(path + suffix).size > 0)
      throw unavailable(
        "damaged",
        `${path} is empty, and ${path}${suffix} holds what was written to it`,
        `${RESTORE_IT}; coop restore keeps both`,
      );
}

/**
 * Refuses a store beside which another one left its write-ahead log: SQLite would put that log's pages into the file.
 * Nothing in a log says whose it is; but one that was written last before its store was put at its path, or made,
 * is doubtful, and then what both give together is looked through.
 * @param seen what the system says of the store's file, where it was asked before.
 * @throws CoopError unavailable damaged, when the file is sound without the log, and with it not, or another store.
 */
async function requireOwnLog(path: string, seen?: Look): Promise<void> {
  if ((await isDoubtful(path, seen)) && !(await fits(path))) throw leftBy("-wal", path);
}

/** Whether a log beside a store was written last before the store was put there, or was put there itself. */
export async function isDoubtful(path: string, seen?: Look): Promise<boolean> {
  const name = `${path}-wal`;
  if (Bun.file(name).size === 0) return false;
  const [store, log] = await Promise.all([seen ?? lookAt(path), lookAt(name)]);
  return log !== undefined && (putAt(store) > log.mtimeMs || isPut(log));
}

/** Whether a file says that it was written before it was made, or after it was last changed in any way, as a copy can. */
const isPut = ({ birthtimeMs, ctimeMs, mtimeMs }: NonNullable<Look>) =>
  birthtimeMs - mtimeMs > COARSE_MS || mtimeMs - ctimeMs > COARSE_MS;

/** The coarsest that file systems keep times. */
const COARSE_MS = 2000;

/** Whether a file and its log together are the store that the file is alone; also where that is not whole by itself. */
export async function fits(path: string): Promise<boolean> {
  return !isSound(path, "unchanging") || (isSound(path, "read-only") && (await goesOn(path)));
}

/** When a file was made or moved, or its permissions were changed; 0 when there is none. */
function putAt(file: Look): number {
  if (!file) return 0;
  // To write a file sets both times alike.
  return Math.max(file.birthtimeMs, file.ctimeMs === file.mtimeMs ? 0 : file.ctimeMs);
}

function isSound(path: string, opening: Opening): boolean {
  try {
    using database = openDatabase(path, opening);
    return database.query("pragma quick_check(1)").values()[0]?.[0] === "ok";
  } catch (thrown) {
    return isUntold(thrown);
  }
}

/** Whether a file and its log together are the store that the file is alone, and have what that has. */
async function goesOn(path: string): Promise<boolean> {
  const [{ identity }, { lacks }] = await Promise.all([import("./inspect"), import("./lineage")]);
  try {
    const alone = identity(path);
    // Of a store without a change nothing can be lost, and to copy another into it makes it that one.
    if (!alone.lastChange) return true;
    using database = openDatabase(path, "read-only");
    const both = asSql(database);
    return (await identityOf(both)) === alone.identity && !(await lacks(both, alone.lastChange));
  } catch (thrown) {
    return isUntold(thrown);
  }
}

/** What else keeps it from being looked through, such as a lock, its user is told when it is opened. */
const isUntold = (thrown: unknown) => !/^SQLITE_(CORRUPT|NOTADB)/.test(codeOf(thrown));
