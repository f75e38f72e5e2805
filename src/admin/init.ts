import { mkdir, rm, link, chmod, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { asFolderError } from "../files";
import { answer } from "../cli/answer";
import type { Context } from "../cli/context";
import { defineVerb, toggle } from "../cli/define";
import { age } from "../time";
import { openStore, schemaOf, sqlitePath, stamp, upgrade } from "../store/open";
import { breaksOlder, lastSeen, migrate, schemaVersion, setMeta } from "../store/schema";
import { SqliteConnection } from "../store/sqlite";
import type { Wait } from "../store/wait";

interface Made {
  store: string;
  created: boolean;
  schema: number;
}

export default defineVerb({
  about: "make the store, if it is not there; the only command that ever does",
  examples: ["coop init", "coop init --db /srv/pippa-db/coop.db", "coop init --upgrade"],
  notes: `Makes the folder (mode 0700) and the file (0600). On a coop store it changes nothing and says so; any other file
is refused. --upgrade also makes a change of schema that older binaries cannot live with, after naming who used the
store last.`,
  args: { upgrade: toggle("bring the store to a schema that shuts older binaries out") },
  run: async ({ upgrade: wanted }, context) => {
    const path = sqlitePath(context.settings.location());
    const created = !(await exists(path)) && (await make(path, context));
    if (!created && wanted) await upgradeStore(path, context);
    else await (await openStore({ engine: "sqlite", path }, context.wait)).close();
    const made: Made = { store: path, created, schema: schemaVersion() };
    return answer(made, ({ store }) =>
      created ? `made the store ${store}` : `the store ${store} is there`,
    );
  },
});

const exists = (path: string) =>
  Bun.file(path)
    .stat()
    .then(() => true)
    .catch((error: { code?: string }) => {
      if (error.code === "ENOENT") return false;
      throw error;
    });

/**
 * Makes the store whole under another name and links it into place, so that no command ever meets half of one, and of
 * several that make it at once one does. Says whether this one did.
 */
async function make(path: string, context: Context): Promise<boolean> {
  const folder = dirname(path);
  const temporary = `${path}.init-${context.edge.clock.unique()}`;
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await build(temporary, context.wait, context.now());
    await chmod(temporary, 0o600);
    return await putInPlace(temporary, path);
  } catch (thrown) {
    throw asFolderError(thrown, folder, "--db");
  } finally {
    for (const suffix of ["", "-wal", "-shm", "-journal"])
      await rm(temporary + suffix, { force: true });
  }
}

/** Makes a whole store in a file that is not there yet. */
export async function build(path: string, wait: Wait, now: number): Promise<void> {
  const connection = await SqliteConnection.open(path, wait, { create: true });
  try {
    await connection.run("pragma journal_mode = wal");
    await connection.transaction(async (tx) => {
      await migrate(tx, 0);
      await stamp(connection);
      await setMeta(tx, "created_at", new Date(now).toISOString());
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

async function upgradeStore(path: string, context: Context): Promise<void> {
  const connection = await SqliteConnection.open(path, context.wait);
  try {
    const version = await schemaOf(connection, path);
    if (version >= schemaVersion()) return;
    if (breaksOlder(version)) {
      for (const { id, host, at } of await lastSeen(connection)) {
        context.warn(
          "last_seen",
          `${id} on ${host} used the store ${age(context.now() - at)} ago: it needs this coop now`,
        );
      }
    }
    await upgrade(connection, path);
  } finally {
    await connection.close();
  }
}
