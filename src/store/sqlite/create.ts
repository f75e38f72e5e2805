import { chmod, link, mkdir, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { asFolderError } from "../../files";
import { timestamp } from "../../time";
import { migrate, setMeta } from "../schema";
import type { Wait } from "../wait";
import { SqliteConnection } from "./connection";
import { stamp } from "./store";

/**
 * Makes the store if nothing is at its path, and says whether it did. The store is made whole under another name and
 * linked into place, so that no command ever meets half of one, and of several that make it at once one does.
 * @throws CoopError unavailable access, read_only or full.
 */
export async function createSqliteStore(path: string, wait: Wait): Promise<boolean> {
  if (await exists(path)) return false;
  const folder = dirname(path);
  const temporary = `${path}.init-${wait.clock.unique()}`;
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await build(temporary, wait);
    await chmod(temporary, 0o600);
    return await putInPlace(temporary, path);
  } catch (thrown) {
    throw asFolderError(thrown, folder, "--db");
  } finally {
    for (const suffix of ["", "-wal", "-shm", "-journal"]) {
      await rm(temporary + suffix, { force: true });
    }
  }
}

/** Makes a whole store in a file that is not there yet. */
async function build(path: string, wait: Wait): Promise<void> {
  const connection = await SqliteConnection.open(path, wait, { create: true });
  try {
    await connection.run("pragma journal_mode = wal");
    await connection.transaction(async (tx) => {
      await migrate(tx, 0);
      await stamp(connection);
      await setMeta(tx, "created_at", timestamp(wait.clock.now()));
    });
  } finally {
    await connection.close();
  }
}

/** Like a rename that never replaces: false when a file is there already. */
async function putInPlace(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (thrown) {
    const { code } = thrown as { code?: string };
    if (code === "EEXIST") return false;
    // A file system without hard links: the moment between look and rename is the best that it can give.
    if (code !== "EPERM" && code !== "ENOTSUP" && code !== "EOPNOTSUPP" && code !== "ENOSYS")
      throw thrown;
    if (await exists(to)) return false;
    await rename(from, to);
    return true;
  }
}

const exists = (path: string) =>
  Bun.file(path)
    .stat()
    .then(() => true)
    .catch((error: { code?: string }) => {
      if (error.code === "ENOENT") return false;
      throw error;
    });
