import { CoopError, unavailable } from "../errors";
import { shellWord } from "../shell";
import { timestamp } from "../time";
import { describe, type Location } from "./location";
import { MIGRATIONS, type Migration } from "./migrations";
import { among, raw, sql, type Sql } from "./sql";
import type { Clock } from "./wait";

/** The schema that this binary writes: how many migrations it knows. */
export const schemaVersion = () => MIGRATIONS.length;

/** A setting kept in the store. */
export async function meta(on: Sql, name: string): Promise<string | undefined> {
  const [row] = await on.all<{ value: string }>(sql`select value from meta where name = ${name}`);
  return row?.value;
}

/** Sets a setting kept in the store. */
export async function setMeta(tx: Sql, name: string, value: string): Promise<void> {
  await tx.all(sql`insert into meta (name, value) values (${name}, ${value})
    on conflict (name) do update set value = excluded.value`);
}

/**
 * Takes the store from one schema version to this binary's, inside the caller's transaction, and keeps in `meta`
 * the oldest schema versions whose binaries can still read and write the result.
 */
export async function migrate(tx: Sql, from: number): Promise<void> {
  for (const migration of MIGRATIONS.slice(from)) {
    for (const statement of migration.statements(tx.dialect)) await tx.all(raw(statement));
  }
  const lastBreaking = (breaks: (migration: Migration) => boolean) =>
    String(MIGRATIONS.findLastIndex(breaks) + 1);
  const [reader, writer] = [
    lastBreaking(({ breaks }) => breaks === "readers"),
    lastBreaking(({ breaks }) => breaks !== undefined),
  ];
  await setMeta(tx, LEAST.reader, reader);
  await setMeta(tx, LEAST.writer, writer);
}

/** Whether reaching this binary's schema would shut out the binaries that made the store. */
export const breaksOlder = (from: number) =>
  MIGRATIONS.slice(from).some((migration) => migration.breaks);

/** What to do about what this binary is too old for. */
export const NEWEST_COOP = "copy the newest coop binary here";

/**
 * Refuses what this binary is too old for.
 * @throws CoopError unavailable newer, when the store's schema says that this binary may not use it like that.
 */
export async function requireNotNewer(
  on: Sql,
  version: number,
  use: "reader" | "writer",
): Promise<void> {
  if (version <= schemaVersion()) return;
  const least = Number(await meta(on, LEAST[use]));
  if (least <= schemaVersion()) return;
  throw unavailable(
    "newer",
    `the store has schema ${version}; this coop knows ${schemaVersion()} and may not ${use === "reader" ? "read" : "write"} it`,
    NEWEST_COOP,
  );
}

/** The error for what only a newer binary knows all of. */
export const newer = (what: string, version: number) =>
  unavailable(
    "newer",
    `${what} has schema ${version}, and this coop knows ${schemaVersion()}`,
    NEWEST_COOP,
  );

/**
 * Holds what must know all of a store to the schemas that this binary knows.
 * @throws CoopError unavailable newer.
 */
export function requireKnown({ schema }: { schema: number }, what = "the store"): void {
  if (schema > schemaVersion()) throw newer(what, schema);
}

/** The setting that names the store which took this one's place, without its password. */
export const MOVED_TO = "moved_to";

/** The setting that says when a move was complete, in the store that was moved. */
export const MOVED_AT = "moved_at";

/** The setting that names the store that this one's contents were copied from. */
export const COPIED_FROM = "copied_from";

/** The setting of a new store that names the one which is being copied into it. */
export const FILLED_FROM = "filled_from";

/** The setting of an archive, which says when the store was made that its records come from. */
export const ARCHIVE_OF = "archive_of";

/** The setting of a backup and of the published snapshot, which names the store that it was made of. */
export const BACKUP_OF = "backup_of";

/** The setting by which a store's backups know it. A store of an earlier build has none but `created_at`. */
export const IDENTITY = "identity";

/** The setting that says when the store was made that the records come from, by which its archives and copies are known. */
export const CREATED_AT = "created_at";

/** The setting that says when what the store holds was copied into it. */
export const COPIED_AT = "copied_at";

/** The settings that name the oldest schema whose binaries can still read and write the store. */
export const LEAST = { reader: "min_reader", writer: "min_writer" } as const;

/** The setting that names the journal which a store in a file has, and the one that says that it is for one host alone. */
export const JOURNAL = "journal";
export const ONE_HOST = "one_host";

/** What the setting of a host begins with, before its name: how it sees the file of the store that it wrote to. */
export const MOUNT_OF = "mount:";

/** The setting that names the group of the system's users which may use a store in a file. */
export const GROUP = "group";

/** The settings about the published snapshot; see `Publishing`. */
export const SNAPSHOT = {
  every: "snapshot_every",
  at: "snapshot_at",
  claimedAt: "snapshot_claimed_at",
  took: "snapshot_took",
} as const;

