import { Database } from "bun:sqlite";
import { rmSync } from "node:fs";
import { dirname } from "node:path";
import { CoopError, unavailable } from "../../errors";
import { ownPath } from "../../files";
import type { Writer } from "../open";
import { JOURNAL, meta, MOUNT_OF, ONE_HOST, requireInUse, setMeta } from "../schema";
import { raw, sql, type Sql } from "../sql";
import type { Wait } from "../wait";
import { APPLICATION_ID, DURABLE, isUnlocked, SqliteConnection } from "./connection";
import { codeOf, isBusy, sqliteError } from "./errors";
import { lookAt } from "./look";
import { discard, inMaking } from "./making";
import { mountOf, type Mount } from "./mount";
import { mountedAlone, requireOwnPlace } from "./names";
import { foreign } from "./refusal";
import { hostOf } from "./store";
import { damagesLogs, isTooOld, sqliteVersion, tooOld } from "./version";

/** How a store makes its commits durable: by a write-ahead log, or by SQLite's rollback journal. */
export const JOURNALS = ["wal", "rollback"] as const;
export type Journal = (typeof JOURNALS)[number];

/** What the store keeps of the choice, so that a host that sees a local disk does not undo what others need. */
export interface Kept {
  journal: Journal | undefined;
  /** Somebody has said that only one host ever uses the store. */
  oneHost: boolean;
}

/** The journal that a store is to have. */
export interface Choice {
  journal: Journal;
  /** Why a write-ahead log cannot be used here. */
  because?: string;
}

/** What the store keeps of the choice. */
export async function keptJournal(on: Sql): Promise<Kept> {
  const journal = await meta(on, JOURNAL);
  return {
    journal: JOURNALS.find((each) => each === journal),
    oneHost: (await meta(on, ONE_HOST)) === "1",
  };
}

/**
 * The journal for a store, by where it is, which SQLite it is, and what was chosen before: once a rollback journal, it
 * stays one.
 * @throws CoopError unavailable access, where no journal keeps what is written.
 */
export function choose(mount: Mount, sqlite: string, { journal, oneHost }: Kept): Choice {
  if (mount.kind === "file") throw mountedAlone();
  if (mount.kind === "refused" && !oneHost) throw refused(mount.type);
  if (mount.kind === "network" || mount.kind === "refused")
    return { journal: "rollback", because: `its folder is on ${mount.type}` };
  if (damagesLogs(sqlite))
    return { journal: "rollback", because: `SQLite ${sqlite} can damage a write-ahead log` };
  return { journal: journal ?? (mount.kind === "unknown" ? "rollback" : "wal") };
}

/** What to do where no journal works. */
const ELSEWHERE =
  "keep the store on a local disk and its backups here (by backup --to FOLDER), or use PostgreSQL (--db postgres://…)";

/** The error for a mount on which the hosts' locks are apart. */
export const refused = (type: string) =>
  unavailable(
    "access",
    `the store's folder is on ${type}, where two hosts lose each other's writes or damage the store`,
    `${ELSEWHERE}; if the person says that only this host ever uses it: coop init --journal rollback --one-host`,
  );

/**
 * The journal for a store at a path, by its mount alone.
 * @throws CoopError unavailable access, where the mount bears neither, or SQLite is too old for any.
 */
export async function chooseByMount(path: string, kept: Kept): Promise<Choice> {
  const sqlite = sqliteVersion();
  if (isTooOld(sqlite)) throw tooOld(sqlite);
  return choose(await mountOf(ownPath(path)), sqlite, kept);
}

/**
 * The journal for a store at a path, by its mount and then by trying it on a scratch database in the same folder.
 * @throws CoopError unavailable: access where the mount bears neither journal, and what the folder refuses.
 */
export async function decide(store: string, wait: Wait, kept: Kept): Promise<Choice> {
  const path = ownPath(store);
  const choice = await chooseByMount(path, kept);
  if ((await probe(path, choice.journal, wait)) === "works") return choice;
  if (choice.journal === "wal" && (await probe(path, "rollback", wait)) === "works")
    return { journal: "rollback", because: `${dirname(path)} cannot share memory` };
  throw unavailable(
    "access",
    `two connections cannot share a database in ${dirname(path)}`,
    ELSEWHERE,
  );
}

