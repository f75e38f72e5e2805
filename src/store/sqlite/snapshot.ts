import { constants, Database } from "bun:sqlite";
import { realpathSync, type Stats } from "node:fs";
import { rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { CoopError } from "../../errors";
import { asFolderError, copyPrivately, giveLike, makePrivate, sync, syncFolder } from "../../files";
import { sqlitePath, type Store } from "../open";
import { BACKUP_OF, identityOf, schemaVersion } from "../schema";
import { first, raw, sql, WAIT_LONGER, type Fragment, type Value } from "../sql";
import { Wait, type Clock } from "../wait";
import { isUnlocked } from "./connection";
import { codeOf, isBusy } from "./errors";
import { damaged, inspect, type Inspected } from "./inspect";
import { discard, removeAbandoned, safetyName, snapshotInMaking } from "./making";

/** A snapshot that was made. */
export interface Snapshot extends Inspected {
  /** Its absolute path. */
  file: string;
  bytes: number;
  /** How long nobody could write to the store, in ms: not at all where it keeps a write-ahead log, or no lock is taken. */
  blockedMs: number;
}

/** What a snapshot is made with. */
export interface SnapshotOptions {
  clock: Clock;
  /** How long is waited for whoever writes into what is replaced. */
  wait?: Wait;
  /** Told what is being done, as one word, before each part that can take long. */
  doing?(what: "copying" | "checking"): Promise<void>;
  /** The store that the one which is copied was itself copied from just now, and which goes on. */
  origin?: Store | undefined;
}

/** Something was redacted in the origin since the store that is copied was copied from that. */
export class Overtaken extends Error {}

/**
 * Copies a live SQLite store as it is at one moment into a file, marked as a backup of it. The file is not there before it
 * is whole, on the disk and checked; what was there until then is replaced at that moment, or left as it is when the copy
 * fails. A copy that was overtaken by a redaction is made once more. The store is only read by the connection that is
 * given: to open and close its files here would drop that connection's locks.
 * @param target an absolute path in a folder that is there.
 * @throws CoopError unavailable: full, access or read_only for the target; damaged; what the store throws. Overtaken.
 */
export async function snapshot(
  store: Store,
  target: string,
  { clock, wait, doing, origin }: SnapshotOptions,
): Promise<Snapshot> {
  const last = Number(await only(store, sql`select coalesce(max(id), 0) from events`));
  const journal = await only(store, raw("pragma journal_mode"));
  const blocks = journal !== "wal" && !(await isUnlocked(store));
  const of = await identityOf(store);
  const putting: Putting = {
    store,
    origin,
    clock,
    wait,
    like: await stat(sqlitePath(store.location)),
    fill: async (temporary) => {
      await doing?.("copying");
      // Made beforehand, so that nobody else may read it at any moment and the system says what it refuses; SQLite takes
      // an empty file for none.
      await makePrivate(temporary);
      const begun = clock.elapsed();
      await store.all(sql`vacuum into ${temporary}`);
      const blockedMs = blocks ? Math.ceil(clock.elapsed() - begun) : 0;
      mark(temporary, of);
      return blockedMs;
    },
    inspect: async (temporary) => {
      await doing?.("checking");
      const contents = inspect(temporary, `the copy for ${target}`);
      if (contents.schema >= store.schema && contents.lastEvent >= last) return contents;
      throw damaged(`the copy for ${target}`, "it lacks what the store has");
    },
  };
  for (;;) {
    const made = await put(target, putting);
    if (made) return made;
    if (origin) throw new Overtaken();
  }
}

/** Marks a copy in the making as a backup of a store. */
function mark(temporary: string, of: string): void {
  // By no link that somebody has put there since.
  using database = new Database(
    temporary,
    constants.SQLITE_OPEN_READWRITE | constants.SQLITE_OPEN_NOFOLLOW,
  );
  // What becomes of it when this is cut off is nobody's concern, and it is synced as a whole.
  database.run("pragma journal_mode = off");
  database.run("pragma synchronous = off");
  database.run("insert or replace into meta (name, value) values (?, ?)", [BACKUP_OF, of]);
}

/**
 * Copies a snapshot of a store, with the same care.
 * @throws the errors of {@link snapshot}.
 */
export async function copySnapshot(
  store: Store,
  from: Snapshot,
  target: string,
  { clock }: Pick<SnapshotOptions, "clock">,
): Promise<Snapshot> {
  const like = await stat(from.file).catch((thrown) => {
    throw asTargetError(thrown, target);
  });
  const copied = await put(target, {
    store,
    clock,
    like,
    fill: async (temporary) => {
      await copyPrivately(from.file, temporary);
      return 0;
    },
    inspect: async (temporary) => inspect(temporary, `the copy for ${target}`),
  });
  return copied ?? snapshot(store, target, { clock });
}

interface Putting {
  /** The store that it is of. */
  store: Store;
  origin?: Store | undefined;
  clock: Clock;
  wait?: Wait | undefined;
  /** For whom it is to be. */
  like: Stats;
  /** Makes the file, for nobody else to read, and gives how long writers were blocked, in ms. */
  fill(temporary: string): Promise<number>;
  inspect(temporary: string): Promise<Inspected>;
}

/** Makes a snapshot in its place; undefined, and nothing is made, where the store has redacted since what it holds. */
async function put(
  target: string,
  { store, origin = store, clock, wait, like, fill, inspect: look }: Putting,
): Promise<Snapshot | undefined> {
  let temporary: string | undefined;
  try {
    // SQLite follows no link on the way to what a store writes to, and nobody can put one there meanwhile.
    const place = join(realpathSync(dirname(target)), basename(target));
    temporary = snapshotInMaking(place, clock);
    await removeAbandoned(place, clock);
    // A command that was killed while it brought up the schema may have been the last that did.
    await removeAbandoned(safetyName(sqlitePath(store.location), schemaVersion()), clock);
    const blockedMs = await fill(temporary);
    await giveLike(like, temporary);
    await sync(temporary, "r+");
    const contents = await look(temporary);
    const { size } = await stat(temporary);
    if (await redactedSince(origin, contents)) return undefined;
    await undoCutOff(place, wait ?? new Wait(UNDO_SECONDS, clock));
    await rename(temporary, place);
    await syncFolder(dirname(place));
    // One that came between looked for copies before this one had its name.
    if (await redactedSince(origin, contents)) {
      await rm(place, { force: true });
      return undefined;
    }
    return { file: target, bytes: size, blockedMs, ...contents };
  } catch (thrown) {
    throw asTargetError(thrown, target);
  } finally {
    if (temporary !== undefined) await discard(temporary);
  }
}

/** For how long where nobody says. */
const UNDO_SECONDS = 5;

/**
 * Has SQLite undo a write that was cut off in what is to be replaced, such as a redaction in a backup: its journal would be
 * put into what takes its place. Where that cannot be undone, nothing is lost without the journal.
 * @throws CoopError busy, where somebody is writing there.
 */
async function undoCutOff(place: string, wait: Wait): Promise<void> {
  const journal = `${place}-journal`;
  if (Bun.file(journal).size === 0) return;
  const undo = () => {
    using database = new Database(
      place,
      constants.SQLITE_OPEN_READWRITE | constants.SQLITE_OPEN_NOFOLLOW,
    );
    database.query("select 1 from sqlite_schema").all();
  };
  try {
    await wait.retry(undo, isBusy);
  } catch (thrown) {
    if (isBusy(thrown))
      throw new CoopError("busy", `somebody is writing to ${place}`, { hint: WAIT_LONGER });
  }
  await rm(journal, { force: true });
}

/** Whether a text was redacted in a store after its last event that a copy has: that one still holds it. */
async function redactedSince(store: Store, { lastEvent }: Inspected): Promise<boolean> {
  const found = await first(
    store,
    sql`select 1 as one from events where id > ${lastEvent} and verb = 'redact' limit 1`,
  );
  return found !== undefined;
}

/** What SQLite met while it wrote the copy, as the system says it. */
const WRITING: readonly [pattern: RegExp, code: string][] = [
  [/^SQLITE_FULL/, "ENOSPC"],
  [/^SQLITE_(IOERR_(WRITE|FSYNC|DIR_FSYNC|TRUNCATE|CLOSE|DELETE)|CANTOPEN|READONLY)/, "EIO"],
];

function asTargetError(thrown: unknown, target: string): unknown {
  const code = WRITING.find(([pattern]) => pattern.test(codeOf(thrown)))?.[1];
  return asFolderError(code === undefined ? thrown : { code }, dirname(target), "--to");
}

/** The one value that a statement gives. */
async function only(store: Store, statement: Fragment): Promise<Value | undefined> {
  const row = await first(store, statement);
  return row && Object.values(row)[0];
}
