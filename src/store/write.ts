import type { Actor } from "./events";
import { remember, replay, type IdempotencyKey } from "./keys";
import { requireInUse } from "./schema";
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
    if (kept) {
      for (const { code, message } of kept.warnings) warn(code, message);
      return { result: kept.result as T, replayed: true };
    }
    const at = tx.at ?? now();
    const result = await work({ tx, actor, at, warn });
    if (key) await remember(tx, key, at, { result, warnings: warnings.slice(before) });
    return { result, replayed: false };
  });
}
