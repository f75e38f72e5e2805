import { answer } from "../cli/answer";
import type { Context } from "../cli/context";
import { defineVerb, toggle } from "../cli/define";
import { sqlitePath } from "../store/open";
import { breaksOlder, lastSeen, schemaVersion } from "../store/schema";
import { SqliteConnection } from "../store/sqlite/connection";
import { createSqliteStore } from "../store/sqlite/create";
import { openSqliteStore, schemaOf, upgrade } from "../store/sqlite/store";
import { age } from "../time";

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
    const created = await createSqliteStore(path, context.wait);
    if (!created && wanted) await upgradeStore(path, context);
    else await (await openSqliteStore(path, context.wait)).close();
    const made: Made = { store: path, created, schema: schemaVersion() };
    return answer(made, ({ store }) =>
      created ? `made the store ${store}` : `the store ${store} is there`,
    );
  },
});

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
