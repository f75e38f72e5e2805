import { unavailable } from "../../errors";
import type { PostgresLocation } from "../location";
import type { Store } from "../open";
import { lastSeen, type LastSeen } from "../last-seen";
import {
  breaksOlder,
  migrate,
  needsUpgrade,
  requireNotNewer,
  schemaVersion,
  setMeta,
  setIdentity,
  whileBringingUp,
} from "../schema";
import { first, raw, sql, type Sql } from "../sql";
import type { Wait } from "../wait";
import { PostgresConnection } from "./connection";
import { HINTS, stateOf } from "./errors";
import { quoted, serverOf, type Server } from "./server";

/** What `application_id` says in the table `meta` of a coop store. */
const APPLICATION_ID = "coop";

/**
 * Opens the store that is in a schema of a PostgreSQL database, and brings an older one up to this binary's.
 * @throws the errors of `openStore`.
 */
export async function openPostgresStore(location: PostgresLocation, wait: Wait): Promise<Store> {
  const connection = await PostgresConnection.open(await serverOf(location), wait);
  try {
    const asked = wait.clock.now();
    const { version: found, now } = await lookAt(connection, connection.server);
    let version = found;
    await requireNotNewer(connection, version, "reader");
    if (version < schemaVersion()) {
      if (breaksOlder(version)) throw needsUpgrade(version);
      await upgrade(connection, version);
      version = schemaVersion();
    }
    return {
      location,
      schema: version,
      ahead: wait.clock.rules ? 0 : now - asked,
      dialect: connection.dialect,
      all: (statement) => connection.all(statement),
      transaction: (work) => connection.transaction(work),
      reading: (work) => connection.reading(work),
      close: () => connection.close(),
      requireWritable: () => requireNotNewer(connection, version, "writer"),
    };
  } catch (thrown) {
    await connection.close();
    throw thrown;
  }
}

/**
 * Makes the store if its schema is not there or empty, and says whether it did. Of several that make it at once one
 * does.
 * @throws CoopError unavailable foreign, access, read_only or connection; busy.
 */
export async function createPostgresStore(
  location: PostgresLocation,
  wait: Wait,
): Promise<boolean> {
  const connection = await PostgresConnection.open(await serverOf(location), wait);
  const { server } = connection;
  try {
    await requireHere(connection, server);
    return await connection.transaction(async (tx) => {
      const there = await schemaThere(tx, server);
      if (there && !there.usable) throw noAccess(server);
      if (there && there.tables > 0) {
        if (!there.settings) throw foreign(server);
        await versionOf(tx, server);
        return false;
      }
      const row = await first<{ encoding: string }>(
        tx,
        sql`select current_setting('server_encoding') as encoding`,
      );
      requireUnicode(row!.encoding, server);
      if (!there) await tx.all(createSchema(server));
      await migrate(tx, 0).catch((thrown) => {
        // A table, or a type, is there that has the name of one of coop's.
        throw ["42P07", "42710"].includes(stateOf(thrown)) ? foreign(server) : thrown;
      });
      await stamp(tx);
      await setIdentity(tx, tx.at ?? wait.clock.now(), wait.clock);
      return true;
    });
  } finally {
    await connection.close();
  }
}

/**
 * Brings a store to this binary's schema, also where that shuts older binaries out; `tell` is then told who used the
 * store last.
 * @throws CoopError unavailable, busy.
 */
export async function upgradePostgresStore(
  location: PostgresLocation,
  wait: Wait,
  tell: (seen: readonly LastSeen[]) => void,
): Promise<void> {
  const connection = await PostgresConnection.open(await serverOf(location), wait);
  try {
    const version = await versionOf(connection, connection.server);
    if (version >= schemaVersion()) return;
    if (breaksOlder(version)) tell(await lastSeen(connection));
    await upgrade(connection, version);
  } finally {
    await connection.close();
  }
}

/**
 * Migrates. Safe when several processes do it at once: one does the work.
 * @throws CoopError unavailable, which says what was being done; busy.
 */
async function upgrade(connection: PostgresConnection, from: number): Promise<void> {
  try {
    await connection.transaction(async (tx) => {
      const version = await versionOf(tx, connection.server);
      if (version >= schemaVersion()) return;
      await migrate(tx, version);
      await stamp(tx);
    });
  } catch (thrown) {
    throw whileBringingUp(thrown, from);
  }
}