/** Writes down that a store is made, at a time in ms since 1970. */
export async function setIdentity(tx: Sql, at: number, { unique }: Clock): Promise<void> {
  await setMeta(tx, CREATED_AT, timestamp(at));
  await setMeta(tx, IDENTITY, unique());
}

/** The names of the settings that close a store to commands that write. */
export const CLOSING = [MOVED_TO, FILLED_FROM, ARCHIVE_OF, BACKUP_OF] as const;

/** The settings that close a store to commands that write. */
export const closingMarks = (on: Sql) =>
  on.all<{ name: string; value: string }>(
    sql`select name, value from meta where ${among("name", CLOSING)}`,
  );

/**
 * By what a store's backups know it. It keeps that through a restore, also of another store's file, and through a move to
 * another place; a backup has the identity of its store.
 */
export async function identityOf(on: Sql): Promise<string> {
  return (await meta(on, IDENTITY)) ?? (await meta(on, CREATED_AT)) ?? "";
}

/** When the store was made that the records come from, also those of an archive. */
export const originOf = async (on: Sql) => (await meta(on, ARCHIVE_OF)) ?? meta(on, CREATED_AT);

/**
 * Refuses to write to a store that another has taken the place of or is being copied into, to an archive and to a backup, and
 * to one that was closed to this binary since it was opened. To be asked in the transaction that writes.
 * @throws CoopError conflict: moved, state; unavailable newer.
 */
export async function requireInUse(tx: Sql, location: Location): Promise<void> {
  const marks = await tx.all<{ name: string; value: string }>(
    sql`select name, value from meta where ${among("name", [...CLOSING, LEAST.writer])}`,
  );
  const found = new Map(marks.map(({ name, value }) => [name, value]));
  const least = Number(found.get(LEAST.writer) ?? 0);
  if (least > schemaVersion()) throw newer("the store", least);
  found.delete(LEAST.writer);
  if (found.size === 0) return;
  const moved = found.get(MOVED_TO);
  if (moved !== undefined) throw movedAway(moved);
  const filled = found.get(FILLED_FROM);
  if (filled !== undefined) throw halfFilled(describe(location), filled);
  if (found.has(BACKUP_OF)) throw onlyBackup(describe(location));
  throw new CoopError(
    "conflict",
    "this file is an archive of finished queue items: it is only for reading",
    { reason: "state", hint: "name the store that they come from with --db or PIPPA_COOP_DB" },
  );
}

/** The error for a store that another has taken the place of. */
export const movedAway = (to: string) =>
  new CoopError("conflict", `this store was moved to ${to}: nothing is written here any more`, {
    reason: "moved",
    hint: "name that one with --db or PIPPA_COOP_DB",
  });

/** That not all is there yet that another store holds. */
export const notFilled = (target: string, source: string) =>
  `${target} is not filled yet: ${source} is being copied into it`;

/** The error for a store that another is being copied into. */
export const halfFilled = (target: string, source: string) =>
  new CoopError("conflict", notFilled(target, source), {
    reason: "moved",
    hint: `ask the person: coop copy --from ${shellWord(source)} --to ${shellWord(target)} completes it, and --undo ends it`,
  });

/** The error for a backup where a store is wanted that can be written to. */
export const onlyBackup = (path: string) =>
  new CoopError("conflict", `${path} is a backup: it is only for reading`, {
    reason: "state",
    hint:
      `name the store itself with --db or PIPPA_COOP_DB; to go back to this one ask the person: ` +
      `coop --db STORE restore ${shellWord(path)}, where STORE is that file too if it lies in the store's place`,
  });

/** The error for an archive where a whole store is wanted. */
export const onlyArchive = (path: string) =>
  unavailable(
    "foreign",
    `${path} is an archive of queue items, not a whole store`,
    `read it with coop --db ${shellWord(path)} queue list --status all`,
  );

/** That a store or a copy of one has an older schema, which `why` keeps it from being read with. */
export const notBroughtUp = (what: string, version: number, why: string) =>
  `${what} has schema ${version}, which this coop must first bring to ${schemaVersion()}; but ${why}`;

/** What kept a store from being brought to this binary's schema, as the error that says so. */
export function whileBringingUp(thrown: unknown, version: number): unknown {
  if (!(thrown instanceof CoopError && thrown.code === "unavailable")) return thrown;
  return new CoopError(
    thrown.code,
    notBroughtUp("the store", version, thrown.message),
    thrown.details,
  );
}

/** The error for a store that this binary would have to change beyond older ones. */
export const needsUpgrade = (version: number) =>
  unavailable(
    "newer",
    `the store has schema ${version}, and this coop would shut older binaries out`,
    "ask the person: `coop init --upgrade` does it, and names who used the store last",
  );
