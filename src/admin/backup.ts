import type { Stats } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { dirname, extname, join } from "node:path";
import { answer, type Answer } from "../cli/answer";
import type { Context } from "../cli/context";
import { defineVerb, flag, type InputOf } from "../cli/define";
import { counted, inline, lines } from "../cli/text";
import { CoopError, unavailable, usage } from "../errors";
import { isSameFile, lookAtPlace, noFolder, pathFrom, requireRegular } from "../files";
import { firstFew } from "../few";
import { isPartOfStore, requireShort } from "../store/location";
import { noteSnapshot, publishing } from "../store/publish";
import type { Store } from "../store/open";
import { BACKUP_OF, identityOf, meta, MOVED_TO, movedAway } from "../store/schema";
import {
  backupsFolder,
  datedAt,
  datedIn,
  datedName,
  hasMore,
  keepOthers,
  makeBackupsFolder,
  prune,
  publishedFile,
  type Pruned,
} from "../store/sqlite/backups";
import { identity } from "../store/sqlite/inspect";
import { requireOwnPlace } from "../store/sqlite/names";
import { copySnapshot, Overtaken, snapshot, type Snapshot } from "../store/sqlite/snapshot";
import { filePath, whole } from "../words";
import { NOUNS, recordsIn } from "./records";
import { size } from "./size";

interface Backup {
  file: string;
  bytes: number;
  schema: number;
  records: Record<string, number>;
  events: number;
  took_ms: number;
  removed: string[];
}

const args = {
  to: flag(
    filePath(
      "name a folder or a file",
      "coop copy --from STORE --to URL moves the store to a server",
    ),
    "PATH",
    "a folder that is there, for a dated name in it, or the file itself",
  ),
  keep: flag(
    whole("the number of backups to keep", 1, Number.MAX_SAFE_INTEGER),
    "N",
    "remove older dated backups of this store from that folder, but for the newest N",
  ),
};

export default defineVerb({
  unscoped: "all",
  about: "copy the store as it is now into a checked file; nobody has to stop for it",
  examples: [
    "coop backup",
    "coop backup --to /mnt/nas/coop --keep 48",
    "coop backup --to /tmp/coop-before.db",
  ],
  notes: `Without --to it goes to backups/coop.DATE.db beside the store, and backups/coop.latest.db is renewed with it. The copy
is made under another name, synced, read whole and checked, and then renamed: a file with the name of a backup is one.
It is only for reading: coop --db FILE todo list reads it, and coop restore FILE puts it back into a store.
A store on a PostgreSQL server becomes a file of SQLite, in the place that --to names.
--keep N leaves the newest N dated backups of this store in the folder, and removes only what coop wrote.`,
  args,
  run: async (input, context) => {
    const store = await context.store();
    const at = context.now();
    if (store.location.engine === "sqlite")
      return backUp(store, store.location.path, input, { at }, context);
    const { to } = input;
    if (to === undefined)
      throw usage("a store on a server has no folder beside it", "name one with --to");
    const place = pathFrom(context.edge.folder, to);
    // Before all of it is fetched.
    await requirePlace(place, to);
    const { withFileOf } = await import("./staged");
    for (;;)
      try {
        return await withFileOf(store, place, context, (file, path) =>
          backUp(file, path, input, { at, origin: store }, context),
        );
      } catch (thrown) {
        // What was fetched holds what is redacted since.
        if (!(thrown instanceof Overtaken)) throw thrown;
      }
  },
});

/**
 * Backs a store in a file up, as it was at a time.
 * @param origin the server's store that it was fetched from.
 */
async function backUp(
  store: Store,
  path: string,
  { to, keep }: InputOf<typeof args>,
  { at, origin }: { at: number; origin?: Store },
  context: Context,
): Promise<Answer> {
  requireLive(context);
  await requireOwnPlace(path, context.wait);
  await requireStore(store, path);
  const moved = await meta(store, MOVED_TO);
  // Both have the same backups: of what went on in the new store these have nothing, under a later date.
  if (moved !== undefined && keep !== undefined) throw movedAway(moved);
  const { file, dated } = await placeOf(to, path, at, store, context);
  if (keep !== undefined && !dated)
    throw usage("--keep is for dated backups, and --to names one file", "give --to a folder");

  const begun = context.edge.clock.elapsed();
  const made = await withProgress(path, context, (doing) =>
    snapshot(store, file, { clock: context.edge.clock, wait: context.wait, doing, origin }),
  );
  const took = Math.round(context.edge.clock.elapsed() - begun);
  if (made.blockedMs > 0 && store === (await context.store()))
    context.warn(
      "writers_waited",
      `writers had to wait ${made.blockedMs} ms: the store keeps a rollback journal`,
    );
  if (to === undefined) await republish(store, made, path, { at, took }, context);
  const [newest] = dated ? await datedIn(dirname(file), path).catch(() => []) : [];
  if (newest !== undefined && datedAt(path, newest)! > context.now())
    context.warn(
      "clock",
      `${newest} beside it has a later date: the clock of this host or of the one that made it is wrong`,
    );
  const { removed, kept, stuck }: Pruned =
    keep === undefined
      ? { removed: [], kept: [], stuck: [] }
      : await prune(store, dirname(file), path, { keep, made: file });
  if (kept.length > 0)
    context.warn(
      "has_more",
      `not removed, since the store has not what they have: ${firstFew(kept)}; was an older copy put in its place? ask the person`,
    );
  if (stuck.length > 0)
    context.warn(
      "not_removed",
      `could not be removed: ${firstFew(stuck)}; has another program one of them open, or is it another user's?`,
    );

  const { bytes, schema, rows } = made;
  const records = recordsIn(rows);
  const events = rows["events"] ?? 0;
  return answer<Backup>(
    { file, bytes, schema, records, events, took_ms: took, removed },
    backupText,
    { made: true },
  );
}

