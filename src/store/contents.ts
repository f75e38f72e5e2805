import { CoopError } from "../errors";
import { inOrder, type Order } from "./listing";
import { describe } from "./location";
import type { Store } from "./open";
import { pages } from "./pages";
import { CREATED_AT, IDENTITY, identityOf, meta, setMeta } from "./schema";
import { join, letRest, raw, seeWhole, sql, type Fragment, type Row, type Sql } from "./sql";

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

/** Runs `work`, which can take long, on a store as it is at one moment: of a file that needs a transaction. */
export function atOneMoment<T>(store: Store, work: (on: Sql) => Promise<T>): Promise<T> {
  const reading = store.reading ?? store.transaction;
  return reading(async (on) => {
    await letRest(on);
    return work(on);
  });
}

/**
 * Fills a store that was just made with all that another holds at one moment. It gets the identity of the other, so that its
 * backups count as the other's; neither is marked as moved.
 * @throws CoopError failed, when the copy differs.
 */
export async function fillFrom(from: Store, to: Store): Promise<void> {
  await atOneMoment(from, async (on) => {
    await to.transaction(async (tx) => {
      await copyVerified(on, tx, describe(to.location));
      await carryIdentity(on, tx);
    });
  });
}

/** Makes a copy of a store that store in another place: its backups and archives count as the copy's from then on. */
export async function carryIdentity(from: Sql, to: Sql): Promise<void> {
  const created = await meta(from, CREATED_AT);
  if (created !== undefined) await setMeta(to, CREATED_AT, created);
  await setMeta(to, IDENTITY, await identityOf(from));
}

/**
 * Copies every row of every table, and verifies what came of it by count and hash.
 * @param target what errors call the store that is copied to.
 * @param more what else to do about a copy that differs.
 * @throws CoopError failed, a defect, when it differs.
 */
export async function copyVerified(
  from: Sql,
  to: Sql,
  target: string,
  more?: string,
): Promise<Contents> {
  const contents = await copyRows(from, to);
  const difference = differenceOf(contents, await contentsOf(to));
  if (difference === undefined) return contents;
  throw new CoopError(
    "failed",
    `the copy in ${target} differs from what was copied (${difference})`,
    { hint: `nothing of it was kept${more === undefined ? "" : `; ${more}`}` },
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

/** Fails in a transaction where rows would be left out that are hidden from this user. @throws CoopError unavailable access. */
export async function requireWhole(tx: Sql): Promise<void> {
  await seeWhole(tx);
  for (const { name } of TABLES) await tx.all(sql`select 1 as one from ${raw(name)} limit 1`);
}

/** What a store holds. */
export const contentsOf = (on: Sql): Promise<Contents> => readAll(on, async () => {});

/** How many rows, and about how many bytes of JSON, are gone through at once: what a slow line carries in some seconds. */
const BATCH = { rows: 50, bytes: 1024 * 1024 } as const;

async function readAll(
  on: Sql,
  take: (table: CopiedTable, rows: readonly Row[]) => Promise<void>,
): Promise<Contents> {
  await seeWhole(on);
  const hasher = new Bun.CryptoHasher("sha256");
  const counts: Record<string, number> = {};
  for (const table of TABLES) {
    counts[table.name] = 0;
    const paging = { columns: table.key, backwards: table.backwards, size: 1 };
    const next = (from: Fragment, order: Order) =>
      sql`select * from ${raw(table.name)} where ${from} ${inOrder(order)}`;
    for await (const rows of pages(on, paging, next)) {
      let bytes = 0;
      for (const row of rows) {
        const entries = Object.entries(row).sort(([one], [other]) => (one < other ? -1 : 1));
        const json = JSON.stringify([table.name, entries]);
        bytes += json.length;
        hasher.update(json);
      }
      paging.size = sizeAfter(rows.length, bytes);
      counts[table.name]! += rows.length;
      await take(table, rows);
    }
  }
  return { rows: counts, hash: hasher.digest("hex") };
}

/** How many rows to take after so many of so many bytes: as many as have the bytes of a batch, but no more than twice as many. */
const sizeAfter = (rows: number, bytes: number) =>
  Math.max(1, Math.min(BATCH.rows, 2 * rows, Math.floor((BATCH.bytes / bytes) * rows)));

/** How a copy differs from what was copied, such as "todos: 1, not 2"; undefined when it does not. */
export function differenceOf(contents: Contents, copy: Contents): string | undefined {
  const table = TABLES.find(({ name }) => contents.rows[name] !== copy.rows[name])?.name;
  if (table) return `${table}: ${copy.rows[table]}, not ${contents.rows[table]}`;
  return contents.hash === copy.hash ? undefined : "as many rows, of another hash";
}
