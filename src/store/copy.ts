import { CoopError, usage } from "../errors";
import { shellWord } from "../shell";
import { timestamp } from "../time";
import {
  atOneMoment,
  carryIdentity,
  contentsOf,
  copyVerified,
  differenceOf,
  requireWhole,
  TABLES,
  type Contents,
} from "./contents";
import { skipAhead } from "./counters";
import { describe } from "./location";
import type { Store, Writer } from "./open";
import {
  ARCHIVE_OF,
  BACKUP_OF,
  COPIED_AT,
  COPIED_FROM,
  CREATED_AT,
  FILLED_FROM,
  halfFilled,
  meta,
  MOVED_AT,
  MOVED_TO,
  onlyArchive,
  onlyBackup,
  requireKnown,
  setMeta,
} from "./schema";
import { first, letRest, raw, sql, type Sql } from "./sql";
import { makeDurable } from "./write";

/** The two stores of a move, as users know them. */
export interface Names {
  source: string;
  target: string;
}

/** What a copy came to. */
export interface Copied extends Contents {
  /** False where the target held the copy already. */
  copied: boolean;
  /** The source is a backup: it stays one, and what its store gave since is not known. */
  fromBackup: boolean;
}

/**
 * Copies all that a store holds into one that holds nothing, and verifies it by count and hash before the copy is
 * committed. First commits a mark in each, after which nobody writes to the target before it is whole, nor to the source
 * again. What was interrupted is repeated as a whole; where the copy is complete already, it is only verified, and opened
 * again if the move was undone. From a backup a new store is filled, whose numbers skip ahead.
 * @throws CoopError unavailable foreign, for an archive; newer, for a store that this binary does not know all of;
 * conflict moved, when the source or the target was moved elsewhere; conflict state, when the target is a backup, or holds
 * other records, or a copy that is not the same any more; usage, when both are one store; failed, when the copy differs;
 * and what the engines throw.
 * @param writer who moves it, where the stores are to be held to their mounts.
 */
export async function copyStore(
  from: Store,
  to: Store,
  now: number,
  writer?: Writer,
): Promise<Copied> {
  const names: Names = { source: describe(from.location), target: describe(to.location) };
  const { source, target } = names;
  // Before anything is read: of a store that cannot be opened the snapshot is read in its place, which is a backup.
  for (const store of [from, to]) await store.requireWritable();
  if ((await meta(from, ARCHIVE_OF)) !== undefined) throw onlyArchive(source);
  if ((await meta(to, BACKUP_OF)) !== undefined) throw onlyBackup(target);
  const filled = await meta(from, FILLED_FROM);
  if (filled !== undefined) throw halfFilled(source, filled);
  if (await isOneStore(from, to)) throw sameStore();
  requireKnown(from, source);
  requireKnown(to, target);
  await to.requireWritable(writer);
  if ((await meta(from, BACKUP_OF)) !== undefined) return fillFromBackup(from, to, names);
  await from.requireWritable(writer);
  await holdsCopy(to, names);
  await from.transaction(async (tx) => {
    await letRest(tx);
    const moved = await meta(tx, MOVED_TO);
    if (moved !== undefined && moved !== target) throw movedElsewhere(source, moved);
    await requireWhole(tx);
    // Before the target is closed: a source that cannot be marked, such as a standby, leaves it open.
    if (moved !== target) await setMeta(tx, MOVED_TO, target);
    const complete = await to.transaction((writing) => closeUntilFilled(writing, names));
    // Where the move was undone both would be closed, if the copy turned out to be of no use after the mark.
    if (complete && moved !== target)
      await atOneMoment(to, (on) => requireUnchanged(tx, on, names, JUST_MADE));
  });
  let complete = false;
  try {
    return await from.transaction(async (reading) => {
      await letRest(reading);
      if ((await meta(reading, MOVED_TO)) !== target) throw undoneMeanwhile(source);
      const done = await to.transaction((writing) => fillOrVerify(reading, writing, names, now));
      complete = true;
      await setMeta(reading, MOVED_AT, timestamp(now));
      return done;
    });
  } catch (thrown) {
    if (complete)
      throw halfDone(thrown, `the copy in ${target} is complete, and ${source} is closed`);
    // A conflict and a defect say themselves how to go on.
    const code = thrown instanceof CoopError ? thrown.code : undefined;
    if (code === "unavailable" || code === "busy")
      throw halfDone(thrown, `${source} is closed, and nothing is copied yet`, OR_UNDO);
    throw code === "unknown" ? halfDone(thrown, `${source} is closed`) : thrown;
  }
}

