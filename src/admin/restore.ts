import { access, constants, readlink, realpath, rm, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import * as v from "valibot";
import { written } from "../cli/answer";
import { repeatable } from "../cli/args";
import type { Context } from "../cli/context";
import { defineVerb, word } from "../cli/define";
import { inline, lines } from "../cli/text";
import { CoopError, usage } from "../errors";
import { isSameFile, statIfThere } from "../files";
import { ref } from "../ref";
import { forget } from "../store/keys";
import { openStore, sqlitePath, type Store } from "../store/open";
import { noteSnapshot, publishing } from "../store/publish";
import type { Sql } from "../store/sql";
import { makeBackupsFolder, publishedFile } from "../store/sqlite/backups";
import { codeOf } from "../store/sqlite/connection";
import {
  attach,
  detach,
  highestGiven,
  isSound,
  keepDated,
  logRestore,
  prepare,
  putInPlace,
  replaceRows,
  savedName,
  setJournal,
  skipAhead,
  versionOf,
  SKIP,
  type Restorable,
} from "../store/sqlite/restore";
import { snapshot } from "../store/sqlite/snapshot";

interface Restored {
  restored_from: string;
  /** Where the store is kept as it was; null where there was none. */
  saved_as: string | null;
  /** How many rows of each table of records. */
  records: Record<string, number>;
  events: number;
}

const RECORDS = ["letters", "requests", "todos", "history_entries", "queue_items"];

export default defineVerb({
  about:
    "put back the store as a snapshot or a backup holds it; keeps the present one under a dated name",
  examples: [
    "coop --as dad restore ~/pippa-db/backups/coop.latest.db",
    "coop --as dad restore /mnt/nas/coop/coop.2026-11-22T09-30-00.000Z.db",
  ],
  notes: `The file is verified first, and is not changed. What the store holds now is saved beside it, in
backups/coop.before-restore.DATE.db, which can be restored in turn. Then the rows are replaced inside the store in one
transaction: commands that run at that moment wait, and neither fail nor write into a file that is gone. Numbers go on
from the highest that was ever given. Only a store that cannot be opened is replaced as a file; numbers then skip
ahead by ${SKIP}.`,
  args: {
    file: word(
      v.pipe(
        v.string(),
        v.check((path) => path !== "" && !path.includes("\0"), "name a file"),
      ),
      "FILE",
      "a snapshot or a backup that coop made",
    ),
    ...repeatable,
  },
  run: async ({ file: given }, context) => {
    context.requireSpeaker();
    const path = sqlitePath(context.settings.location());
    const file = resolve(context.edge.folder, given);
    const store = await usable(path, context);
    if (!store) return written(await restoreFile(path, file, context), restoredText);
    return written(await restoreRows(store, path, file, context), restoredText);
  },
});

/**
 * The store, where it can be opened and is whole; undefined where it is not, or where there is none in its folder.
 * @throws CoopError unavailable: no_store without the folder; foreign for what another program made; access; busy.
 */
async function usable(path: string, context: Context): Promise<Store | undefined> {
  let store: Store | undefined;
  try {
    store = await context.store();
    if (await isSound(store)) return store;
  } catch (thrown) {
    if (!(await isBeyondUse(thrown, path))) throw thrown;
  }
  await store?.close();
  return undefined;
}

async function isBeyondUse(thrown: unknown, path: string): Promise<boolean> {
  if (!(thrown instanceof CoopError)) return false;
  const { reason } = thrown.details;
  if (reason === "damaged" || codeOf(thrown) === "SQLITE_NOTADB") return true;
  if (reason === "foreign") return (await stat(path)).size === 0;
  if (reason !== "no_store") return false;
  const [link, folder] = await Promise.all([
    readlink(path).catch(() => undefined),
    stat(dirname(path)).catch(() => undefined),
  ]);
  return link === undefined && folder?.isDirectory() === true;
}

/** Restores inside the store, in one transaction. */
async function restoreRows(store: Store, path: string, file: string, context: Context) {
  const source = await sourceOf(file, path, context).catch((thrown: unknown) => {
    // A repeat with its key is answered although the file is gone since.
    if (context.settings.key !== undefined) return { missing: thrown };
    throw thrown;
  });
  if ("missing" in source)
    return context.write<Restored>(async () => {
      throw source.missing;
    });
  const saved = await savedName(path, context.now());
  let done: { data: Restored; replayed: boolean } | undefined;
  let unknown = false;
  let other: Store | undefined;
  try {
    // Both are made ready before anything is locked, since that can open the files anew.
    await store.requireWritable({
      host: await context.edge.host(),
      warn: context.warn.bind(context),
    });
    other = await openStore(store.location, context.wait);
    const present = other;
    await attach(store, source);
    const version = await versionOf(store);
    await save(present, saved, context);
    done = await context.write(async (writing) => {
      // Each write that was acknowledged is in the copy: nobody has written since, or it is made anew while nobody can.
      if ((await versionOf(writing.tx)) !== version) await save(present, saved, context);
      const { lastEvent, redacted } = await replaceRows(writing.tx);
      await logRestore(writing, { from: file, saved_as: saved }, lastEvent);
      await forgetKey(writing.tx, context);
      for (const each of redacted) {
        const name = ref(each.surface, each.number);
        writing.warn(
          "redacted",
          `${name} is as it was before it was redacted: coop redact ${name}`,
        );
      }
      return answerOf(file, saved, source);
    });
    return done;
  } catch (thrown) {
    unknown = thrown instanceof CoopError && thrown.code === "unknown";
    throw thrown;
  } finally {
    await other?.close();
    await detach(store).catch(() => {});
    await source.discard();
    // Nothing was replaced.
    if (!unknown && (!done || done.replayed)) await rm(saved, { force: true }).catch(() => {});
  }
}

/** Saves the store as it is. */
async function save(store: Store, file: string, { edge }: Context): Promise<void> {
  try {
    await snapshot(store, file, edge);
  } catch (thrown) {
    if (!(thrown instanceof CoopError)) throw thrown;
    throw new CoopError(thrown.code, `the store could not be saved: ${thrown.message}`, {
      ...thrown.details,
      hint: "nothing was changed; make room beside the store, and repeat the command",
    });
  }
}

/** Puts a restored copy in the place of a store that is beyond use. */
async function restoreFile(path: string, file: string, context: Context) {
  const place = await realpath(path).catch(() => path);
  const source = await sourceOf(file, place, context);
  try {
    const there = await stat(place).catch(() => undefined);
    const name = await savedName(path, context.now());
    const saved = there && there.size > 0 ? name : null;
    const given = await highestGiven(path, source, context.wait);
    await setJournal(source, context.wait);
    const result = await opened(source.path, context, async (copy) => {
      await copy.transaction((tx) => forgetKey(tx, context));
      return context.write(async (writing) => {
        await skipAhead(writing.tx, given);
        await logRestore(writing, { from: file, saved_as: saved }, given.lastEvent + SKIP);
        return answerOf(file, saved, source);
      }, copy);
    });
    await putInPlace(source, place, name);
    context.warn(
      "replaced",
      `the store could not be opened, and was replaced: numbers go on ${SKIP} higher`,
    );
    await republish(path, context);
    return result;
  } finally {
    await source.discard();
  }
}

async function opened<T>(path: string, { wait }: Context, work: (store: Store) => Promise<T>) {
  const store = await openStore({ engine: "sqlite", path }, wait);
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

/** Publishes the restored store, which tells the next restore what numbers it has given, and keeps the last snapshot. */
async function republish(path: string, context: Context): Promise<void> {
  const { clock } = context.edge;
  const published = publishedFile(path);
  try {
    await opened(path, context, async (store) => {
      if ((await publishing(store)).every === 0) return;
      await makeBackupsFolder(path);
      await keepDated(published, path);
      const [at, begun] = [clock.now(), clock.elapsed()];
      await snapshot(store, published, { clock });
      await noteSnapshot(store, { at, took: clock.elapsed() - begun });
    });
  } catch (thrown) {
    if (!(thrown instanceof CoopError)) throw thrown;
    context.warn("not_published", `the store is restored, but not published: ${thrown.message}`);
  }
}

/**
 * A verified copy of the file that was named.
 * @throws CoopError not_found; usage for a folder or the store itself; busy; unavailable: foreign, newer, damaged, …
 */
async function sourceOf(file: string, path: string, { wait }: Context): Promise<Restorable> {
  const given = await statIfThere(file).catch((thrown) => {
    throw cannotRead(file, thrown);
  });
  if (!given)
    throw new CoopError("not_found", `there is no file ${file}`, { hint: "is its disk mounted?" });
  if (given.isDirectory())
    throw usage(`${file} is a folder`, "name a snapshot in it, such as backups/coop.latest.db");
  if (await isSameFile(file, path))
    throw usage(`${file} is the store itself`, "name a snapshot or a backup of it");
  await access(file, constants.R_OK).catch((thrown) => {
    throw cannotRead(file, thrown);
  });
  return prepare(file, path, wait);
}

const cannotRead = (file: string, cause: unknown) =>
  new CoopError("unavailable", `${file} cannot be read`, {
    reason: "access",
    hint: "check its permissions and the sandbox you run in",
    cause,
  });

/** The rows that were put in may hold this command's own key from before. */
async function forgetKey(tx: Sql, { settings: { id, verb, key } }: Context): Promise<void> {
  if (id !== undefined && key !== undefined) await forget(tx, { author: id, verb, key });
}

const answerOf = (file: string, saved: string | null, { contents }: Restorable): Restored => ({
  restored_from: file,
  saved_as: saved,
  records: Object.fromEntries(RECORDS.map((table) => [table, contents.rows[table] ?? 0])),
  events: contents.rows["events"] ?? 0,
});

function restoredText({ restored_from, saved_as, records, events }: Restored): string {
  const count = Object.values(records).reduce((sum, rows) => sum + rows, 0);
  return lines(
    `restored ${counted(count, "record")} and ${counted(events, "event")} from ${inline(restored_from)}`,
    saved_as !== null && `the store as it was: ${inline(saved_as)}`,
  );
}

const counted = (count: number, noun: string) => `${count} ${noun}${count === 1 ? "" : "s"}`;
