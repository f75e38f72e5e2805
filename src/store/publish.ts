import type { Location } from "./location";
import { openStore, type Store, type Writer } from "./open";
import { CLOSING, setMeta, SNAPSHOT } from "./schema";
import { join, raw, sql, type Sql } from "./sql";
import { Wait, type Clock } from "./wait";

/** What the store keeps about the snapshots of itself. Times are ms since 1970, lengths ms. */
export interface Publishing {
  /** How old the newest may become before a writing command renews it; 0 for never. */
  every: number;
  /** When the last good one was begun; 0 when there was none. */
  at: number;
  /** When one was last begun by a writing command; 0 when none was. */
  claimedAt: number;
  /** How long the last good one took. */
  took: number;
  /** The store is closed to commands that write. */
  closed: boolean;
}

/** How old the newest may become where nobody chose. */
export const EVERY_MS = 3_600_000;
const BACK_OFF_MS = 3_600_000;

/** The longest that a command may be held up by a snapshot, and the largest store that is surely done by then. */
const INLINE = { ms: 1000, bytes: 200e6 } as const;
/** After one that took longer the next is left alone for so long: it can have been the machine that was busy. */
const SLOW_MS = 24 * 3_600_000;

/** What the store keeps about its snapshots. */
export async function publishing(on: Sql): Promise<Publishing> {
  const rows = await on.all<{ name: string; value: string }>(sql`select name, value from meta
    where name in (${raw(`'${SNAPSHOT.every}', '${SNAPSHOT.at}', '${SNAPSHOT.claimedAt}', '${SNAPSHOT.took}'`)},
      ${join(CLOSING)})`);
  const kept = new Map(rows.map(({ name, value }) => [name, Number(value)]));
  const every = kept.get(SNAPSHOT.every);
  return {
    every: every === undefined ? EVERY_MS : every * 1000,
    at: kept.get(SNAPSHOT.at) ?? 0,
    claimedAt: kept.get(SNAPSHOT.claimedAt) ?? 0,
    took: kept.get(SNAPSHOT.took) ?? 0,
    closed: CLOSING.map((name) => kept.has(name)).includes(true),
  };
}

/** Whether the newest snapshot is too old. One from the future says nothing of its age: the clock was set back since. */
export const isStale = ({ every, at }: Publishing, now: number) =>
  every > 0 && Math.abs(now - at) >= every;

/** Why the next snapshot is left to `coop backup`, or undefined when a writing command may make it. */
export async function tooSlow(
  on: Sql,
  { took, at, claimedAt }: Publishing,
  now: number,
): Promise<"slow" | "large" | "rollback" | undefined> {
  if (took > INLINE.ms && Math.abs(now - Math.max(at, claimedAt)) < SLOW_MS) return "slow";
  const pragma = async (name: string) =>
    Object.values((await on.all(raw(`pragma ${name}`)))[0]!)[0];
  if ((await pragma("journal_mode")) !== "wal") return "rollback";
  const bytes = Number(await pragma("page_count")) * Number(await pragma("page_size"));
  return bytes > INLINE.bytes ? "large" : undefined;
}

/** Whether a command that has written should publish a snapshot before it ends. Costs one small query nearly always. */
export async function publishDue(store: Store, now: number): Promise<boolean> {
  if (store.location.engine !== "sqlite") return false;
  try {
    return await isDue(store, now);
  } catch {
    return false;
  }
}

async function isDue(on: Sql, now: number): Promise<boolean> {
  const kept = await publishing(on);
  const tried = kept.claimedAt > kept.at && Math.abs(now - kept.claimedAt) < BACK_OFF_MS;
  return (
    isStale(kept, now) && !tried && !kept.closed && (await tooSlow(on, kept, now)) === undefined
  );
}

/**
 * Writes the snapshot beside a SQLite store that any copy of its folder then carries. Of many that begin at once one does
 * it, and what goes wrong is left to `coop doctor` to tell: the command that it follows has succeeded.
 */
export async function publish(
  location: Location,
  clock: Clock,
  waitSeconds = WAIT_SECONDS,
): Promise<void> {
  const most = Math.min(WAIT_SECONDS, waitSeconds);
  try {
    const claimed = await opened(location, Math.min(CLAIM_WAIT_SECONDS, most), clock, (store) =>
      claim(store, clock),
    );
    if (claimed) await opened(location, most, clock, (store) => write(store, clock));
  } catch {
    // `coop doctor` tells: it finds the snapshot old.
  }
}

/** A claim that meets a lock is left to whoever holds it. */
const CLAIM_WAIT_SECONDS = 0.05;
const WAIT_SECONDS = 5;

async function opened<T>(
  location: Location,
  seconds: number,
  clock: Clock,
  work: (store: Store) => Promise<T>,
): Promise<T> {
  const store = await openStore(location, new Wait(seconds, clock));
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

async function claim(store: Store, clock: Clock): Promise<boolean> {
  await store.requireWritable();
  return store.transaction(async (tx) => {
    const now = clock.now();
    if (!(await isDue(tx, now))) return false;
    await setMeta(tx, SNAPSHOT.claimedAt, String(now));
    return true;
  });
}

async function write(store: Store, clock: Clock): Promise<void> {
  if (store.location.engine !== "sqlite") return;
  const { path } = store.location;
  const [{ renew }, { keepOthers }] = await Promise.all([
    import("./sqlite/renew"),
    import("./sqlite/backups"),
  ]);
  await renew(store, path, clock, () => keepOthers(store, path));
}

/** Keeps in the store when the published snapshot was begun, and how long it took, in ms. */
export async function noteSnapshot(
  store: Store,
  { at, took }: { at: number; took: number },
  writer?: Writer,
): Promise<void> {
  await store.requireWritable(writer);
  await store.transaction(async (tx) => {
    await setMeta(tx, SNAPSHOT.at, String(at));
    await setMeta(tx, SNAPSHOT.took, String(Math.round(took)));
  });
}
