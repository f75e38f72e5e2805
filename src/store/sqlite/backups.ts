import { lstat, mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { unavailable } from "../../errors";
import {
  asFolderError,
  giveMode,
  giveOwner,
  linkOrCopy,
  ownPath,
  statIfThere,
  syncFolder,
} from "../../files";
import { timestamp } from "../../time";
import { identityOf } from "../schema";
import type { Sql } from "../sql";
import { identity, type Identity } from "./inspect";
import { lacks } from "./lineage";
import { isSnapshotInMaking } from "./making";

/** Where a store's backups are when nobody says otherwise: the folder `backups` beside it. */
export const backupsFolder = (store: string) => join(dirname(ownPath(store)), "backups");

/** The snapshot that writing commands renew: `backups/coop.latest.db` beside `coop.db`. */
export const publishedFile = (store: string) =>
  join(backupsFolder(store), `${stem(store)}.latest.db`);

/** Whether a path, with no link in it, is that of some store's published snapshot. */
export const isPublished = (path: string) => /[\\/]backups[\\/][^\\/]*\.latest\.db$/.test(path);

/** The name of a backup made at a time (ms since 1970): `coop.2026-11-22T09-30-00.000Z.db`. */
export const datedName = (store: string, at: number) =>
  `${stem(store)}.${timestamp(at).replaceAll(":", "-")}.db`;

const stem = (store: string) => basename(ownPath(store)).replace(/\.db$/, "");

/** Whether a file's name is one that coop gives to copies of a store, and to snapshots in the making. */
export const isNamedAsCopy = (store: string, name: string) =>
  isSnapshotInMaking(name) ||
  (name.startsWith(`${stem(store)}.`) && /\.(db|schema-\d+)(\.[^.]*)?$/.test(name));

const DATED = /^\.(\d{4}-\d{2}-\d{2}T\d{2})-(\d{2})-(\d{2}\.\d{3}Z)\.db$/;

/** When a file was made that has the name of a store's dated backup, in ms since 1970; undefined for any other name. */
export function datedAt(store: string, name: string): number | undefined {
  const own = stem(store);
  if (!name.startsWith(own)) return undefined;
  const [, day, minute, second] = DATED.exec(name.slice(own.length)) ?? [];
  const at = Date.parse(`${day}:${minute}:${second}`);
  return Number.isNaN(at) ? undefined : at;
}

/** The names of the dated backups in a folder, newest first. Throws what the system says where it cannot be read. */
export async function datedIn(folder: string, store: string): Promise<string[]> {
  const names = await readdir(folder);
  return names
    .filter((name) => datedAt(store, name) !== undefined)
    .sort()
    .reverse();
}

/**
 * Makes the folder `backups` beside a store if it is not there, for those who may use the store.
 * @throws CoopError unavailable: access, read_only, full.
 */
export async function makeBackupsFolder(store: string): Promise<string> {
  const folder = backupsFolder(store);
  try {
    const around = await stat(dirname(folder));
    const made = await mkdir(folder, { recursive: true, mode: 0o700 });
    if (made === undefined) return folder;
    await giveOwner(around, folder);
    await giveMode(folder, isShared(around.mode) ? GROUP | 0o700 : 0o700);
    return folder;
  } catch (thrown) {
    if ((thrown as { code?: string }).code === "EEXIST") throw notAFolder(folder, thrown);
    throw asFolderError(thrown, dirname(folder), "--to");
  }
}

/** @throws CoopError unavailable access, where something else is in the place of the folder `backups`. */
export async function requireBackupsFolder(store: string): Promise<void> {
  const folder = backupsFolder(store);
  if ((await statIfThere(folder))?.isDirectory()) return;
  if (await lstat(folder).catch(() => undefined)) throw notAFolder(folder);
}

/** What is in the place of a folder: a file, or a link to where nothing is. */
const notAFolder = (path: string, cause?: unknown) =>
  unavailable(
    "access",
    `${path} is there, but is no folder`,
    "move it away, or is what it links to not mounted? ask the person",
    cause,
  );

/** All that a group may do in a folder, and that what is made in the folder has its group. */
const GROUP = 0o2070;

/** Whether a folder's mode is that of one which `coop init --group` gave to a group. */
export const isShared = (mode: number) => (mode & GROUP) === GROUP;

/** What became of the dated backups that are no more of the newest, oldest first. */
export interface Pruned {
  removed: string[];
  /** Those that have what the store has not: they may be all there is of it. */
  kept: string[];
  /** Those that the system did not let go, such as what is another's, or on Windows open elsewhere. */
  stuck: string[];
}

/**
 * Removes all but the newest `keep` dated backups of a store from a folder, of `made` and those before it, and none that
 * has what the store has not. What another program or another store's coop wrote is left, whatever its name.
 */
export async function prune(
  on: Sql,
  folder: string,
  store: string,
  { keep, made }: { keep: number; made: string },
): Promise<Pruned> {
  const of = await identityOf(on);
  // Those that are dated later were made by a wrong clock, or are with this one: which are the newest is not to be told.
  const own = (await datedIn(folder, store).catch(() => []))
    .filter((name) => name <= basename(made))
    .map((name) => join(folder, name))
    .filter((path) => isBackupOf(of, path));
  const pruned: Pruned = { removed: [], kept: [], stuck: [] };
  for (const path of own.slice(keep).reverse()) {
    if (path === made) continue;
    if (await hasMore(path, on)) {
      pruned.kept.push(path);
      continue;
    }
    const gone = await rm(path, { force: true }).then(
      () => true,
      () => false,
    );
    pruned[gone ? "removed" : "stuck"].push(path);
  }
  return pruned;
}

/** Whether a file is a backup of the store with an identity. */
export const isBackupOf = (of: string, path: string) => storeOfBackup(path) === of;

/** Whether a backup or a snapshot is in a store's own folder for them, by which what is in its place was a store. */
export async function hasBackups(store: string): Promise<boolean> {
  const folder = backupsFolder(store);
  const names = await readdir(folder).catch(() => []);
  const isCalledSo = (name: string) =>
    name === basename(publishedFile(store)) ||
    [store, beforeRestore(store)].some((each) => datedAt(each, name) !== undefined);
  return names.some((name) => isCalledSo(name) && storeOfBackup(join(folder, name)) !== undefined);
}

/** What a store would be called that has the dated names of what was kept of this one before it was restored. */
export const beforeRestore = (store: string) => store.replace(/(\.db)?$/, ".before-restore.db");

/** The identity of the store that a file is a backup of; undefined where it is none, or cannot be read. */
export const storeOfBackup = (path: string): string | undefined => look(path)?.backup_of;

function look(path: string): Identity | undefined {
  try {
    return identity(path);
  } catch {
    return undefined;
  }
}

/**
 * Makes room for a store's published snapshot where one is that has what the store has not: of a lost store it may be all
 * there is, and likewise where an older copy was put in a store's place.
 * @throws CoopError unavailable: access, read_only, full.
 */
export async function keepOthers(on: Sql, store: string): Promise<void> {
  const published = publishedFile(store);
  if (!isBackupOf(await identityOf(on), published) || (await hasMore(published, on)))
    await keepDated(published, store);
}

/** Whether a file is a backup of a store, and has what the store has not. */
export async function hasMore(file: string, on: Sql): Promise<boolean> {
  const found = look(file);
  if (!found?.lastChange || found.backup_of !== (await identityOf(on))) return false;
  return lacks(on, found.lastChange);
}

/** Keeps the published snapshot as a dated backup: what replaces it may be older than it, or another store's. */
export async function keepDated(published: string, store: string): Promise<void> {
  const there = await lstat(published).catch(() => undefined);
  // A link or a pipe is what somebody put there, and no snapshot.
  if (!there?.isFile()) return;
  const dated = join(dirname(published), datedName(store, there.mtimeMs));
  if (await statIfThere(dated)) return;
  try {
    await linkOrCopy(published, dated).catch(async (thrown: { code?: string }) => {
      // What another user has left may be one that can neither be linked nor read here, but moved.
      if (thrown.code !== "EACCES" && thrown.code !== "EPERM") throw thrown;
      await rename(published, dated);
    });
    await syncFolder(dirname(dated));
  } catch (thrown) {
    if ((thrown as { code?: string }).code !== "EEXIST")
      throw asFolderError(thrown, dirname(published), "--db");
  }
}
