import { rename, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { asFolderError, giveLike, makePrivate, sync, syncFolder } from "../../files";
import { lastSeen, type LastSeen } from "../last-seen";
import type { Warn } from "../open";
import { BACKUP_OF, breaksOlder, meta, migrate, schemaVersion, whileBringingUp } from "../schema";
import type { Wait } from "../wait";
import { SqliteConnection } from "./connection";
import { fitToMount } from "./journal";
import { discard, isSafetyCopy, safetyName, snapshotInMaking } from "./making";
import { requireOwnPlace } from "./names";
import { schemaOf, stamp } from "./store";

/**
 * Brings a store to this binary's schema, also where that shuts older binaries out; `tell` is then told who used the
 * store last.
 * @throws CoopError unavailable, busy.
 */
export async function upgradeSqliteStore(
  path: string,
  wait: Wait,
  warn: Warn,
  tell: (seen: readonly LastSeen[]) => void,
): Promise<void> {
  await using connection = await SqliteConnection.open(path, wait);
  const version = await schemaOf(connection, path);
  if (version >= schemaVersion()) return;
  if (breaksOlder(version)) tell(await lastSeen(connection));
  await upgrade(connection, path, warn).catch((thrown) => {
    throw whileBringingUp(thrown, version);
  });
}

/** Migrates after a safety copy. Safe when several processes do it at once: one does the work. */
export async function upgrade(
  connection: SqliteConnection,
  path: string,
  warn: Warn,
): Promise<void> {
  const from = await schemaOf(connection, path);
  if (from >= schemaVersion()) return;
  await requireOwnPlace(path, connection.wait);
  await fitToMount(connection, path, undefined, { warn });
  // What is a copy itself needs none.
  const isCopy = isSafetyCopy(path) || (await meta(connection, BACKUP_OF)) !== undefined;
  if (!isCopy) await safetyCopy(connection, path, from);
  await connection.transaction(async (tx) => {
    const version = await schemaOf(connection, path);
    if (version >= schemaVersion()) return;
    await migrate(tx, version);
    await stamp(connection);
  });
}

/**
 * Copies a store beside itself as it is before its schema is changed.
 * @throws CoopError unavailable: access, read_only, full.
 */
async function safetyCopy(
  connection: SqliteConnection,
  path: string,
  version: number,
): Promise<void> {
  const copy = safetyName(path, version);
  const temporary = snapshotInMaking(copy, connection.wait.clock);
  try {
    // Made beforehand, so that nobody else may read it at any moment.
    await makePrivate(temporary);
    await connection.run("vacuum into ?", temporary);
    const copied = await SqliteConnection.open(temporary, connection.wait);
    const copiedVersion = await schemaOf(copied, temporary).finally(() => copied.close());
    // Another process may have migrated between; then its own copy is the one to keep.
    if (copiedVersion !== version) return;
    await giveLike(await stat(path), temporary);
    await sync(temporary, "r+");
    await rename(temporary, copy);
    await syncFolder(dirname(path));
  } catch (thrown) {
    throw asFolderError(thrown, dirname(path), "--db");
  } finally {
    await discard(temporary);
  }
}
