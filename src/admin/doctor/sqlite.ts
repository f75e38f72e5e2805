import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { Context } from "../../cli/context";
import {
  ARCHIVE_OF,
  BACKUP_OF,
  CREATED_AT,
  FILLED_FROM,
  GROUP,
  meta,
  MOVED_TO,
  onlyBackup,
  schemaVersion,
} from "../../store/schema";
import { SqliteConnection } from "../../store/sqlite/connection";
import { isKeptOut } from "../../store/sqlite/errors";
import type { Opening } from "../../store/sqlite/open-file";
import { sqliteVersion } from "../../store/sqlite/version";
import { journalOf, keptJournal, otherHosts } from "../../store/sqlite/journal";
import { apart } from "../../store/sqlite/apart";
import { requireNotEmptied, requireOwnLogs } from "../../store/sqlite/log";
import { logHeader, type LogHeader } from "../../store/sqlite/log-header";
import { absence } from "../../store/sqlite/refusal";
import { schemaOf } from "../../store/sqlite/store";
import type { Wait } from "../../store/wait";
import { size } from "../size";
import { backup, published, restorable } from "./backups";
import { check, failed, warn, type Check, type Finding } from "./check";
import { clock, ids, integrity, references, schema, standing } from "./content";
import {
  interrupted,
  leftovers,
  locks,
  logOf,
  mount,
  permissions,
  space,
  sqliteOf,
  strays,
} from "./file";

/** What can be said of a store in a file, and of all around it. */
export async function sqliteChecks(path: string, context: Context): Promise<Check[]> {
  const now = context.now();
  const absent = await absence(path);
  if (absent) {
    const there = await stat(dirname(path)).catch(() => undefined);
    return [{ name: "store", ...failed(absent) }, ...(there ? await unopened(path, now) : [])];
  }
  // Before the store is opened, at which SQLite undoes a write that was cut off, and after which it removes the log.
  const undone = await check("interrupted", () => interrupted(path, now));
  const header = await logHeader(path).catch(failed);
  const log = { name: "log", ...(typeof header === "string" ? logOf(path, header) : header) };
  const place: Place = async (who) => [
    await check("permissions", () => permissions(path, who)),
    await check("space", () => space(path)),
    undone,
    log,
  ];
  const found = await open(path, context.wait, header).catch(failed);
  if ("status" in found)
    return [
      { name: "store", ...found },
      await check("mount", () => mount(path, undefined)),
      ...(await place({ group: undefined, readable: false })),
      ...(await unopened(path, now)),
    ];
  try {
    return await openedChecks(path, found, { now, place }, context);
  } finally {
    await found.connection.close();
  }
}

/** What is told of the place of a store's file, by whom the store is for and whether this process could read it. */
type Place = (who: { group: string | undefined; readable: boolean }) => Promise<Check[]>;

/** What can be said of a store that is open. */
async function openedChecks(
  path: string,
  { connection, version }: Opened,
  { now, place }: { now: number; place: Place },
  { edge, wait }: Context,
): Promise<Check[]> {
  const setting = (name: string) => meta(connection, name).catch(() => undefined);
  const journaling = await journalingOf(connection, path).catch(() => undefined);
  const { coop } = await edge.versions();
  const { size: bytes } = await stat(path);
  const backedUp = (await setting(BACKUP_OF)) !== undefined;
  const archive = (await setting(ARCHIVE_OF)) !== undefined;
  const moved = await setting(MOVED_TO);
  const shown = `${path}, ${size(bytes)}${archive ? ", an archive of finished queue items" : ""}`;
  const store = backedUp
    ? asBackup(shown, path)
    : standing(shown, moved, await setting(FILLED_FROM));
  return [
    { name: "store", ...store },
    // A backup has the journal that it was made with.
    await check("mount", () => mount(path, backedUp ? undefined : journaling)),
    await check("locks", () => locks(path, journaling?.actual ?? "rollback", wait)),
    ...(await place({ group: await setting(GROUP), readable: true })),
    await check("integrity", () => integrity(connection)),
    await check("references", () => references(connection)),
    await check("schema", () => schema(connection, version, coop)),
    ...(journaling ? [{ name: "sqlite", ...sqliteOf(journaling) }] : []),
    await check("clock", () => clock(connection, now)),
    // An older schema lacks tables that are looked into.
    ...(version < schemaVersion() ? [] : [await check("ids", () => ids(connection))]),
    // Around both are other copies of what they are of, and no command publishes them.
    ...(backedUp || archive
      ? await around(path, now, undefined)
      : [
          await check("published", () => published(path, connection, now, journaling?.actual)),
          // What came of a store that was moved is written to, and this one not any more.
          ...(await around(
            path,
            now,
            moved === undefined ? await setting(CREATED_AT) : undefined,
            connection,
          )),
        ]),
  ];
}

/** What is beside a store, and among its backups. @param on the store, where it can be asked. */
const around = async (
  path: string,
  now: number,
  created_at: string | undefined,
  on?: SqliteConnection,
) => [
  await check("leftovers", () => leftovers(path, now)),
  await check("strays", () => strays(path, created_at)),
  await check("backup", () => backup(path, now, on)),
];

/** The same of a store that cannot be opened, and whether it can be restored. */
const unopened = async (path: string, now: number) => [
  await check("published", () => restorable(path, now)),
  ...(await around(path, now, undefined)),
];

/**
 * Opens a store without bringing its schema up; as the file is, where it may not be written, or where SQLite passes over
 * the log beside it and would remove that.
 */
async function open(path: string, wait: Wait, log: LogHeader | Finding) {
  await requireNotEmptied(path);
  if (log === "blank" || log === "damaged") return opened(path, wait, "unchanging");
  const why = await apart(path, wait);
  if (why) return failed(why);
  await requireOwnLogs(path);
  return opened(path, wait, "existing").catch(async (thrown) => {
    const left = async (suffix: string) => {
      const there = await stat(path + suffix).catch(() => undefined);
      return there !== undefined && there.size > 0;
    };
    if (!isKeptOut(thrown) || (await left("-wal"))) throw thrown;
    if (await left("-journal"))
      return warn(
        `${path} is being written, or a write into it was cut off, which cannot be undone from here`,
        "run coop doctor where the store can be written",
      );
    return opened(path, wait, "unchanging");
  });
}

/** A store that the doctor has open, and its schema version. */
interface Opened {
  connection: SqliteConnection;
  version: number;
}

async function opened(path: string, wait: Wait, opening: Opening): Promise<Opened> {
  const connection = await SqliteConnection.open(path, wait, opening);
  try {
    return { connection, version: await schemaOf(connection, path) };
  } catch (thrown) {
    await connection.close();
    throw thrown;
  }
}

const journalingOf = async (connection: SqliteConnection, path: string) => ({
  actual: await journalOf(connection, path),
  kept: await keptJournal(connection),
  hosts: await otherHosts(connection, ""),
  sqlite: sqliteVersion(),
});

/** What is no store in use: nobody can lose by it what they write. */
const asBackup = (store: string, path: string): Finding =>
  warn(`${store}, a backup that is only for reading`, onlyBackup(path).details.hint!);
