import type { Stats } from "node:fs";
import { access, chmod, constants, copyFile, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { CoopError, unavailable } from "../../errors";
import {
  asFolderError,
  giveLike,
  linkOrCopy,
  ownPath,
  statIfThere,
  sync,
  syncFolder,
} from "../../files";
import { shellWord } from "../../shell";
import { BESIDE } from "../location";
import {
  ARCHIVE_OF,
  BACKUP_OF,
  meta,
  migrate,
  onlyArchive,
  requireKnown,
  schemaVersion,
} from "../schema";
import { raw, sql, type Sql } from "../sql";
import type { Wait } from "../wait";
import { SqliteConnection } from "./connection";
import { naming } from "./errors";
import { inspect, type Inspected } from "./inspect";
import { decide, journalIn, keepJournal, keptJournal, MODES } from "./journal";
import { fits, isDoubtful } from "./log";
import { leftBy } from "./refusal";
import { discard, inMaking } from "./making";
import { requireOwnJournal } from "./rollback-journal";
import { schemaOf, stamp } from "./store";

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
  const look = () => Promise.all(suffixes.map((suffix) => stampOf(file + suffix)));
  const before = await look();
  for (const [index, suffix] of suffixes.entries()) {
    if (suffix !== "" && before[index] === "") continue;
    if (suffix !== "") await requireReadable(file + suffix);
    await copyFile(file + suffix, to + suffix, constants.COPYFILE_FICLONE);
    await chmod(to + suffix, 0o600);
  }
  const after = await look();
  if (after.every((each, index) => each === before[index])) {
    if (suffixes[1] === "-journal") await requireOwnJournal(file);
    // Of the copy the times say nothing.
    if ((await isDoubtful(file)) && !(await fits(to))) throw leftBy("-wal", named);
    return;
  }
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
  unavailable(
    "access",
    `${file} cannot be read`,
    "check its permissions and the sandbox you run in",
    cause,
  );

/** A file's size and time of change, by which it is known again; "" for none, or an empty one. */
async function stampOf(path: string): Promise<string> {
  const there = await stat(path).catch(() => undefined);
  return there && there.size > 0 ? `${there.size} ${there.mtimeMs}` : "";
}

async function verify(path: string, file: string, wait: Wait): Promise<Inspected> {
  const asFile = <T>(work: () => T | Promise<T>) =>
    Promise.try(work).catch((thrown) => {
      throw aboutFile(thrown, path, file);
    });
  const { version, isArchive } = await asFile(() => takeIn(path, file, wait));
  if (isArchive) throw onlyArchive(file);
  requireKnown({ schema: version }, file);
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
async function takeIn(
  path: string,
  file: string,
  wait: Wait,
): Promise<{ version: number; isArchive: boolean }> {
  await using connection = await SqliteConnection.open(path, wait);
  const version = await schemaOf(connection, file);
  await connection.run("pragma journal_mode = delete");
  await connection.all(sql`delete from meta where name = ${BACKUP_OF}`);
  return { version, isArchive: (await meta(connection, ARCHIVE_OF)) !== undefined };
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

/**
 * Puts a copy in the place of what nobody can write to, in one rename. What was there is kept under another name, and so
 * is a log or journal beside it: it may be all that is left of a store, and would replace the content of the new one.
 * @param store its own path, with no link in it.
 * @param was what was there, and the name that it is kept under.
 * @throws CoopError busy, where something else has come there since; unavailable: full, access, read_only.
 */
export async function replaceFile(
  { path: copy }: Restorable,
  store: string,
  { there: was, kept }: { there: Stats | undefined; kept: string },
): Promise<void> {
  inspect(copy);
  try {
    await sync(copy, "r+");
    const there = await stat(store);
    if (there.ino !== was?.ino)
      throw new CoopError("busy", `${store} was replaced while this command ran`, {
        hint: "nothing was changed; look at it, and repeat the command if need be",
      });
    await giveLike(there, copy);
    for (const suffix of await left(store)) await linkOrCopy(store + suffix, kept + suffix);
    await syncFolder(dirname(kept));
    for (const suffix of BESIDE) await rm(store + suffix, { force: true });
    await rename(copy, store);
    await syncFolder(dirname(store));
  } catch (thrown) {
    throw asFolderError(thrown, dirname(store), "--db");
  }
}

/** By what is added to its path what there is of a store that nobody can write to: its file, its log, its journal. */
export async function left(store: string): Promise<string[]> {
  const stamps = await Promise.all(["", "-wal", "-journal"].map((each) => stampOf(store + each)));
  const [file, log, journal] = stamps.map((each) => each !== "");
  const beside = [...(log ? ["-wal"] : []), ...(journal ? ["-journal"] : [])];
  // An empty file too, beside which something is: together they are what there was.
  const isThere = file || (beside.length > 0 && (await statIfThere(store)) !== undefined);
  return isThere ? ["", ...beside] : beside;
}

/**
 * Takes the log of a copy into its file, which alone is put in place. SQLite does that when it closes it too, but then says
 * nothing of what goes wrong.
 */
export const takeLogIn = (copy: Sql) => copy.all(raw("pragma wal_checkpoint(truncate)"));

/** Gives a copy the journal that its place bears. */
export async function fitJournal({ path }: Restorable, wait: Wait): Promise<void> {
  await using connection = await SqliteConnection.open(path, wait);
  const { journal } = await decide(path, wait, await keptJournal(connection));
  await connection.run(`pragma journal_mode = ${MODES[journal]}`);
  await connection.transaction((tx) => keepJournal(tx, { journal }, undefined));
}
