import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { answer } from "../cli/answer";
import type { Context } from "../cli/context";
import { defineVerb } from "../cli/define";
import { inline, lines } from "../cli/text";
import { onStore } from "../cli/on-store";
import { EXITS } from "../errors";
import { ownPath } from "../files";
import { describe, type Location } from "../store/location";
import {
  ARCHIVE_OF,
  BACKUP_OF,
  CREATED_AT,
  FILLED_FROM,
  GROUP,
  meta,
  MOVED_TO,
  movedAway,
  onlyBackup,
  schemaVersion,
} from "../store/schema";
import { isKeptOut, SqliteConnection, type Opening } from "../store/sqlite/connection";
import { sqliteVersion } from "../store/sqlite/examine";
import { journalOf, keptJournal, otherHosts } from "../store/sqlite/journal";
import { requireOwnLog } from "../store/sqlite/log";
import { logHeader, type LogHeader } from "../store/sqlite/log-header";
import { absence } from "../store/sqlite/refusal";
import { schemaOf } from "../store/sqlite/store";
import type { Wait } from "../store/wait";
import { backup, published, restorable } from "./doctor/backups";
import { check, failed, ok, warn, type Check, type Finding } from "./doctor/check";
import { clock, ids, integrity, references, schema } from "./doctor/content";
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
} from "./doctor/file";
import { serverFindings } from "./doctor/server";
import { size } from "./size";

export default defineVerb({
  about: "look at the store and all around it: ok, warn or fail, and what to do; changes nothing",
  examples: ["coop doctor", "coop doctor --json"],
  notes: `Exit 0, or 6 if something fails. --json: {"checks":[{name,status,message,fix}]}.`,
  args: {},
  run: async (_input, context) => {
    context.warnUnscoped();
    const location = context.settings.location();
    const found =
      location.engine === "sqlite"
        ? await sqliteChecks(ownPath(location.path), context)
        : await serverChecks(location, context);
    const { storeFlag } = context.settings;
    const checks = found.map(({ fix, ...rest }) => ({
      ...rest,
      fix: fix && onStore(fix, storeFlag),
    }));
    const failing = checks.some(({ status }) => status === "fail");
    return answer(
      { checks },
      (data) => lines(data.checks.map(checkLine)),
      failing ? { exit: EXITS.unavailable } : {},
    );
  },
});

/** One line: `warn space: 312 MB free, and the store has 200 MB; free some space`. */
function checkLine({ name, status, message, fix }: Check): string {
  return inline(`${status} ${name}: ${message}${fix === null ? "" : `; ${fix}`}`);
}

async function sqliteChecks(path: string, context: Context): Promise<Check[]> {
  const now = context.now();
  const around = async (created_at: string | undefined, on?: SqliteConnection) => [
    await check("leftovers", () => leftovers(path, now)),
    await check("strays", () => strays(path, created_at)),
    await check("backup", () => backup(path, now, on)),
  ];
  const unopened = async () => [
    await check("published", () => restorable(path, now)),
    ...(await around(undefined)),
  ];
  const absent = await absence(path);
  if (absent) {
    const there = await stat(dirname(path)).catch(() => undefined);
    return [{ name: "store", ...failed(absent) }, ...(there ? await unopened() : [])];
  }
  // Before the store is opened, at which SQLite undoes a write that was cut off, and after which it removes the log.
  const undone = await check("interrupted", () => interrupted(path, now));
  const header = await logHeader(path).catch(failed);
  const log = { name: "log", ...(typeof header === "string" ? logOf(path, header) : header) };
  const place = async (who: { group: string | undefined; readable: boolean }) => [
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
      ...(await unopened()),
    ];
  const { connection, version } = found;
  try {
    const setting = (name: string) => meta(connection, name).catch(() => undefined);
    const journaling = await journalingOf(connection, path).catch(() => undefined);
    const { coop } = await context.edge.versions();
    const { size: bytes } = await stat(path);
    const backedUp = (await setting(BACKUP_OF)) !== undefined;
    const archive = (await setting(ARCHIVE_OF)) !== undefined;
    const shown = `${path}, ${size(bytes)}${archive ? ", an archive of finished queue items" : ""}`;
    const store = backedUp
      ? asBackup(shown, path)
      : whereIs(shown, await setting(MOVED_TO), await setting(FILLED_FROM));
    return [
      { name: "store", ...store },
      // A backup has the journal that it was made with.
      await check("mount", () => mount(path, backedUp ? undefined : journaling)),
      await check("locks", () => locks(path, journaling?.actual ?? "rollback", context.wait)),
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
        ? await around(undefined)
        : [
            await check("published", () => published(path, connection, now, journaling?.actual)),
            ...(await around(await setting(CREATED_AT), connection)),
          ]),
    ];
  } finally {
    await connection.close();
  }
}

/**
 * Opens a store without bringing its schema up; as the file is, where it may not be written, or where SQLite passes over
 * the log beside it and would remove that.
 */
async function open(path: string, wait: Wait, log: LogHeader | Finding) {
  if (log === "blank" || log === "damaged") return opened(path, wait, "unchanging");
  await requireOwnLog(path);
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

async function opened(path: string, wait: Wait, opening: Opening) {
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
  sqlite: await sqliteVersion(connection),
});

/** What is no store in use: nobody can lose by it what they write. */
const asBackup = (store: string, path: string): Finding =>
  warn(`${store}, a backup that is only for reading`, onlyBackup(path).details.hint!);

function whereIs(
  store: string,
  movedTo: string | undefined,
  filledFrom: string | undefined,
): Finding {
  if (movedTo !== undefined)
    return warn(
      `${store}, which was moved to ${movedTo}: nothing is written here any more`,
      movedAway(movedTo).details.hint!,
    );
  if (filledFrom === undefined) return ok(store);
  return warn(
    `${store}, which is not filled yet: ${filledFrom} is being copied into it`,
    "coop copy with the same --from and --to completes it, and --undo ends it",
  );
}

/** What can be said of a store that is no file of this machine. */
async function serverChecks(location: Location, context: Context): Promise<Check[]> {
  try {
    const store = await context.store();
    return [
      {
        name: "store",
        ...whereIs(describe(location), await meta(store, MOVED_TO), await meta(store, FILLED_FROM)),
      },
      ...(await serverFindings(store)),
      await check("schema", async () => {
        const { coop } = await context.edge.versions();
        return schema(store, store.schema, coop);
      }),
      await check("clock", () => clock(store, context.now())),
      await check("ids", () => ids(store)),
    ];
  } catch (thrown) {
    return [{ name: "store", ...failed(thrown) }];
  }
}
