import { CoopError, usage } from "../errors";
import { shellWord } from "../shell";
import { timestamp } from "../time";
import { describe } from "./location";
import type { Store } from "./open";
import {
  ARCHIVE_OF,
  BACKUP_OF,
  COPIED_FROM,
  CREATED_AT,
  IDENTITY,
  identityOf,
  meta,
  MOVED_AT,
  MOVED_TO,
  newer,
  onlyArchive,
  onlyBackup,
  schemaVersion,
  setMeta,
} from "./schema";
import { and, first, join, letRest, raw, sql, type Row, type Sql } from "./sql";

interface CopiedTable {
  name: string;
  /** The columns of its primary key. */
  key: readonly string[];
  /** Last rows first: a row may refer to a later one. */
  backwards?: true;
  /** The engine numbers its rows by itself. */
  identity?: true;
}

/** Every table but `meta`, each after those that its rows refer to. */
export const TABLES: readonly CopiedTable[] = [
  { name: "letters", key: ["number"], backwards: true },
  { name: "requests", key: ["number"] },
  { name: "request_messages", key: ["id"], identity: true },
  { name: "todos", key: ["number"] },
  { name: "todo_after", key: ["todo", "after"] },
  { name: "history_entries", key: ["number"] },
  { name: "queue_items", key: ["number"] },
  { name: "replies", key: ["id"], identity: true },
  { name: "events", key: ["id"], identity: true },
  { name: "keys", key: ["author", "verb", "key"] },
  { name: "counters", key: ["name"] },
];

/** What a store holds: how many rows in each table, and a hash (SHA-256) of all of them. */
export interface Contents {
  rows: Record<string, number>;
  hash: string;
}

/** The two stores of a move, as users know them. */
interface Names {
  source: string;
  target: string;
}

/**
 * Copies all that a store holds into one that holds nothing, and verifies it by count and hash before the copy is
 * committed. First commits a mark in the source, after which nobody writes to it. What was interrupted is repeated as
 * a whole; where the copy is complete already, it is only verified, and opened again if the move was undone.
 * @throws CoopError unavailable foreign, for an archive; newer, for a source that this binary does not know all of; conflict moved, when the source or the target was moved
 * elsewhere; conflict state, when the target is a backup, or holds other records, or a copy that is not the same any
 * more; usage, when both are one store; failed, when the copy differs; and what the engines throw.
 */
export async function copyStore(
  from: Store,
  to: Store,
  now: number,
): Promise<Contents & { copied: boolean }> {
  const names: Names = { source: describe(from.location), target: describe(to.location) };
  const { source, target } = names;
  // At first: where one cannot be read, its snapshot is read for it, which is a backup.
  for (const store of [from, to]) await store.requireWritable();
  if ((await meta(from, ARCHIVE_OF)) !== undefined) throw onlyArchive(source);
  if ((await meta(to, BACKUP_OF)) !== undefined) throw onlyBackup(target);
  if (await isOneStore(from, to)) throw sameStore();
  if (from.schema > schemaVersion()) throw newer(source, from.schema);
  await holdsCopy(to, names);
  await from.transaction(async (tx) => {
    const moved = await meta(tx, MOVED_TO);
    if (moved === target) return;
    if (moved !== undefined) throw movedElsewhere(source, moved);
    await letRest(tx);
    // Where the move was undone both would be closed, if the copy turned out to be of no use after the mark.
    if (await holdsCopy(to, names)) await requireUnchanged(tx, to, names, JUST_MADE);
    await setMeta(tx, MOVED_TO, target);
  });
  let complete = false;
  try {
    return await from.transaction(async (reading) => {
      await letRest(reading);
      const done = await to.transaction((writing) => fillOrVerify(reading, writing, names, now));
      complete = true;
      await setMeta(reading, MOVED_AT, timestamp(now));
      return done;
    });
  } catch (thrown) {
    if (complete)
      throw halfDone(thrown, `the copy in ${target} is complete, and ${source} is closed`);
    // A conflict and a defect say themselves how to go on; of a commit that was not answered nobody knows.
    const undone = thrown instanceof CoopError && ["unavailable", "busy"].includes(thrown.code);
    throw undone ? halfDone(thrown, `${source} is closed, and nothing is copied yet`) : thrown;
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
    return { ...contents, copied: false };
  }
  const contents = await copyRows(reading, writing);
  const undo = `coop copy --undo --from ${shellWord(source)} --to ${shellWord(target)} opens ${source} again`;
  requireSame(contents, await contentsOf(writing), target, `${NOT_KEPT}; ${undo}`);
  await setMeta(writing, COPIED_FROM, source);
  await setMeta(writing, "copied_at", timestamp(now));
  await carryIdentity(reading, writing);
  return { ...contents, copied: true };
}

/**
 * Ends a move that was begun: the source is written to again. Where the move was complete, the target is closed in its
 * place, which nobody may have written to since. A move that was not complete ends also without its target.
 * @param to the target, or why it cannot be opened.
 * @returns whether the target is closed now.
 * @throws CoopError not_found, when the source was not moved; conflict moved, when one of the two was moved elsewhere;
 * conflict state, when the target holds more than the source by now; and why the target cannot be opened, where it is
 * needed.
 */
