import type { Stats } from "node:fs";
import { rm, stat } from "node:fs/promises";
import { written } from "../cli/answer";
import { repeatable } from "../cli/args";
import type { Context } from "../cli/context";
import { defineVerb, word } from "../cli/define";
import { counted, inline, lines } from "../cli/text";
import { CoopError, usage } from "../errors";
import { isSameFile, ownPath, pathFrom, requireRegular, statIfThere } from "../files";
import { shellWord } from "../shell";
import type { RestoreEvent } from "../store/archived";
import { SKIP, skipAhead } from "../store/counters";
import { forget } from "../store/keys";
import { describe, type Location } from "../store/location";
import { openStore, type Store } from "../store/open";
import { publishing } from "../store/publish";
import { identityOf } from "../store/schema";
import type { Sql } from "../store/sql";
import {
  hasBackups,
  isPublished,
  keepDated,
  publishedFile,
  storeOfBackup,
} from "../store/sqlite/backups";
import { codeOf } from "../store/sqlite/errors";
import { dataVersion, isSound } from "../store/sqlite/examine";
import { highestGiven, identityLeft, requireNotMoved, type Highest } from "../store/sqlite/left";
import { renew } from "../store/sqlite/renew";
import {
  cannotRead,
  fitJournal,
  prepare,
  replaceFile,
  left,
  takeLogIn,
  type Restorable,
} from "../store/sqlite/restorable";
import {
  attach,
  detach,
  keepIdentity,
  logRestore,
  replaceRows,
  savedName,
} from "../store/sqlite/restore";
import { snapshot } from "../store/sqlite/snapshot";
import type { Writing } from "../store/write";
import { filePath } from "../words";
import { recordsIn } from "./records";

interface Restored {
  restored_from: string;
  /** Where the store is kept as it was; null where its file was empty. */
  saved_as: string | null;
  /** How many rows of each table of records. */
  records: Record<string, number>;
  events: number;
}

export default defineVerb({
  unscoped: "all",
  about:
    "put back the store as a snapshot or a backup holds it; keeps the present one under a dated name",
  examples: [
    "coop --as dad restore ~/pippa-db/backups/coop.latest.db",
    "coop --as dad restore /mnt/nas/coop/coop.2026-11-22T09-30-00.000Z.db",
  ],
  notes: `The file is verified first, and is not changed. What the store holds now is saved beside it, in
backups/coop.before-restore.DATE.db, which can be restored in turn. Then the rows are replaced inside the store in one
transaction: commands that run at that moment wait, and neither fail nor write into a file that is gone. Numbers go on
from the highest that was ever given; where that cannot be known, of another store's file, they skip ahead by ${SKIP}. So
they do where the store cannot be opened, or is a backup that was put in its place, which FILE may name then: that alone is
replaced as a file. The versions of records go back too, so --if-version can fit what was changed since. Only coop init
makes a store: on a new machine give that first.`,
  args: {
    file: word(
      filePath("name a file", "coop copy --from URL --to STORE brings a store back from a server"),
      "FILE",
      "a snapshot or a backup that coop made",
    ),
    ...repeatable,
  },
  run: async ({ file: given }, context) => {
    context.requireSpeaker();
    const file = pathFrom(context.edge.folder, given);
    const location = context.settings.location();
    if (location.engine !== "sqlite") throw onServer(location, file);
    const path = ownPath(location.path);
    const found = await usable(path, context);
    const asFile = "why" in found;
    const result = asFile
      ? restoreFile(path, file, found, context)
      : restoreRows(found, path, file, context);
    return { ...written(await result, restoredText), made: asFile };
  },
});

/** The error for a store whose rows are not replaced, since a server keeps others out of it in its own way. */
const onServer = (location: Location, file: string) =>
  usage(
    `${describe(location)} is on a server, and what is restored is a store in a file`,
    `fill a new store on the server: coop --db 'postgres://…?schema=NEW' init, then coop copy --from ${shellWord(file)} --to that one`,
  );

