import type { Location } from "./location";
import { openSqliteStore } from "./sqlite/store";
import { CoopError } from "../errors";
import type { Connection } from "./sql";
import type { Wait } from "./wait";

/** An open, verified store at this binary's schema, or at a newer one that this binary can live with. */
export interface Store extends Connection {
  readonly location: Location;
  /** @throws CoopError unavailable newer, when this binary is too old to write. */
  requireWritable(): Promise<void>;
}

/**
 * Opens the store that is there, and brings an older schema up to this binary's. Never makes a store.
 * @throws CoopError unavailable: no_store, foreign, newer, damaged, read_only, full, access or connection; busy.
 */
export const openStore = (location: Location, wait: Wait): Promise<Store> =>
  openSqliteStore(sqlitePath(location), wait);

/**
 * The path of a location that is a SQLite file.
 * @throws CoopError unavailable connection: this version has no engine for PostgreSQL.
 */
export function sqlitePath(location: Location): string {
  if (location.engine === "sqlite") return location.path;
  throw new CoopError("unavailable", "this coop cannot use a PostgreSQL store", {
    reason: "connection",
    hint: "give an absolute path of a SQLite store",
  });
}
