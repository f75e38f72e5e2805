import type { Actor } from "./events";
import { remember, replay, type IdempotencyKey } from "./keys";
import { requireInUse, setMeta } from "./schema";
import type { Sql } from "./sql";
import type { Store, Warning } from "./open";

/** One writing command at work: its transaction, who acts, and the time that it stamps on everything. */
export interface Writing {
  readonly tx: Sql;
  readonly actor: Actor;
  /** Milliseconds since 1970, read when the lock was had: by the store's own clock, where it has one. */
  readonly at: number;
  /** Tells the user something that is no failure. */
  warn(code: string, message: string): void;
}

/** What one writing command is to be run with. */
export interface WriteRequest {
  actor: Actor;
  key: IdempotencyKey | undefined;
  now(): number;
  warn: Writing["warn"];
  /** All that was warned of until now. */
  warnings: readonly Warning[];
}

/**
 * Has a transaction write something that answers what an earlier one wrote: that can have been killed before the disk had it,
 * and SQLite waits for the disk only where there is something to commit. A server shows nothing before its disk has it.
 * @param at the time of the command, in ms since 1970.
 */
export async function makeDurable(tx: Sql, at: number): Promise<void> {
  if (tx.dialect.name === "sqlite") await setMeta(tx, ANSWERED_AT, String(at));
}

/** The setting that is changed for that. */
const ANSWERED_AT = "answered_at";

/**
 * Runs one writing command in one transaction. With a key whose answer is kept, does nothing, gives that answer and warns
 * of what came with it.
 * @throws CoopError conflict: moved, state (an archive or a backup), key; busy, unavailable, unknown, and what `work` throws.
 */
export async function write<T>(
  store: Store,
  { actor, key, now, warn, warnings }: WriteRequest,
  work: (writing: Writing) => Promise<T>,
): Promise<{ result: T; replayed: boolean }> {
  await store.requireWritable({ host: actor.host, warn });
  const before = warnings.length;
  return store.transaction(async (tx) => {
    await requireInUse(tx, store.location);
    const kept = key && (await replay(tx, key));
    const at = tx.at ?? now();
    if (kept) {
      for (const { code, message } of kept.warnings) warn(code, message);
      await makeDurable(tx, at);
      return { result: kept.result as T, replayed: true };
    }
    const result = await work({ tx, actor, at, warn });
    if (key) await remember(tx, key, at, { result, warnings: warnings.slice(before) });
    return { result, replayed: false };
  });
}
