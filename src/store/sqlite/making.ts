import { readdir, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
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

/** Nothing is written into what is in the making for this long unless its process is gone. */
const ABANDONED_MS = 3_600_000;

/** Removes what killed processes left of earlier snapshots of the same target, or of the same but for its date or schema. */
export async function removeAbandoned(target: string, clock: Clock): Promise<void> {
  const folder = dirname(target);
  const own = withoutAge(basename(target));
  for (const name of await readdir(folder).catch(() => [])) {
    const of = /^(.+)\.[0-9a-f-]{36}\.snapshot(-journal)?$/.exec(name)?.[1];
    if (of === undefined || withoutAge(of) !== own) continue;
    const path = join(folder, name);
    const written = await stat(path).catch(() => undefined);
    if (written && clock.now() - written.mtimeMs > ABANDONED_MS)
      await rm(path, { force: true }).catch(() => {});
  }
}

/** Removes the folders that killed processes left where a server's store was copied from: each holds all of it. */
export async function removeAbandonedStages(beside: string, clock: Clock): Promise<void> {
  for (const name of await readdir(beside).catch(() => [])) {
    if (!name.startsWith(STAGED)) continue;
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
    if (clock.now() - Math.max(...times) > ABANDONED_MS)
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