export async function undoCopy(
  from: Store,
  to: Store | CoopError,
  target: string,
  now: number,
): Promise<boolean> {
  const source = describe(from.location);
  let closed = false;
  try {
    await from.transaction(async (tx) => {
      const moved = await meta(tx, MOVED_TO);
      if (moved === undefined)
        throw new CoopError("not_found", `${source} was not moved to any store`);
      if (moved !== target) throw movedElsewhere(source, moved);
      if (!(to instanceof CoopError)) closed = await closeCopy(tx, to, { source, target }, now);
      else if ((await meta(tx, MOVED_AT)) !== undefined) throw to;
      await openAgain(tx);
    });
  } catch (thrown) {
    throw closed ? halfDone(thrown, `${target} is closed, and maybe ${source} still`) : thrown;
  }
  return closed;
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
      throw new CoopError("conflict", `${target} was written to since it was made`, {
        reason: "state",
        hint: toGoBack(target),
      });
    }
    await setMeta(tx, MOVED_TO, source);
    await setMeta(tx, MOVED_AT, timestamp(now));
    return true;
  });
}

/** Takes away the marks that close a store. */
const openAgain = (tx: Sql) =>
  tx.all(sql`delete from meta where name in (${MOVED_TO}, ${MOVED_AT})`);

/** What was thrown after the other store's part was committed: its own hint may say that nothing was written. */
const halfDone = (thrown: unknown, state: string) => {
  if (!(thrown instanceof CoopError)) return thrown;
  const hint = `${state}: give the same command again`;
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
  const moved = await meta(on, MOVED_TO);
  // A copy whose move was undone is closed in favour of the source.
  if (moved === undefined || (complete && moved === source)) return complete;
  throw new CoopError("conflict", `${target} was moved to ${moved}`, {
    reason: "moved",
    hint: JUST_MADE,
  });
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

const NOT_KEPT = "nothing of it was kept";

/** @throws CoopError failed, a defect. */
function requireSame(contents: Contents, copy: Contents, target: string, hint: string): void {
  const difference = differenceOf(contents, copy);
  if (difference === undefined) return;
  throw new CoopError(
    "failed",
    `the copy in ${target} differs from what was copied (${difference})`,
    { hint },
  );
}

/** How a copy differs from what was copied, such as "todos: 1, not 2"; undefined when it does not. */
function differenceOf(contents: Contents, copy: Contents): string | undefined {
  const table = TABLES.find(({ name }) => contents.rows[name] !== copy.rows[name])?.name;
  if (table) return `${table}: ${copy.rows[table]}, not ${contents.rows[table]}`;
  return contents.hash === copy.hash ? undefined : "as many rows, of another hash";
}

/**
 * Fills a store that was just made with all that another one holds at one moment, as a copy of it that its backups are
 * known by; nothing is marked.
 * @throws CoopError failed, when the copy differs.
 */
export async function fillFrom(from: Store, to: Store): Promise<void> {
  const reading = from.reading ?? from.transaction;
  await reading(async (on) => {
    await letRest(on);
    await to.transaction(async (tx) => {
      requireSame(await copyRows(on, tx), await contentsOf(tx), describe(to.location), NOT_KEPT);
      await carryIdentity(on, tx);
    });
  });
}

/** Makes a store's copy the same store in another place, whose backups and archives go on. */
async function carryIdentity(from: Sql, to: Sql): Promise<void> {
  const created = await meta(from, CREATED_AT);
  if (created !== undefined) await setMeta(to, CREATED_AT, created);
  await setMeta(to, IDENTITY, await identityOf(from));
}

/** Copies every row of every table, and gives what was copied. */
async function copyRows(from: Sql, to: Sql): Promise<Contents> {
  const contents = await readAll(from, async (table, rows) => {
    const columns = Object.keys(rows[0]!).sort();
    const values = rows.map((row) => sql`(${join(columns.map((column) => row[column] ?? null))})`);
    await to.all(
      sql`insert into ${raw(table.name)} (${raw(columns.join(", "))}) values ${join(values)}`,
    );
  });
  for (const { name, identity } of TABLES) {
    const statement = identity && to.dialect.continueIdentity(name);
    if (statement) await to.all(raw(statement));
  }
  return contents;
}

/** What a store holds. */
const contentsOf = (on: Sql): Promise<Contents> => readAll(on, async () => {});

/** Few enough that a batch of the longest texts fits into memory. */
const ROWS_A_BATCH = 50;

async function readAll(
  on: Sql,
  take: (table: CopiedTable, rows: readonly Row[]) => Promise<void>,
): Promise<Contents> {
  const hasher = new Bun.CryptoHasher("sha256");
  const counts: Record<string, number> = {};
  for (const table of TABLES) {
    counts[table.name] = 0;
    for await (const rows of batches(on, table)) {
      for (const row of rows) {
        const entries = Object.entries(row).sort(([one], [other]) => (one < other ? -1 : 1));
        hasher.update(JSON.stringify([table.name, entries]));
      }
      counts[table.name]! += rows.length;
      await take(table, rows);
    }
  }
  return { rows: counts, hash: hasher.digest("hex") };
}

/** The rows of a table in the order of its key, some at a time. */
async function* batches(on: Sql, { name, key, backwards }: CopiedTable) {
  const [beyond, order] = backwards ? [raw("<"), " desc"] : [raw(">"), ""];
  const by = raw(key.map((column) => column + order).join(", "));
  let last: Row | undefined;
  for (;;) {
    const after = last
      ? sql`(${raw(key.join(", "))}) ${beyond} (${join(key.map((column) => last![column]!))})`
      : and([]);
    const rows = await on.all(
      sql`select * from ${raw(name)} where ${after} order by ${by} limit ${ROWS_A_BATCH}`,
    );
    if (rows.length > 0) yield rows;
    if (rows.length < ROWS_A_BATCH) return;
    last = rows.at(-1)!;
  }
}