/**
 * Where the store itself cannot be read, its snapshot is read: to back that up would pass old for new.
 * @throws CoopError unavailable read_only.
 */
function requireLive({ warnings }: Context): void {
  const stale = warnings.find(({ code }) => code === "snapshot");
  if (!stale) return;
  throw unavailable(
    "read_only",
    `nothing to back up but a snapshot: ${stale.message}`,
    "run coop backup where the store can be written",
  );
}

/**
 * A backup of a backup would pass what is older for the newest.
 * @throws CoopError conflict state.
 */
async function requireStore(store: Store, path: string): Promise<void> {
  if ((await meta(store, BACKUP_OF)) === undefined) return;
  throw new CoopError("conflict", `${path} is a backup itself`, {
    reason: "state",
    hint: "copy the file as it is, or name the store itself with --db or PIPPA_COOP_DB",
  });
}

/** The file that a backup is written to, and whether its name is a date. */
async function placeOf(
  to: string | undefined,
  path: string,
  at: number,
  store: Store,
  { edge }: Context,
): Promise<{ file: string; dated: boolean }> {
  const given = to === undefined ? backupsFolder(path) : pathFrom(edge.folder, to);
  if (to === undefined || (given === backupsFolder(path) && !(await lookAtPlace(given))))
    return { file: join(await makeBackupsFolder(path), datedName(path, at)), dated: true };
  const there = await requirePlace(given, to);
  const file = there?.isDirectory() ? join(given, datedName(path, at)) : given;
  requireShort(file, "--to");
  if (file !== given) return { file, dated: true };
  if (!there) return { file: given, dated: false };
  requireRegular(given, there);
  const own = await realpath(given);
  await requireReplaceable(own, path, store);
  return { file: own, dated: false };
}

/**
 * What is at the place that `--to` names; undefined where a file can be made there.
 * @throws CoopError usage; unavailable access.
 */
async function requirePlace(given: string, to: string): Promise<Stats | undefined> {
  const there = await lookAtPlace(given);
  if (there?.isDirectory()) return there;
  if (isPartOfStore(given))
    throw usage(`SQLite takes ${given} for a part of a store`, "name the backup otherwise");
  // What is called like a folder is meant for one, such as that of a disk which is not mounted.
  if (/[\\/]$/.test(to) || (!there && extname(given) === ""))
    throw noFolder(given, ", or a file as NAME.db");
  return there;
}

/**
 * A backup takes the place of an older backup of the same store and of nothing else, a store least of all.
 * @throws CoopError usage for the store itself; unavailable foreign.
 */
async function requireReplaceable(file: string, path: string, store: Store): Promise<void> {
  if (await isSameFile(file, path))
    throw usage(`${file} is the store itself`, "name another file with --to");
  const { backup_of: of } = identity(file);
  const used = of !== undefined && (await lookAtPlace(`${file}-wal`)) !== undefined;
  if (!used && of === (await identityOf(store))) {
    if (!(await hasMore(file, store))) return;
    throw unavailable(
      "foreign",
      `${file} has what the store has not`,
      "was an older copy put in the store's place? ask the person, or name another with --to",
    );
  }
  const what = of === undefined ? "a store" : used ? "a store in use" : "a backup of another store";
  throw unavailable(
    "foreign",
    `${file} is ${what}`,
    "leave it as it is, and name another with --to",
  );
}

/** The published snapshot is never older than the newest backup beside it. */
async function republish(
  store: Store,
  made: Snapshot,
  path: string,
  noted: { at: number; took: number },
  context: Context,
): Promise<void> {
  try {
    const isWanted = (await publishing(store)).every > 0;
    if (!isWanted && !(await Bun.file(publishedFile(path)).exists())) return;
    await keepOthers(store, path);
    await copySnapshot(store, made, publishedFile(path), context.edge);
    // Without the note a later command makes it once more.
    const writer = { host: await context.edge.host(), warn: context.warn };
    await noteSnapshot(store, noted, writer).catch(() => {});
  } catch (thrown) {
    if (!(thrown instanceof CoopError)) throw thrown;
    context.warn("not_published", `the backup is made, but not published: ${thrown.message}`);
  }
}

/** What takes a second or more says what it is doing, on a terminal. */
const LONG_BYTES = 100e6;

async function withProgress<T>(
  path: string,
  { edge }: Context,
  work: (doing: (what: string) => Promise<void>) => Promise<T>,
): Promise<T> {
  const { size: bytes } = await stat(path);
  if (bytes < LONG_BYTES) return work(async () => {});
  try {
    return await work((what) => edge.progress(`coop: ${what} ${size(bytes)} …`));
  } finally {
    await edge.progress("");
  }
}

function backupText({ file, bytes, records, events, took_ms, removed }: Backup): string {
  const held = NOUNS.filter(([table]) => records[table]! > 0).map(([table, noun]) =>
    counted(records[table]!, noun),
  );
  return lines(
    `${inline(file)}: ${[size(bytes), ...held, counted(events, "event")].join(", ")}; checked, ${took_ms} ms`,
    removed.map((name) => `removed ${inline(name)}`),
  );
}
