import { usage } from "../errors";
import { fits } from "../words";

/** Where a store is: a SQLite file by its absolute path, or a schema of a PostgreSQL database by its URL. */
export type Location = { readonly engine: "sqlite"; readonly path: string } | PostgresLocation;

/** A schema of a PostgreSQL database: its URL, and what completes that. */
export interface PostgresLocation {
  readonly engine: "postgres";
  readonly url: string;
  readonly around: Surroundings;
}

/** What completes a PostgreSQL URL, as for libpq: variables such as PGPASSWORD, and files in the home folder. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The home folder, absolute. */
  home(): string;
}

/** Where it is said which store a command is about. */
export interface LocationSources extends Surroundings {
  /** `--db`. */
  flag?: string | undefined;
}

/**
 * The store that a command is about: `--db`, else `PIPPA_COOP_DB`, else `$HOME/pippa-db/coop.db`.
 * @throws CoopError usage, for anything but an absolute path or a postgres:// URL that can be read.
 */
export function locate({ flag, env, home }: LocationSources): Location {
  const variable = env["PIPPA_COOP_DB"];
  const named = flag ?? (variable === "" ? undefined : variable);
  if (named === undefined) return file(`${home()}/pippa-db/coop.db`, "HOME/pippa-db/coop.db");
  return locateNamed(named, flag === undefined ? "PIPPA_COOP_DB" : "--db", { env, home });
}

/**
 * The store that a text names.
 * @param source what named it, for the error.
 * @throws CoopError usage, for anything but an absolute path or a postgres:// URL that can be read, for a path that is
 *   that of a part of another store or of a folder, and for one that SQLite would open another file by.
 */
export function locateNamed(named: string, source: string, around: Surroundings): Location {
  if (/^postgres(ql)?:\/\//.test(named)) {
    parseUrl(named);
    return { engine: "postgres", url: named, around };
  }
  if (isAbsolute(named) && !named.includes("\0")) {
    // Bun's SQLite opens the file whose name is without it.
    if (named !== named.trimEnd())
      throw usage(
        `${source} is '${named}', which ends in a space or a line's end`,
        "leave that out",
      );
    if (named.endsWith("/"))
      throw usage(`${source} is '${named}', which is a folder's name`, "name the store's file");
    if (!isPartOfStore(named)) return file(named, source);
    throw usage(
      `${source} is '${named}', which SQLite takes for a part of the store beside it`,
      "name the store itself: without -wal, -shm or -journal at its end",
    );
  }
  // What may be meant for a URL can hold a password.
  const shown = named.includes("@") ? "" : `'${named}', which is `;
  throw usage(
    named.includes("://")
      ? `${source} is a URL, but not a postgres:// one`
      : `${source} is ${shown}neither an absolute path nor a postgres:// URL`,
    "give the whole path, such as /home/me/pippa-db/coop.db",
  );
}

/** A store in a file. @throws CoopError usage, for a path that its file cannot be told or opened by. */
function file(path: string, source: string): Location {
  // What came as other bytes would be the name of another file.
  if (path.includes("\ufffd"))
    throw usage(`${source} holds U+FFFD, or is not valid UTF-8`, "name the store by another path");
  requireShort(path, source);
  return { engine: "sqlite", path };
}

/** Holds the path of a store, a backup or an archive to what SQLite opens. @throws CoopError usage. */
export function requireShort(path: string, source: string): void {
  if (fits(path, LONGEST_PATH)) return;
  throw usage(
    `${source} is a path of over ${LONGEST_PATH} bytes`,
    "SQLite opens no longer ones: name a shorter one",
  );
}

/** SQLite opens paths of up to 504 bytes; what is in the making in a store's `backups` has up to 100 more than its own. */
const LONGEST_PATH = 400;

/** What SQLite adds to a database's name for what it keeps beside it, and removes again: its logs and shared memory. */
export const BESIDE = ["-wal", "-shm", "-journal"] as const;

/** Whether a file's name is one that SQLite gives to what it keeps beside a store. */
export function isPartOfStore(path: string): boolean {
  for (const suffix of BESIDE) if (path.endsWith(suffix)) return true;
  return false;
}

/** `/…` anywhere, and on Windows also `C:\…` and `\\server\…`. */
export const isAbsolute = (path: string) =>
  path.startsWith("/") || /^([a-z]:[\\/]|\\\\)/i.test(path);

