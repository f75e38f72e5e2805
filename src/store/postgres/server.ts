import { usage } from "../../errors";
import { describe, parseUrl, PLACE, type PostgresLocation, type Surroundings } from "../location";

/** How the connection is guarded, as libpq's `sslmode`. */
const SSL_MODES = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] as const;
export type SslMode = (typeof SSL_MODES)[number];

/** Everything that connecting to a store needs. */
export interface Server {
  /** The store's name as it may be shown. */
  name: string;
  /** A name or address; the folder of a Unix socket when it is absolute. */
  host: string;
  /** The name that its certificate is for, where the host is only the address to connect to. */
  certified: string | undefined;
  port: number;
  /** The socket's path, where the host is a folder. */
  socket: string | undefined;
  user: string;
  password: string | undefined;
  database: string;
  schema: string;
  /** The schema as it stands in statements. */
  quotedSchema: string;
  sslMode: SslMode;
  /** Certificates that are trusted, in PEM; undefined for the system's. */
  ca: string | undefined;
  /** The client's own certificate and key, in PEM. */
  cert: string | undefined;
  key: string | undefined;
  /** The longest that connecting may take; undefined where only `--wait` bounds it. */
  connectSeconds: number | undefined;
}

const quotedAlways = (name: string) => `"${name.replaceAll('"', '""')}"`;

/** A name as it stands in a statement that a person may copy. */
export const quoted = (name: string) =>
  /^[a-z_][a-z0-9_]*$/.test(name) ? name : quotedAlways(name);

/** Each parameter of a URL and the variable that stands for it where the URL has none. */
const VARIABLES: Record<string, string | undefined> = {
  ...PLACE,
  hostaddr: "PGHOSTADDR",
  password: "PGPASSWORD",
  passfile: "PGPASSFILE",
  sslmode: "PGSSLMODE",
  sslrootcert: "PGSSLROOTCERT",
  sslcert: "PGSSLCERT",
  sslkey: "PGSSLKEY",
  connect_timeout: "PGCONNECT_TIMEOUT",
  schema: undefined,
};

const DEFAULT_PORT = "5432";
const DEFAULT_SCHEMA = "coop";
/** Where packaged servers put their sockets. */
const SOCKET_FOLDERS = ["/var/run/postgresql", "/tmp"];

/**
 * The server of a store: its URL, completed by libpq's variables, password file and defaults
 * (https://www.postgresql.org/docs/current/libpq-connect.html).
 * @throws CoopError usage, for a parameter that is unknown or has no such value, or a file that cannot be read.
 */
export async function serverOf(location: PostgresLocation): Promise<Server> {
  const { env } = location.around;
  const { parameters, ...parts } = parseUrl(location.url);
  const unknown = [...parameters.keys()].find((name) => !Object.hasOwn(VARIABLES, name));
  if (unknown !== undefined)
    throw usage(
      `the store's URL has the parameter '${unknown}', which coop does not know`,
      `it knows ${Object.keys(VARIABLES).join(", ")}`,
    );
  const given = (name: string, part?: string) => {
    const variable = VARIABLES[name];
    return parameters.get(name) ?? part ?? ((variable && env[variable]) || undefined);
  };

  const port = given("port", parts.port) ?? DEFAULT_PORT;
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65535)
    throw usage(`'${port}' is no port`, "check the store's URL and PGPORT");
  const named = given("hostaddr") ?? given("host", parts.host) ?? (await defaultHost(port));
  const host = bare(named);
  if (host.includes(","))
    throw usage("the store's URL names several hosts", "name the one that is written to");
  const user = given("user", parts.user) ?? env["USER"] ?? env["LOGNAME"] ?? env["USERNAME"];
  if (!user)
    throw usage("the store's URL names no user", "postgres://USER@HOST/DATABASE, or PGUSER");
  const database = given("dbname", parts.database) ?? user;
  const schema = given("schema") ?? DEFAULT_SCHEMA;
  if (schema === "" || schema.includes("\0") || Buffer.byteLength(schema) > 63)
    throw usage("a schema's name has 1 to 63 bytes", "check ?schema= in the store's URL");
  // PostgreSQL takes the first for the user's own schema wherever it stands, and keeps the others for itself.
  if (schema === "$user" || schema.startsWith("pg_"))
    throw usage(`'${schema}' can be no schema of a store`, "check ?schema= in the store's URL");
  const socket = host.startsWith("/") ? `${host}/.s.PGSQL.${port}` : undefined;
  const roots = given("sslrootcert");
  const sslMode = sslModeOf(given("sslmode"), roots, socket);
  const [cert, key] = [given("sslcert"), given("sslkey")];
  const withTls = sslMode !== "disable";
  if (withTls && (cert === undefined) !== (key === undefined))
    throw usage("sslcert and sslkey go together", "name both, or neither");
  const connect = given("connect_timeout")?.trim();
  if (connect !== undefined && !/^-?\d{1,6}$/.test(connect))
    throw usage(`connect_timeout is '${connect}', which is no number of seconds`, "0 is no bound");
  return {
    name: describe(location),
    host,
    certified: given("hostaddr") === undefined ? undefined : given("host", parts.host),
    port: Number(port),
    socket,
    user,
    password:
      given("password", parts.password) ??
      (await passwordFromFile(given("passfile"), location.around, [
        socket && SOCKET_FOLDERS.includes(host)
          ? "localhost"
          : bare(given("host", parts.host) ?? host),
        port,
        database,
        user,
      ])),
    database,
    schema,
    quotedSchema: quotedAlways(schema),
    sslMode,
    ca: await rootCertificates(roots, sslMode, location.around),
    cert: withTls ? await pem(cert, "sslcert") : undefined,
    key: withTls ? await pem(key, "sslkey") : undefined,
    connectSeconds: Number(connect) > 0 ? Number(connect) : undefined,
  };
}

