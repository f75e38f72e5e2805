import { readdir, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { CoopError, unavailable } from "../../errors";
import { isSameFile, ownPath, statIfThere } from "../../files";
import type { Warn } from "../open";
import { ARCHIVE_OF, BACKUP_OF, meta } from "../schema";
import type { Sql } from "../sql";
import type { Wait } from "../wait";
import { isInitInMaking } from "./making";
import { isMountedAlone } from "./mount";

/** For a moment coop itself gives a store a second name, to put it in place: how often that is looked at, and the pause in ms. */
const TRIES = 10;
const PAUSE_MS = 20;

/**
 * Refuses to write to a file that SQLite keeps a log for which others do not see: one of several names, or one that is
 * mounted without its folder.
 * @throws CoopError unavailable access.
 */
export async function requireOwnPlace(store: string, wait: Wait): Promise<void> {
  if (isMountedAlone(ownPath(store))) throw mountedAlone();
  await requireOneName(store, wait);
}

/** Warns who reads of other names, by which what was written last can be out of sight; nothing is written to a copy. */
export async function warnOfNames(on: Sql, store: string, wait: Wait, warn: Warn): Promise<void> {
  try {
    for (const mark of [BACKUP_OF, ARCHIVE_OF]) if ((await meta(on, mark)) !== undefined) return;
    await requireOneName(store, wait);
  } catch (thrown) {
    if (!(thrown instanceof CoopError)) throw thrown;
    warn("names", thrown.message);
  }
}

/** The error for a store whose file alone is mounted. */
export const mountedAlone = () =>
  unavailable(
    "access",
    "the store's file is a mount of its own: what is written here is lost to whoever has it in its folder",
    "mount the folder that the store is in, not the file",
  );

/**
 * Refuses to write to a file of several names: each has a log of its own, and what is written by one is lost to the other.
 * @throws CoopError unavailable access, naming those in the store's folder.
 */
async function requireOneName(store: string, wait: Wait): Promise<void> {
  const path = ownPath(store);
  for (let tries = 1; ; tries++) {
    // What is gone by now is told of when it is written.
    const nlink = (await statIfThere(path))?.nlink ?? 0;
    if (nlink <= 1) return;
    const others = await otherNames(path);
    if (tries === TRIES)
      throw unavailable(
        "access",
        `${path} is a file of ${nlink} names${others.length > 0 ? `, also ${others.join(", ")}` : ""}: what is written by one is lost to the other`,
        "ask the person: remove the others while nobody uses the store",
      );
    for (const other of others)
      if (isInitInMaking(basename(path), basename(other))) await rm(other, { force: true });
    await wait.clock.sleep(PAUSE_MS);
  }
}

/** The paths of a file's other names in its own folder. */
async function otherNames(path: string): Promise<string[]> {
  const folder = dirname(path);
  const others: string[] = [];
  for (const name of await readdir(folder).catch(() => [])) {
    const file = join(folder, name);
    const isLink = name !== basename(path) && (await isSameFile(file, path));
    if (isLink && ownPath(file) === file) others.push(file);
  }
  return others;
}