/**
 * The journal that somebody asks for, or where nobody asked for one what `decide` finds.
 * @throws CoopError as `decide` does, and unavailable access for a write-ahead log where it cannot be.
 */
export async function decideAsked(path: string, wait: Wait, asked: Kept): Promise<Choice> {
  const choice = await decide(path, wait, asked);
  if (asked.journal === undefined || asked.journal === choice.journal) return choice;
  throw unavailable(
    "access",
    `a write-ahead log cannot be used here: ${choice.because}`,
    "coop init --journal rollback",
  );
}

/** Whether two connections can use a database in the folder of a store with a journal. */
export async function probe(
  path: string,
  journal: Journal,
  wait: Wait,
): Promise<"works" | "shares no memory" | "has no locks"> {
  const scratch = inMaking(path, "probe", wait.clock);
  try {
    // What is slow about a commit is to make it durable, which a probe need not be.
    const open = () => {
      const database = new Database(scratch, { readwrite: true, create: true });
      database.run("pragma synchronous = off");
      return database;
    };
    using one = open();
    one.run(`pragma journal_mode = ${MODES[journal]}`);
    one.run("create table probe as select 1");
    using other = open();
    other.run("insert into probe values (2)");
    const seen = one.query("select * from probe").values().length;
    if (journal === "wal") one.run("pragma wal_checkpoint(truncate)");
    return seen === 2 ? "works" : "shares no memory";
  } catch (thrown) {
    if (isBusy(thrown) || /^SQLITE_IOERR_\w*LOCK/.test(codeOf(thrown))) return "has no locks";
    if (sharesNoMemory(thrown)) return "shares no memory";
    throw await sqliteError(thrown, path, wait);
  } finally {
    await discard(scratch);
  }
}

/** SQLite's names of the journals. */
export const MODES = { wal: "wal", rollback: "delete" } as const;

/** Whether SQLite met a mount on which a write-ahead log does not work. */
const sharesNoMemory = (thrown: unknown) =>
  /^SQLITE_IOERR_(SHM(MAP|OPEN|LOCK)|SHORT_READ)$/.test(codeOf(thrown));

/**
 * Changes the journal of a store that no connection of this process has open. It needs every other user out, and works
 * where a write-ahead log does not.
 * @throws CoopError busy, while others use the store; unavailable.
 */
export async function convert(path: string, to: Journal, wait: Wait): Promise<void> {
  const change = async () => {
    using database = new Database(path, { readwrite: true });
    // First of all: only so does it read a store with a write-ahead log without shared memory.
    database.run("pragma locking_mode = exclusive");
    database.run(DURABLE);
    const [application] = database.query("pragma application_id").values()[0] ?? [];
    if (application !== APPLICATION_ID) throw await foreign(path);
    const [row] = database
      .query<{ journal_mode: string }, []>(`pragma journal_mode = ${MODES[to]}`)
      .all();
    if (row?.journal_mode !== MODES[to]) throw new StillInUse();
    if (to === "rollback") rmSync(`${path}-shm`, { force: true });
  };
  try {
    await wait.retry(change, (thrown) => isBusy(thrown) || thrown instanceof StillInUse);
  } catch (thrown) {
    if (!isBusy(thrown) && !(thrown instanceof StillInUse))
      throw await sqliteError(thrown, path, wait);
    throw new CoopError(
      "busy",
      `the journal of ${path} can only be changed while nobody else uses the store, and somebody does`,
      { hint: "end the other commands, on every host, and try again", cause: thrown },
    );
  }
}

class StillInUse extends Error {}

/** Whose journal is to be held to what this host's mount bears. */
export interface Host {
  name: string;
  /** What the host sees of the file, by which it knows the mount again. */
  place: string;
}

/**
 * Holds a store's journal to what its mount here bears, and keeps the choice and the host's mount in the store.
 * @param host who is about to write; undefined where only the schema is brought up.
 * @throws CoopError busy, while others use a store that must be changed; unavailable access; and of one that is not
 *   written to any more, what `requireInUse` does.
 */