/** Writes whose the schema is and its version. */
async function stamp(tx: Sql): Promise<void> {
  await setMeta(tx, "application_id", APPLICATION_ID);
  await setMeta(tx, "schema_version", String(schemaVersion()));
}

const versionOf = async (on: Sql, server: Server) => (await lookAt(on, server)).version;

/**
 * The schema version of a coop store, and its server's time in milliseconds since 1970.
 * @throws CoopError unavailable no_store or foreign, when it is none.
 */
async function lookAt(on: Sql, server: Server): Promise<{ version: number; now: number }> {
  let settings: Map<string, string>;
  try {
    const rows = await on.all<{ name: string; value: string }>(
      sql`select name, value from meta where name in ('application_id', 'schema_version') union all
        select 'now', floor(extract(epoch from clock_timestamp()) * 1000)::text union all
        select 'here', current_schema() union all select 'encoding', current_setting('server_encoding')`,
    );
    settings = new Map(rows.map(({ name, value }) => [name, value]));
  } catch (thrown) {
    // No such table; no such column, or one of another type.
    const state = stateOf(thrown);
    if (["42703", "42804", "22P02"].includes(state)) throw foreign(server);
    if (state !== "42P01") throw thrown;
    await requireHere(on, server);
    const there = await schemaThere(on, server);
    if (there && !there.usable) throw noAccess(server);
    throw there && there.tables > 0 ? foreign(server) : noStore(server);
  }
  if (settings.get("here") !== server.schema) throw misled(server);
  requireUnicode(settings.get("encoding"), server);
  const version = Number(settings.get("schema_version"));
  if (settings.get("application_id") === APPLICATION_ID && version > 0)
    return { version, now: Number(settings.get("now")) };
  throw foreign(server);
}

/** What the store's schema holds; undefined when there is no such schema. */
const schemaThere = async (on: Sql, { schema }: Server) => {
  const row = await first<{ usable: number; tables: number; settings: number }>(
    on,
    sql`select has_schema_privilege(oid, 'usage')::int as usable,
      (select count(*) from pg_class where relnamespace = found.oid and relkind in ('r', 'p', 'v', 'm', 'f')) as tables,
      (select count(*) / 2 from pg_class join pg_attribute on attrelid = pg_class.oid
        where relnamespace = found.oid and relname = 'meta' and attname in ('name', 'value')) as settings
      from pg_namespace as found where nspname = ${schema}`,
  );
  return row;
};

const createSchema = ({ quotedSchema }: Server) => raw(`create schema ${quotedSchema}`);

/**
 * Asked outside of a transaction, which names the schema by itself.
 * @throws CoopError unavailable connection, when what is between reads another schema than the store's.
 */
async function requireHere(on: Sql, server: Server): Promise<void> {
  const row = await first<{ here: string | null }>(on, sql`select current_schema() as here`);
  const { here } = row!;
  if (here !== null && here !== server.schema) throw misled(server);
}

/** @throws CoopError unavailable foreign, when the database cannot keep every text. */
function requireUnicode(encoding: string | undefined, { name, database }: Server): void {
  if (encoding === "UTF8") return;
  throw unavailable(
    "foreign",
    `the store ${name} would be in a database of ${encoding}`,
    `texts need UTF8: create database ${quoted(`${database}_coop`)} encoding 'UTF8' template template0`,
  );
}

const misled = ({ name, schema, quotedSchema, user, database }: Server) =>
  unavailable(
    "connection",
    `what is between does not pass on the schema ${schema} of ${name} (search_path)`,
    `connect to the server itself, or ask the person: alter role ${quoted(user)} in database ${quoted(database)} set search_path = ${quotedSchema}`,
  );

const foreign = ({ name, schema }: Server) =>
  unavailable(
    "foreign",
    `the schema ${schema} of ${name} is not a coop store`,
    "leave it as it is and name another with ?schema=; check --db and PIPPA_COOP_DB",
  );

const noAccess = ({ name, schema }: Server) =>
  unavailable("access", `this user may not use the schema ${schema} of ${name}`, HINTS.access);

/** There is no store. Never suggests making one: the real one may be in another database. */
const noStore = ({ name, schema }: Server) =>
  unavailable(
    "no_store",
    `no store in the schema ${schema} of ${name}`,
    "are the database and ?schema= right? ask the person",
  );