/** An address without the brackets that a URL has around it. */
const bare = (host: string) => host.replace(/^\[(.*)\]$/, "$1");

async function defaultHost(port: string): Promise<string> {
  for (const folder of SOCKET_FOLDERS)
    if (await isThere(`${folder}/.s.PGSQL.${port}`)) return folder;
  return "localhost";
}

/** @throws CoopError usage, also for one that would not look at the system's certificates where those are named. */
function sslModeOf(
  given: string | undefined,
  roots: string | undefined,
  socket: string | undefined,
): SslMode {
  const asked = given ?? (roots === "system" ? "verify-full" : "prefer");
  const mode = SSL_MODES.find((known) => known === asked);
  if (!mode) throw usage(`'${given}' is no sslmode`, `one of ${SSL_MODES.join(", ")}`);
  if (socket !== undefined) return "disable";
  if (roots === "system" && mode !== "verify-full")
    throw usage(`sslrootcert=system goes with sslmode=verify-full, not ${mode}`, "name that mode");
  return mode;
}

/** The certificates to trust: those named, else those in the home folder where the mode asks for TLS or a proof. */
async function rootCertificates(
  named: string | undefined,
  mode: SslMode,
  { home }: Surroundings,
): Promise<string | undefined> {
  if (named === "system") return undefined;
  if (named !== undefined) return pem(named, "sslrootcert");
  if (!mode.startsWith("verify") && mode !== "require") return undefined;
  const own = `${home()}/.postgresql/root.crt`;
  return (await isThere(own)) ? pem(own, "sslrootcert") : undefined;
}

async function pem(path: string | undefined, parameter: string): Promise<string | undefined> {
  if (path === undefined) return undefined;
  const text = await Bun.file(path)
    .text()
    .catch(() => {
      throw usage(`${parameter} is '${path}', which cannot be read`, "name a file in PEM format");
    });
  if (/-----BEGIN [^-]+-----[^]+-----END /.test(text)) return text;
  throw usage(`${parameter} is '${path}', which is no PEM`, "name a file in PEM format");
}

const isThere = (path: string) =>
  Bun.file(path)
    .stat()
    .then(() => true)
    .catch(() => false);

/**
 * The password that a password file keeps for a host, port, database and user
 * (https://www.postgresql.org/docs/current/libpq-pgpass.html). One that others may read is left alone, as libpq does.
 */
async function passwordFromFile(
  named: string | undefined,
  { env, home }: Surroundings,
  wanted: readonly string[],
): Promise<string | undefined> {
  const folder = env["APPDATA"];
  const path = named ?? (folder ? `${folder}\\postgresql\\pgpass.conf` : `${home()}/.pgpass`);
  const file = Bun.file(path);
  const stat = await file.stat().catch(() => undefined);
  if (!stat?.isFile() || (!folder && (stat.mode & 0o077) !== 0)) return undefined;
  const text = await file.text().catch(() => "");
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith("#")) continue;
    // The password is all that is left: of its colons none must be escaped.
    const [, ...fields] = ENTRY.exec(line) ?? [];
    const password = fields.pop();
    if (password === undefined) continue;
    const matches = wanted.every(
      (word, index) => fields[index] === "*" || unescape(fields[index]!) === word,
    );
    if (matches) return unescape(password);
  }
  return undefined;
}

const ENTRY = /^((?:\\.|[^:\\])*):((?:\\.|[^:\\])*):((?:\\.|[^:\\])*):((?:\\.|[^:\\])*):(.*)$/;

const unescape = (field: string) => field.replace(/\\(.)/g, "$1");
