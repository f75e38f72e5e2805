import { CoopError } from "../../errors";
import { codeOf, openDatabase, type Opening } from "./connection";
import { CREATED_AT, IDENTITY } from "../schema";
import { lookAt, type Look } from "./look";

/**
 * Refuses a store beside which another one left its write-ahead log: SQLite would put that log's pages into the file.
 * Nothing in a log says whose it is; but one that was written last before its store was put at its path, or made,
 * is doubtful, and then what both give together is looked through.
 * @param seen what the system says of the store's file, where it was asked before.
 * @throws CoopError unavailable damaged, when the file is sound without the log, and with it not, or another store.
 */
export async function requireOwnLog(path: string, seen?: Look): Promise<void> {
  const log = `${path}-wal`;
  const { size, lastModified } = Bun.file(log);
  if (size === 0 || putAt(seen ?? (await lookAt(path))) <= lastModified) return;
  const alone = lookThrough(path, "unchanging");
  if (!alone.sound) return;
  const both = lookThrough(path, "read-only", alone.last);
  if (both.sound && goesOn(both, alone)) return;
  throw new CoopError("unavailable", `${log} was left by another store: it does not fit ${path}`, {
    reason: "damaged",
    hint: "ask the person: the store is whole without it; move the -wal and the -shm away, and keep them",
  });
}

/** When a file was made or moved, or its permissions were changed; 0 when there is none. */
function putAt(file: Look): number {
  if (!file) return 0;
  // To write a file sets both times alike.
  return Math.max(file.birthtimeMs, file.ctimeMs === file.mtimeMs ? 0 : file.ctimeMs);
}

/** What a file tells, with its log or without. */
interface Told {
  sound: boolean;
  identity?: string | undefined;
  /** Its last event. */
  last?: Event | undefined;
  /** When the event was, of the number that was asked for. */
  at?: number | undefined;
  /** A restore came after that one: the events before it can be others since. */
  restored?: boolean;
}

interface Event {
  id: number;
  at: number;
}

/** Whether both together are the store that the file alone is, and have what that has. */
function goesOn(both: Told, alone: Told): boolean {
  // What could not be asked says nothing, and of a store without an event nothing can be lost: a copy makes it another.
  if (both.identity === undefined || alone.identity === undefined || !alone.last) return true;
  if (both.identity !== alone.identity) return false;
  if (both.restored) return true;
  // One of a lower number that is not there was archived, or undone by a restore.
  return both.at === undefined
    ? both.last !== undefined && both.last.id > alone.last.id
    : both.at === alone.last.at;
}

function lookThrough(path: string, opening: Opening, asked?: Event): Told {
  try {
    using database = openDatabase(path, opening);
    const sound = database.query("pragma quick_check(1)").values()[0]?.[0] === "ok";
    if (!sound) return { sound };
    const event = (which: string, ...values: number[]) =>
      database.query<Event, number[]>(`select id, at from events ${which}`).get(...values);
    return {
      sound,
      identity: database
        .query<{ value: string }, [string, string]>(
          "select value from meta where name in (?1, ?2) order by name = ?2 limit 1",
        )
        .get(IDENTITY, CREATED_AT)?.value,
      last: event("order by id desc limit 1") ?? undefined,
      at: asked && event("where id = ?", asked.id)?.at,
      restored:
        asked !== undefined &&
        event("where surface = 'store' and verb = 'restore' and id > ?", asked.id) !== null,
    };
  } catch (thrown) {
    // What else keeps it from being looked through, such as a lock, its user is told when it is opened.
    return { sound: !/^SQLITE_(CORRUPT|NOTADB)/.test(codeOf(thrown)) };
  }
}