/** Fills the target of a move; where that holds the copy already, verifies it, and lets it be written to. */
async function fillOrVerify(reading: Sql, writing: Sql, names: Names, now: number) {
  const { source, target } = names;
  await letRest(writing);
  if (await holdsCopy(writing, names)) {
    const hint = `where ${target} is in use, name that one; ${toGoBack(target)}`;
    const contents = await requireUnchanged(reading, writing, names, hint);
    await openAgain(writing);
    await makeDurable(writing, now);
    return { ...contents, copied: false, fromBackup: false };
  }
  const undo = `coop copy --undo --from ${shellWord(source)} --to ${shellWord(target)} opens ${source} again`;
  const contents = await copyVerified(reading, writing, target, undo);
  await setMeta(writing, COPIED_FROM, source);
  await setMeta(writing, COPIED_AT, timestamp(now));
  await carryIdentity(reading, writing);
  await stopFilling(writing, source);
  return { ...contents, copied: true, fromBackup: false };
}

/** Keeps everybody from writing to a target before it is whole, and says whether it holds the copy already. */
async function closeUntilFilled(writing: Sql, names: Names): Promise<boolean> {
  await letRest(writing);
  const complete = await holdsCopy(writing, names);
  if (!complete) await setMeta(writing, FILLED_FROM, names.source);
  return complete;
}

/** Fills a store that was just made with what a backup holds. It keeps its own identity: the backup's store may go on. */
const fillFromBackup = (from: Store, to: Store, names: Names): Promise<Copied> =>
  atOneMoment(from, (on) =>
    to.transaction(async (tx) => {
      if ((await meta(tx, COPIED_FROM)) === names.source) throw filledAlready(names);
      await holdsCopy(tx, names);
      const contents = await copyVerified(on, tx, names.target);
      await setMeta(tx, COPIED_FROM, names.source);
      await setMeta(tx, CREATED_AT, (await meta(on, CREATED_AT)) ?? "");
      await skipAhead(tx);
      // A copy from what was there before can have been cut off.
      await stopFilling(tx, names.source);
      return { ...contents, copied: true, fromBackup: true };
    }),
  );

/**
 * Ends a move that was begun: the source is written to again, and so is a target that is not filled yet. Where the move
 * was complete, the target is closed in the source's place, which nobody may have written to since. A move that was not
 * complete ends also without its target, and for the target without its source.
 * @param from the source, or why it cannot be opened.
 * @param to the target, or why it cannot be opened.
 * @returns whether the target is closed now.
 * @throws CoopError not_found, when the source was not moved; conflict moved, when one of the two was moved elsewhere;
 * conflict state, when one is a backup, or the target holds more than the source by now; and why one of them cannot be
 * opened, where it is needed.
 */
export async function undoCopy(
  from: Store | CoopError,
  to: Store | CoopError,
  names: Names,
  now: number,
  writer?: Writer,
): Promise<boolean> {
  const { source, target } = names;
  for (const [store, name] of [
    [from, source],
    [to, target],
  ] as const) {
    if (store instanceof CoopError) continue;
    if ((await meta(store, BACKUP_OF)) !== undefined) throw onlyBackup(name);
    await store.requireWritable(writer);
  }
  // What was filled from the source can be given up whatever became of that.
  const giveUp = async () =>
    !(to instanceof CoopError) && (await to.transaction((tx) => stopFilling(tx, source)));
  if (from instanceof CoopError) {
    if (await giveUp()) return false;
    throw from;
  }
  let closed = false;
  let moved: string | undefined;
  try {
    await from.transaction(async (tx) => {
      moved = await meta(tx, MOVED_TO);
      if (moved !== target) return;
      if (!(to instanceof CoopError)) closed = await closeCopy(tx, to, names, now);
      else if ((await meta(tx, MOVED_AT)) !== undefined) throw to;
      await openAgain(tx);
    });
  } catch (thrown) {
    throw closed ? halfDone(thrown, `${target} is closed, and maybe ${source} still`) : thrown;
  }
  // At last, so that one of the two is closed at any moment.
  if ((await giveUp()) || moved === target) return closed;
  throw moved === undefined
    ? new CoopError("not_found", `${source} was not moved to any store`)
    : movedElsewhere(source, moved);
}

/**
 * Lets nobody write to a copy any more, and says whether there is one.
 * @throws CoopError conflict state, when it was written to since it was made; conflict moved, when it was moved on.
 */