/** What is in a store's place, and nobody can write to. */
interface Unusable {
  why: string;
  /** It is a backup, put there by hand. */
  backup: boolean;
  /** The file as it was then; one that has come in its place since may be in use. */
  there: Stats | undefined;
}

/**
 * The store, where it can be opened and is whole and no backup; else what is the matter with it.
 * @throws CoopError unavailable: no_store; foreign for what another program made; access; busy.
 */
async function usable(path: string, context: Context): Promise<Store | Unusable> {
  const there = await stat(path).catch(() => undefined);
  // Before the store is opened, which may then be by its snapshot; and to look into its file while it is open drops its locks.
  if (there?.isFile() && storeOfBackup(path) !== undefined) {
    return { why: "was a backup put in its place", backup: true, there };
  }
  let store: Store | undefined;
  try {
    store = await context.store();
    if (await isSound(store)) return store;
  } catch (thrown) {
    if (!(await isBeyondUse(thrown, path))) throw thrown;
  }
  await store?.close();
  return { why: "could not be opened", backup: false, there };
}

/** Whether what is at a path was a store. An empty file, or one that is no database, is one where a backup of it is left. */
async function isBeyondUse(thrown: unknown, path: string): Promise<boolean> {
  if (!(thrown instanceof CoopError)) return false;
  const { reason } = thrown.details;
  if (reason === "damaged") return true;
  if (reason !== "foreign") return false;
  const there = await stat(path);
  const nothing = there.isFile() && (there.size === 0 || codeOf(thrown) === "SQLITE_NOTADB");
  return nothing && hasBackups(path);
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
  const saved = await savedName(path, context.now()).catch(async (thrown) => {
    await source.discard();
    throw thrown;
  });
  let done: { data: Restored; replayed: boolean } | undefined;
  let unknown = false;
  let other: Store | undefined;
  try {
    // Both are made ready before anything is locked, since that can open the files anew.
    await store.requireWritable({
      host: await context.edge.host(),
      warn: context.warn,
    });
    other = await openStore(store.location, context.wait);
    const present = other;
    await attach(store, source);
    const version = await dataVersion(store);
    await save(present, saved, context);
    const ahead =
      source.contents.identity === (await identityOf(store))
        ? undefined
        : await highestGiven(path, source, { wait: context.wait, open: true });
    // To make ready can have taken longer than others are to be waited for.
    context.wait.renew();
    done = await context.write(async (writing) => {
      // Each write that was acknowledged is in the copy: nobody has written since, or it is made anew while nobody can.
      if ((await dataVersion(writing.tx)) !== version) await save(present, saved, context);
      await replaceAll(writing, { from: file, saved_as: saved }, ahead);
      await forgetKey(writing.tx, context);
      return answerOf(file, saved, source);
    });
    if (ahead && !done.replayed) {
      context.warn("skipped", `${file} is of another store: numbers go on ${SKIP} higher`);
      await republish(path, context);
    }
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

/**
 * Replaces the rows by those of the attached copy, logs it, and warns of what is undone by that.
 * @param ahead what is known of the numbers that the copy's own store gave, where that is another one.
 */
async function replaceAll(
  writing: Writing,
  what: RestoreEvent,
  ahead: Highest | undefined,
): Promise<void> {
  const { lastEvent, undone } = await replaceRows(writing.tx);
  if (ahead) await skipAhead(writing.tx, ahead.counters);
  const last = Math.max(lastEvent, ahead ? ahead.lastEvent + SKIP : 0);
  const redacted = undone.redactions.length > 0 && { redacted: undone.redactions };
  await logRestore(writing, { ...what, ...redacted }, last);
  for (const name of undone.unredacted)
    writing.warn(
      "redacted",
      `${name} is as it was before it was redacted: coop redact ${name} --text TEXT (without --text all of it is gone)`,
    );
  for (const archive of undone.archives)
    writing.warn(
      "archived",
      `items that went into ${archive} since are here again as they were before, also those that were redacted there`,
    );
}

/** Saves the store as it is. */
async function save(store: Store, file: string, { edge }: Context): Promise<void> {
  try {
    await snapshot(store, file, edge);
  } catch (thrown) {
    if (!(thrown instanceof CoopError)) throw thrown;
    throw new CoopError(thrown.code, `the store could not be saved: ${thrown.message}`, {
      ...thrown.details,
      hint:
        thrown.details.reason === "full"
          ? "nothing was changed; make room beside the store, and repeat the command"
          : "nothing was changed; let it be written there, and repeat the command",
    });
  }
}

/** Puts a restored copy in the place of what nobody can write to. */
async function restoreFile(
  path: string,
  file: string,
  { why, backup, there }: Unusable,
  context: Context,
) {
  if (isPublished(path))
    throw usage(
      `${path} is the snapshot of a store, which the next one replaces`,
      "name the store itself with --db or PIPPA_COOP_DB",
    );
  await requireNotMoved(path, context.wait);
  const source = await sourceOf(file, path, context, { orItself: backup });
  try {
    const name = await savedName(path, context.now());
    const saved = (await left(path)).length > 0 ? name : null;
    const given = await highestGiven(path, source, { wait: context.wait, open: false });
    const identity = (await identityLeft(path, context.wait)) ?? context.edge.clock.unique();
    await fitJournal(source, context.wait);
    const result = await opened(source.path, context, async (copy) => {
      await copy.transaction((tx) => forgetKey(tx, context));
      const done = await context.write(async (writing) => {
        await keepIdentity(writing.tx, identity);
        await skipAhead(writing.tx, given.counters);
        await logRestore(writing, { from: file, saved_as: saved }, given.lastEvent + SKIP);
        return answerOf(file, saved, source);
      }, copy);
      await takeLogIn(copy);
      return done;
    });
    await replaceFile(source, path, { there, kept: name });
    context.warn(
      "replaced",
      `the store ${why}, and was replaced, also its settings: numbers go on ${SKIP} higher`,
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
  try {
    await opened(path, context, async (store) => {
      if ((await publishing(store)).every === 0) return;
      await renew(store, path, clock, () => keepDated(publishedFile(path), path));
    });
  } catch (thrown) {
    if (!(thrown instanceof CoopError)) throw thrown;
    context.warn("not_published", `the store is restored, but not published: ${thrown.message}`);
  }
}

/**
 * A verified copy of the file that was named.
 * @param orItself whether that may be what is in the store's place.
 * @throws CoopError not_found; usage for what is no file or the store itself; busy; unavailable: foreign, newer, damaged, …
 */
async function sourceOf(
  file: string,
  path: string,
  { wait }: Context,
  { orItself = false } = {},
): Promise<Restorable> {
  const given = await statIfThere(file).catch((thrown) => {
    throw cannotRead(file, thrown);
  });
  if (!given)
    throw new CoopError("not_found", `there is no file ${file}`, { hint: "is its disk mounted?" });
  if (given.isDirectory())
    throw usage(`${file} is a folder`, "name a snapshot in it, such as backups/coop.latest.db");
  requireRegular(file, given);
  if (!orItself && (await isSameFile(file, path)))
    throw usage(`${file} is the store itself`, "name a snapshot or a backup of it");
  return prepare(file, path, wait);
}

/** The rows that were put in may hold this command's own key from before. */
async function forgetKey(tx: Sql, { settings: { id, verb, key } }: Context): Promise<void> {
  if (id !== undefined && key !== undefined) await forget(tx, { author: id, verb, key });
}

const answerOf = (file: string, saved: string | null, { contents }: Restorable): Restored => ({
  restored_from: file,
  saved_as: saved,
  records: recordsIn(contents.rows),
  events: contents.rows["events"] ?? 0,
});

function restoredText({ restored_from, saved_as, records, events }: Restored): string {
  const count = Object.values(records).reduce((sum, rows) => sum + rows, 0);
  return lines(
    `restored ${counted(count, "record")} and ${counted(events, "event")} from ${inline(restored_from)}`,
    saved_as !== null && `the store as it was: ${inline(saved_as)}`,
  );
}
