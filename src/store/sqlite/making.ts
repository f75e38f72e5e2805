import { readdir, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { ABANDONED_MS, makePrivate } from "../../files";
import { BESIDE } from "../location";
import type { Clock } from "../wait";

// What coop makes beside a store, under a name of its own until it is whole and in place. A command that is killed leaves
// it there, and others know it by its name.

/** The name of a store, a scratch database or a restored copy in the making, beside the store that it is for. */
export const inMaking = (
  store: string,
  what: "init" | "probe" | "restore",
  { unique }: Pick<Clock, "unique">,
) => `${store}.${what}-${unique()}`;

/** The name of a snapshot, an archive or a safety copy in the making, beside where it will be. */
export const snapshotInMaking = (target: string, { unique }: Pick<Clock, "unique">) =>
  `${target}.${unique()}.snapshot`;

/** The name of the copy that is kept of a store from before its schema was changed. */
export const safetyName = (store: string, schema: number) => `${store}.schema-${schema}`;

/** Whether a path is one of {@link safetyName}. */
export const isSafetyCopy = (path: string) => /\.schema-\d+$/.test(path);

/** Whether a file's name is one of {@link snapshotInMaking}, or that of the journal beside it. */
export const isSnapshotInMaking = (name: string) => /\.snapshot(-journal)?$/.test(name);

/** Whether a name is one that `coop init` gives a store until it is in place, and leaves where it is killed just then. */
export const isInitInMaking = (store: string, name: string) => name.startsWith(`${store}.init-`);

/**
 * What a file beside a store is, or beside its backups: something in the making, or a safety copy; undefined for any other.
 * @param store the name of the store's file.
 */
export function madeBeside(
  store: string,
  name: string,
): "in the making" | "safety copy" | undefined {
  if (isSnapshotInMaking(name)) return "in the making";
  if (!name.startsWith(`${store}.`)) return undefined;
  const rest = name.slice(store.length + 1);
  if (/^((init|probe|restore)-|schema-\d+\.)/.test(rest)) return "in the making";
  return /^schema-\d+$/.test(rest) ? "safety copy" : undefined;
}

/** The beginning of the name of a folder that holds a server's store as a file, while that is copied from. */
export const STAGED = ".coop-copy-";

/** Removes what killed processes left of earlier snapshots of the same target, or of the same but for its date or schema. */
export async function removeAbandoned(target: string, clock: Clock): Promise<void> {
  const folder = dirname(target);
  const own = withoutAge(basename(target));
  const left = (await readdir(folder).catch(() => [])).filter((name) => {
    const of = /^(.+)\.[0-9a-f-]{36}\.snapshot(-journal)?$/.exec(name)?.[1];
    return of !== undefined && withoutAge(of) === own;
  });
  if (left.length === 0) return;
  const now = await timeThere(snapshotInMaking(target, clock));
  for (const name of left) {
    const path = join(folder, name);
    const written = await stat(path).catch(() => undefined);
    if (written && now - written.mtimeMs > ABANDONED_MS)
      await rm(path, { force: true }).catch(() => {});
  }
}

/**
 * What time it is by the clock of a folder's file system, in ms since 1970: a server's can be another than this host's, and
 * by that what is being written could pass for abandoned. 0 where nothing can be made there.
 * @param scratch a path there at which nothing is.
 */
async function timeThere(scratch: string): Promise<number> {
  try {
    await makePrivate(scratch);
    return (await stat(scratch)).mtimeMs;
  } catch {
    return 0;
  } finally {
    await rm(scratch, { force: true }).catch(() => {});
  }
}

/** Removes the folders that killed processes left where a server's store was copied from: each holds all of it. */
export async function removeAbandonedStages(beside: string, clock: Clock): Promise<void> {
  const left = (await readdir(beside).catch(() => [])).filter((name) => name.startsWith(STAGED));
  if (left.length === 0) return;
  const now = await timeThere(snapshotInMaking(join(beside, STAGED), clock));
  for (const name of left) {
    const folder = join(beside, name);
    const files = await readdir(folder).catch(() => []);
    const paths = [folder, ...files.map((file) => join(folder, file))];
    const times = await Promise.all(
      paths.map((path) =>
        stat(path).then(
          ({ mtimeMs }) => mtimeMs,
          () => 0,
        ),
      ),
    );
    if (now - Math.max(...times) > ABANDONED_MS)
      await rm(folder, { recursive: true, force: true }).catch(() => {});
  }
}

const withoutAge = (name: string) =>
  name.replace(/\d{4}(-\d\d){2}T(\d\d-){2}\d\d\.\d{3}Z|(?<=\.schema-)\d+$/, "");

/**
 * Removes a database in the making, if it is there, with what SQLite keeps beside it. Where nothing may be removed, nothing
 * was made.
 */
export async function discard(database: string): Promise<void> {
  for (const suffix of ["", ...BESIDE])
    await rm(database + suffix, { force: true }).catch(() => {});
}