async function closeCopy(
  from: Sql,
  to: Store,
  { source, target }: Names,
  now: number,
): Promise<boolean> {
  const complete = (await meta(from, MOVED_AT)) !== undefined;
  await letRest(from);
  return to.transaction(async (tx) => {
    if (!complete && (await meta(tx, COPIED_FROM)) !== source) return false;
    const moved = await meta(tx, MOVED_TO);
    if (moved === source) return true;
    if (moved !== undefined) throw movedElsewhere(target, moved, toGoBack(moved));
    await letRest(tx);
    const there = await contentsOf(tx);
    if (there.hash !== (await contentsOf(from)).hash) {
      // A store that was made anew in the place of the copy.
      if (Object.values(there.rows).every((count) => count === 0)) return false;
      throw new CoopError(
        "conflict",
        `${target} is not what ${source} is any more: it was written to since it was made, or one of them was redacted`,
        {
          reason: "state",
          hint: toGoBack(target),
        },
      );
    }
    await setMeta(tx, MOVED_TO, source);
    await setMeta(tx, MOVED_AT, timestamp(now));
    return true;
  });
}

/** The error for a target that a backup was copied into before: what it has since is its own. */
const filledAlready = ({ source, target }: Names) =>
  new CoopError("conflict", `${target} was filled from ${source} already`, {
    reason: "state",
    hint: "name it with --db or PIPPA_COOP_DB",
  });

/** Takes away the marks that close a store. */
const openAgain = (tx: Sql) =>
  tx.all(sql`delete from meta where name in (${MOVED_TO}, ${MOVED_AT})`);

/** Lets a target that a source was being copied into be written to, and says whether that was so. */
async function stopFilling(tx: Sql, source: string): Promise<boolean> {
  if ((await meta(tx, FILLED_FROM)) !== source) return false;
  await tx.all(sql`delete from meta where name = ${FILLED_FROM}`);
  return true;
}

const OR_UNDO = ", or with --undo to write to the old store again";

/** The error for a move that somebody undid before it was complete: the source is written to again. */
const undoneMeanwhile = (source: string) =>
  new CoopError("conflict", `${source} was opened again while it was copied: nothing was copied`, {
    reason: "moved",
    hint: "ask the person whether it is to move, and give the same command again if so",
  });

/** What was thrown after the other store's part was committed: its own hint may say that nothing was written. */
const halfDone = (thrown: unknown, state: string, orElse = "") => {
  if (!(thrown instanceof CoopError)) return thrown;
  const hint = `${state}: give the same command again${orElse}`;
  return new CoopError(thrown.code, thrown.message, { ...thrown.details, hint });
};

/** How to come back from a copy that holds more than its source. */
const toGoBack = (target: string) =>
  `to go back, copy it to a store that was just made: coop copy --from ${shellWord(target)} --to STORE`;

const movedElsewhere = (
  source: string,
  moved: string,
  hint = "copy from that one, or name it with --to",
) =>
  new CoopError("conflict", `${source} was moved to ${moved}`, {
    reason: "moved",
    hint,
  });

const JUST_MADE = "copy only goes to a store that was just made";

/**
 * Whether a target holds a complete copy of the source already.
 * @throws CoopError conflict state or moved, when it is neither such a copy nor a store that was just made.
 */
async function holdsCopy(on: Sql, { source, target }: Names): Promise<boolean> {
  const complete = (await meta(on, COPIED_FROM)) === source;
  if (!complete) await requireEmpty(on, target);
  const filled = await meta(on, FILLED_FROM);
  if (filled !== undefined && filled !== source) throw halfFilled(target, filled);
  const moved = await meta(on, MOVED_TO);
  // A copy whose move was undone is closed in favour of the source.
  if (moved === undefined || (complete && moved === source)) return complete;
  throw movedElsewhere(target, moved, JUST_MADE);
}

/**
 * What a store and a complete copy of it hold.
 * @throws CoopError conflict state, when one of them was written to since.
 */
async function requireUnchanged(
  from: Sql,
  to: Sql,
  { source, target }: Names,
  hint: string,
): Promise<Contents> {
  const contents = await contentsOf(from);
  const difference = differenceOf(contents, await contentsOf(to));
  if (difference === undefined) return contents;
  throw new CoopError(
    "conflict",
    `${target} holds records already: a copy of ${source}, but one of them was written to since (${difference})`,
    { reason: "state", hint },
  );
}

/** @throws CoopError conflict state. */
async function requireEmpty(on: Sql, name: string): Promise<void> {
  for (const table of TABLES) {
    const row = await first(on, sql`select 1 as one from ${raw(table.name)} limit 1`);
    if (row)
      throw new CoopError("conflict", `${name} holds records already (${table.name})`, {
        reason: "state",
        hint: JUST_MADE,
      });
  }
}

/** Whether two are one store, by whatever names: a server has many. Only then all of their settings are alike. */
async function isOneStore(one: Sql, other: Sql): Promise<boolean> {
  const settings = (on: Sql) => on.all(sql`select name, value from meta order by name`);
  return Bun.deepEquals(await settings(one), await settings(other));
}

/** The error for a store that would be copied onto itself. */
export const sameStore = () => usage("--from and --to name the same store", "name two stores");