/**
 * The store's name as it may be shown: a path, or a URL without its password. What variables say of where the store is
 * belongs to its name: with others it would be that of another.
 */
export function describe(location: Location): string {
  if (location.engine === "sqlite") return location.path;
  const { parameters, ...parts } = parseUrl(location.url);
  const named = (name: keyof typeof PLACE, part: string | undefined) =>
    part ?? (parameters.has(name) ? undefined : location.around.env[PLACE[name]]);
  const host = named("host", parts.host);
  const port = named("port", parts.port);
  const database = named("dbname", parts.database);
  // Who asks is not where it is, but where the database is called after them.
  const user = database || parameters.has("dbname") ? parts.user : named("user", parts.user);
  const address = parameters.has("hostaddr") ? undefined : location.around.env["PGHOSTADDR"];
  const shown = SHOWN.filter((name) => parameters.has(name)).map(
    (name) => `${name}=${encodeURIComponent(parameters.get(name)!).replaceAll("%2F", "/")}`,
  );
  if (address) shown.push(`hostaddr=${encodeURIComponent(address)}`);
  return [
    "postgres://",
    user && `${encodeURIComponent(user)}@`,
    host && hostOfUrl(host),
    port && `:${port}`,
    database && `/${encodeURIComponent(database)}`,
    shown.length > 0 && `${database ? "" : "/"}?${shown.join("&")}`,
  ]
    .filter(Boolean)
    .join("");
}

/** A host as a URL has it: an IPv6 address in brackets, with its zone; any other encoded, such as the folder of a socket. */
const hostOfUrl = (host: string) =>
  host.includes(":")
    ? `[${host.replaceAll(/^\[|\]$/g, "").replaceAll("%", "%25")}]`
    : encodeURIComponent(host);

/** What of a URL says where a store is, by its parameter, and the variable that stands for it where the URL has none. */
export const PLACE = { host: "PGHOST", port: "PGPORT", user: "PGUSER", dbname: "PGDATABASE" };

/** The parameters of a URL that say where a store is; others may be secret. */
const SHOWN = ["host", "hostaddr", "port", "user", "dbname", "schema", "sslmode"];

/** The parts of a PostgreSQL URL, decoded; what is not in it is undefined. */
export interface UrlParts {
  user: string | undefined;
  password: string | undefined;
  host: string | undefined;
  port: string | undefined;
  database: string | undefined;
  parameters: Map<string, string>;
}

const URL_FORM =
  /^postgres(?:ql)?:\/\/(?:(?<user>[^@:/?#]*)(?::(?<password>[^@/?#]*))?@)?(?<host>\[[\w:.%-]+\]|[^@:/?#]*)(?::(?<port>\d{1,5}))?(?:\/(?<database>[^@/?#]*))?(?:\?(?<query>[^@#]*))?$/i;

/**
 * Takes a PostgreSQL URL apart: `postgres://[USER[:PASSWORD]@][HOST][:PORT][/DATABASE][?NAME=VALUE&…]`.
 * @throws CoopError usage, which never shows the URL: it can hold a password.
 */
export function parseUrl(url: string): UrlParts {
  const groups = URL_FORM.exec(url)?.groups;
  if (!groups) throw unreadable();
  try {
    const decode = (text: string | undefined) => (text ? decodeURIComponent(text) : undefined);
    const pairs = (groups["query"] ?? "").split("&").filter((pair) => pair !== "");
    return {
      user: decode(groups["user"]),
      password: decode(groups["password"]),
      host: decode(groups["host"]),
      port: groups["port"],
      database: decode(groups["database"]),
      parameters: new Map(
        pairs.map((pair): [string, string] => {
          const at = pair.indexOf("=");
          const name = pair.slice(0, Math.max(at, 0));
          // What is spelt like no parameter is not seen to be a password's.
          if (!/^\w+$/.test(name)) throw unreadable();
          return [name, decodeURIComponent(pair.slice(at + 1))];
        }),
      ),
    };
  } catch {
    throw unreadable();
  }
}

const unreadable = () =>
  usage(
    "the postgres:// URL of the store cannot be read",
    "it is postgres://USER@HOST:PORT/DATABASE?schema=NAME; percent-encode / @ : ? # % in its parts",
  );
