import { SIGILS } from "../../ref";
import { BACKUP_OF, identityOf, meta, MOVED_TO, movedAway } from "../schema";
import { sql, type Sql } from "../sql";
import type { Wait } from "../wait";
import { publishedFile, storeOfBackup } from "./backups";
import { SqliteConnection } from "./connection";
import { lookIntoCopies } from "./copies";
import type { Restorable } from "./restorable";
import { lastEventOf } from "./restore";

// What can be told of a store that is replaced, by what is left of it and by its copies.

/** The highest numbers that a store is known to have given: of each counter, and of its last event. */
export interface Highest {
  counters: Map<string, number>;
  lastEvent: number;
}

/**
 * What numbers were given by the store that a copy was made of, as far as the copies beside the store at a path can tell,
 * and by that store itself.
 * @param open whether this process has that store open: it is then not looked into, which would drop the locks on it.
 */
export async function highestGiven(
  path: string,
  { contents }: Restorable,
  { wait, open }: { wait: Wait; open: boolean },
): Promise<Highest> {
  const given: Highest = { counters: new Map(), lastEvent: contents.lastEvent };
  const look = async (on: Sql) => {
    const rows = await on.all<{ name: string; value: number }>(
      sql`select name, value from counters
        union all select ${SIGILS.queue}, max(number) from queue_items`,
    );
    for (const { name, value } of rows.filter((row) => isLikely(row.value)))
      given.counters.set(name, Math.max(value, given.counters.get(name) ?? 0));
    const lastEvent = await lastEventOf(on);
    if (isLikely(lastEvent)) given.lastEvent = Math.max(given.lastEvent, lastEvent);
  };
  // A file that cannot be used any more often cannot be read either.
  if (!open) await lookingInto(path, wait, look).catch(() => {});
  await lookIntoCopies(path, contents.created_at, look);
  return given;
}

/** Looks into a file that this process has not open, as it is. */
async function lookingInto<T>(path: string, wait: Wait, look: (on: Sql) => Promise<T>): Promise<T> {
  await using connection = await SqliteConnection.open(path, wait, "unchanging");
  return await look(connection);
}

/**
 * Refuses to replace as a file what can still tell that it was moved: it would be written to beside the new store.
 * @throws CoopError conflict moved.
 */
export async function requireNotMoved(path: string, wait: Wait): Promise<void> {
  const moved = await lookingInto(path, wait, (on) => meta(on, MOVED_TO)).catch(() => undefined);
  if (moved !== undefined) throw movedAway(moved);
}

/**
 * The identity of a store that is replaced as a file, as far as it can still tell or else its published snapshot. What
 * was put in its place has that of where it came from, which may be a store that goes on elsewhere.
 * @returns undefined where nothing tells it.
 */
export async function identityLeft(path: string, wait: Wait): Promise<string | undefined> {
  const own = await lookingInto(path, wait, async (on) =>
    (await meta(on, BACKUP_OF)) === undefined ? identityOf(on) : "",
  ).catch(() => "");
  return own || storeOfBackup(publishedFile(path));
}

/** What a damaged file tells can be any number, and refs have fifteen digits at most. */
const isLikely = (value: unknown) => Number.isInteger(value) && (value as number) < 1e12;
