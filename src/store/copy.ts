import { CoopError } from "../errors";
import { timestamp } from "../time";
import { describe } from "./location";
import type { Store } from "./open";
import { meta, MOVED_TO, setMeta } from "./schema";
import { and, first, join, raw, sql, type Row, type Sql } from "./sql";

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

/** The setting that says when a move was complete, in the store that was moved. */
const MOVED_AT = "moved_at";

/** The setting that names the store that this one's contents came from. */
const COPIED_FROM = "copied_from";

/**
 * Copies all that a store holds into one that holds nothing, and verifies it by count and hash before the copy is
 * committed. First commits a mark in the source, after which nobody writes to it. What was interrupted is repeated as
 * a whole; where the copy is complete already, it is only verified.
 * @throws CoopError conflict moved, when the source was moved elsewhere; conflict state, when the target holds records;
 * failed, when the copy differs; and what the engines throw.
 */
export async function copyStore(
  from: Store,
  to: Store,
  now: number,
): Promise<Contents & { copied: boolean }> {
  const [source, target] = [describe(from.location), describe(to.location)];
  const complete = (await meta(to, COPIED_FROM)) === source;
  if (!complete) await requireEmpty(to, target);
  await from.requireWritable();
  await to.requireWritable();
  await from.transaction(async (tx) => {
    const moved = await meta(tx, MOVED_TO);
    if (moved !== undefined && moved !== target) throw movedElsewhere(source, moved);
    await setMeta(tx, MOVED_TO, target);
  });
  return from.transaction(async (reading) => {
    const done = await to.transaction(async (writing) => {
      const before = await meta(writing, COPIED_FROM);
      if (before === source) {
        const contents = await contentsOf(reading);
        requireSame(contents, await contentsOf(writing), target);
        return { ...contents, copied: false };
      }
      await requireEmpty(writing, target);
      const contents = await copyRows(reading, writing);
      requireSame(contents, await contentsOf(writing), target);
      await setMeta(writing, COPIED_FROM, source);
      await setMeta(writing, "copied_at", timestamp(now));
      return { ...contents, copied: true };
    });
    await setMeta(reading, MOVED_AT, timestamp(now));
    return done;
  });
}

/**
 * Ends a move that was begun: the source is written to again. Where the copy was complete, the target is closed in its
 * place, which nobody may have written to since. A move that was not complete ends also without its target.
 * @param to the target, or why it cannot be opened.
 * @throws CoopError not_found, when the source was not moved; conflict moved, when it was moved elsewhere; conflict
 * state, when the target holds more than the source by now; and why the target cannot be opened, where it is needed.
 */
export async function undoCopy(from: Store, to: Store | CoopError, target: string): Promise<void> {
  const source = describe(from.location);
  await from.transaction(async (tx) => {
    const moved = await meta(tx, MOVED_TO);
    if (moved === undefined)
      throw new CoopError("not_found", `${source} was not moved to any store`);
    if (moved !== target) throw movedElsewhere(source, moved);
    if (!(to instanceof CoopError)) await closeCopy(tx, to, { source, target });
    else if ((await meta(tx, MOVED_AT)) !== undefined) throw to;
    await tx.all(sql`delete from meta where name in (${MOVED_TO}, ${MOVED_AT})`);
  });
}

/** Lets nobody write to a copy any more, if it is complete. */
const closeCopy = (from: Sql, to: Store, { source, target }: { source: string; target: string }) =>
  to.transaction(async (tx) => {
    const there = await contentsOf(tx);
    if (Object.values(there.rows).every((count) => count === 0)) return;
    if (there.hash !== (await contentsOf(from)).hash)
      throw new CoopError("conflict", `${target} was written to since it was made`, {
        reason: "state",
        hint: `to go back, copy it to a store that was just made: coop copy --from ${target} --to STORE`,
      });
    await setMeta(tx, MOVED_TO, source);
  });

const movedElsewhere = (source: string, moved: string) =>
  new CoopError("conflict", `${source} was moved to ${moved}`, {
    reason: "moved",
    hint: "copy from that one, or name it with --to",
  });

/** @throws CoopError conflict state. */
async function requireEmpty(on: Sql, name: string): Promise<void> {
  for (const table of TABLES) {
    const row = await first(on, sql`select 1 as one from ${raw(table.name)} limit 1`);
    if (row)
      throw new CoopError("conflict", `${name} holds records already (${table.name})`, {
        reason: "state",
        hint: "copy only goes to a store that was just made",
      });
  }
}

function requireSame(one: Contents, other: Contents, target: string): void {
  const differs = TABLES.find(({ name }) => one.rows[name] !== other.rows[name]);
  if (!differs && one.hash === other.hash) return;
  throw new CoopError(
    "failed",
    differs
      ? `the copy in ${target} has ${other.rows[differs.name]} ${differs.name}, not ${one.rows[differs.name]}`
      : `the copy in ${target} differs from what was copied`,
    { hint: "nothing of it was kept; coop copy --undo opens the source again" },
  );
}

/**
 * Fills a store that was just made with all that another one holds at one moment, as a copy of it that its backups are
 * known by; nothing is marked.
 * @throws CoopError failed, when the copy differs.
 */
export async function fillFrom(from: Store, to: Store): Promise<void> {
  const reading = from.reading ?? from.transaction;
  await reading((on) =>
    to.transaction(async (tx) => {
      requireSame(await copyRows(on, tx), await contentsOf(tx), describe(to.location));
      const created = await meta(on, "created_at");
      if (created !== undefined) await setMeta(tx, "created_at", created);
    }),
  );
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
