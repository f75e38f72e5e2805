import { CoopError } from "../../errors";
import type { Store } from "../open";
import { breaksOlder, migrate, needsUpgrade, requireNotNewer, schemaVersion } from "../schema";
import { APPLICATION_ID, noStore, SqliteConnection } from "./connection";
import type { Wait } from "../wait";

/**
 * Opens the SQLite store that is there, and brings an older schema up to this binary's after a safety copy beside it.
 * @throws the errors of `openStore`.
 */
export async function openSqliteStore(path: string, wait: Wait): Promise<Store> {
  const connection = await SqliteConnection.open(path, wait);
  try {
    return await verified(connection, path);
  } catch (thrown) {
    await connection.close();
    throw thrown;
  }
}

async function verified(connection: SqliteConnection, path: string): Promise<Store> {
  let version = await schemaOf(connection, path);
  await requireNotNewer(connection, version, "reader");
  if (version < schemaVersion()) {
    if (breaksOlder(version)) throw needsUpgrade(version);
    await upgrade(connection, path);
    version = schemaVersion();
  }
  return {
    location: { engine: "sqlite", path },
    dialect: connection.dialect,
    all: (statement) => connection.all(statement),
    transaction: (work) => connection.transaction(work),
    close: () => connection.close(),
    requireWritable: () => requireNotNewer(connection, version, "writer"),
  };
}

/**
 * The schema version of a coop store.
 * @throws CoopError unavailable foreign, when the file is not one.
 */
export async function schemaOf(connection: SqliteConnection, path: string): Promise<number> {
  const [application] = await connection.run("pragma application_id");
  const [user] = await connection.run("pragma user_version");
  const version = Number(user!["user_version"]);
  if (application!["application_id"] === APPLICATION_ID && version > 0) return version;
  const stat = await Bun.file(path)
    .stat()
    .catch(() => undefined);
  if (!stat) throw noStore(path);
  throw new CoopError(
    "unavailable",
    stat.size === 0
      ? `${path} is an empty file, not a coop store`
      : `${path} is a database of another program, not a coop store`,
    {
      reason: "foreign",
      hint: "leave it as it is and ask the person; check --db and PIPPA_COOP_DB",
    },
  );
}

/** Migrates after a safety copy. Safe when several processes do it at once: one does the work. */
export async function upgrade(connection: SqliteConnection, path: string): Promise<void> {
  const from = await schemaOf(connection, path);
  if (from >= schemaVersion()) return;
  await safetyCopy(connection, path, from);
  await connection.transaction(async (tx) => {
    const version = await schemaOf(connection, path);
    if (version >= schemaVersion()) return;
    await migrate(tx, version);
    await stamp(connection);
  });
}

/** Writes who made the file and its schema version, inside the caller's transaction. */
export async function stamp(connection: SqliteConnection): Promise<void> {
  await connection.run(`pragma application_id = ${APPLICATION_ID}`);
  await connection.run(`pragma user_version = ${schemaVersion()}`);
}

async function safetyCopy(
  connection: SqliteConnection,
  path: string,
  version: number,
): Promise<void> {
  const { rename, rm } = await import("node:fs/promises");
  const temporary = `${path}.schema-${version}.${connection.wait.clock.unique()}`;
  try {
    await connection.run("vacuum into ?", temporary);
    const copied = await SqliteConnection.open(temporary, connection.wait);
    const copiedVersion = await schemaOf(copied, temporary);
    await copied.close();
    // Another process may have migrated between; then its own copy is the one to keep.
    if (copiedVersion === version) await rename(temporary, `${path}.schema-${version}`);
  } finally {
    await rm(temporary, { force: true });
    await rm(`${temporary}-journal`, { force: true });
  }
}
