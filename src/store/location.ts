import { usage } from "../errors";

/** Where a store is: a SQLite file by its absolute path, or a PostgreSQL database by its URL. */
export type Location =
  | { readonly engine: "sqlite"; readonly path: string }
  | { readonly engine: "postgres"; readonly url: string };

export interface LocationSources {
  /** `--db`. */
  flag?: string;
  /** `PIPPA_COOP_DB`. */
  variable?: string;
  /** The home folder, absolute. */
  home: () => string;
}

/**
 * The store that a command is about: `--db`, else `PIPPA_COOP_DB`, else `$HOME/pippa-db/coop.db`.
 * @throws CoopError usage, for anything but an absolute path or a postgres:// URL.
 */
export function locate({ flag, variable, home }: LocationSources): Location {
  const named = flag ?? (variable === "" ? undefined : variable);
  const source = flag === undefined ? "PIPPA_COOP_DB" : "--db";
  if (named === undefined) return { engine: "sqlite", path: `${home()}/pippa-db/coop.db` };
  if (/^postgres(ql)?:\/\//.test(named)) return { engine: "postgres", url: named };
  if (isAbsolute(named) && !named.includes("\0")) return { engine: "sqlite", path: named };
  throw usage(
    `${source} is '${named}', which is neither an absolute path nor a postgres:// URL`,
    "give the whole path, such as /home/me/pippa-db/coop.db",
  );
}

/** `/…` anywhere, and on Windows also `C:\…` and `\\server\…`. */
export const isAbsolute = (path: string) =>
  path.startsWith("/") || /^([a-z]:[\\/]|\\\\)/i.test(path);

/** The store's name as it may be shown: a path, or a URL without its password. */
export function describe(location: Location): string {
  if (location.engine === "sqlite") return location.path;
  return location.url
    .replace(/^([a-z]+:\/\/[^:/@]*):[^@/]*@/i, "$1@")
    .replace(/([?&]password=)[^&]*/gi, "$1…");
}