export async function fitToMount(
  connection: SqliteConnection,
  path: string,
  host: Host | undefined,
  { warn, moves = false }: Pick<Writer, "warn" | "moves">,
): Promise<void> {
  if (host && !moves) await requireInUse(connection, { engine: "sqlite", path });
  const kept = await keptJournal(connection);
  const { journal, because } = await decide(path, connection.wait, kept);
  // On a disk of this machine nothing is the matter with another name of it.
  const shared = kept.oneHost && because !== undefined;
  const others = host && shared ? await otherHosts(connection, host.name) : [];
  if (others.length > 0)
    warn(
      "one_host",
      `the store is for one host alone (init --one-host), and ${others.join(", ")} wrote to it too: both at once can damage it`,
    );
  // The other way is only a matter of speed, and never done unasked.
  if (journal === "rollback" && (await journalOf(connection, path)) === "wal") {
    await connection.aside(() => convert(path, journal, connection.wait));
    warn("journal", journalChanged(because));
  }
  await connection.transaction((tx) => keepJournal(tx, { journal }, host));
}

/**
 * Sets a store's journal by hand, as somebody on a host.
 * @throws CoopError busy, while others use a store that must be changed; unavailable access, where the mount does not
 *   bear it.
 */
export async function setJournal(
  path: string,
  asked: Kept & { journal: Journal },
  host: string,
  wait: Wait,
): Promise<void> {
  const { journal } = await decideAsked(path, wait, asked);
  await requireOwnPlace(path, wait);
  if ((await journalAt(path, wait)) !== journal) await convert(path, journal, wait);
  await using connection = await SqliteConnection.open(path, wait);
  const seen = await hostOf(host, path, await lookAt(path));
  await connection.transaction(async (tx) => {
    // What suited the journal until now need not suit this one: every other host finds out anew.
    await tx.all(sql`delete from meta where ${OF_MOUNTS}`);
    await keepJournal(tx, asked, seen);
  });
}

/** The settings of hosts that wrote to the store. */
const OF_MOUNTS = raw(`name like '${MOUNT_OF}%'`);

/** The hosts that are known to have written to a store, but for one. */
export async function otherHosts(on: Sql, but: string): Promise<string[]> {
  const rows = await on.all<{ name: string }>(
    sql`select name from meta where ${OF_MOUNTS} and name <> ${MOUNT_OF + but} order by name`,
  );
  return rows.map(({ name }) => name.slice(MOUNT_OF.length));
}

async function journalAt(path: string, wait: Wait): Promise<Journal> {
  let connection: SqliteConnection | undefined;
  try {
    connection = await SqliteConnection.open(path, wait);
    return await journalOf(connection, path);
  } catch (thrown) {
    // Nothing else needs shared memory, and it cannot be read without.
    if (sharesNoMemory(thrown)) return "wal";
    throw thrown;
  } finally {
    await connection?.close();
  }
}

/** What a user is told whose command had to change the journal. */
export const journalChanged = (because: string | undefined) =>
  `the store now has a rollback journal${because === undefined ? "" : `: ${because}`}`;

/** The journal that the file at a path has, which the connection has open. */
export async function journalOf(connection: SqliteConnection, path: string): Promise<Journal> {
  // Of any such file SQLite says that its journal is a rollback one; and to read it here drops no lock.
  if (await isUnlocked(connection)) return journalIn(path);
  const [row] = await connection.run("pragma journal_mode");
  return row!["journal_mode"] === "wal" ? "wal" : "rollback";
}

/** The journal that a database's header says it has (https://www.sqlite.org/fileformat.html). */
export async function journalIn(file: string): Promise<Journal> {
  const header = await Bun.file(file).slice(0, 20).bytes();
  return header[18] === 2 ? "wal" : "rollback";
}

/** How many hosts' mounts are kept: containers have a new name each. */
const MOST_HOSTS = 100;

/** Keeps the choice of a journal in the store, and a host's mount as one that it was made for. */
export async function keepJournal(
  tx: Sql,
  { journal, oneHost }: { journal: Journal; oneHost?: boolean },
  host: Host | undefined,
): Promise<void> {
  await setMeta(tx, JOURNAL, journal);
  if (oneHost === true) await setMeta(tx, ONE_HOST, "1");
  if (oneHost === false) await tx.all(sql`delete from meta where name = ${ONE_HOST}`);
  if (!host) return;
  await tx.all(sql`delete from meta where ${OF_MOUNTS}
    and (select count(*) from meta where ${OF_MOUNTS}) >= ${MOST_HOSTS}`);
  await tx.all(sql`insert into meta (name, value)
    values (${MOUNT_OF + host.name}, ${host.place} || ' ' || sqlite_version())
    on conflict (name) do update set value = excluded.value`);
}
