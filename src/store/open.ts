import { usage } from "../errors";
import { describe, type Location } from "./location";
import type { Connection, Sql } from "./sql";
import { openSqliteStore } from "./sqlite/store";
import type { Wait } from "./wait";

/** An open, verified store at this binary's schema, or at a newer one that this binary can live with. */
export interface Store extends Connection {
  readonly location: Location;
  /** The version of its schema. */
  readonly schema: number;
  /** By how many milliseconds the store's own clock is ahead of this machine's; undefined where it has none. */
  readonly ahead?: number;
  /**
   * Runs `work` on the store as it is at one moment, while others go on writing. Only where a server keeps it: of a file that needs a
   * transaction.
   */
  reading?<T>(work: (on: Sql) => Promise<T>): Promise<T>;
  /**
   * Asked before a command's first write. With who writes, also holds the store to what it can bear where they are.
   * @throws CoopError unavailable: newer, when this binary is too old to write; read_only or access; busy; and with who
   *   writes conflict moved or state, unless that moves it.
   */
  requireWritable(writer?: Writer): Promise<void>;
}

/** Who is about to write to a store. */
export interface Writer {
  host: string;
  warn: Warn;
  /** A store is closed by it or opened again, so also one that is closed is held to its mount. */
  moves?: boolean;
}

/** What a user is told that is no failure. */
export interface Warning {
  code: string;
  message: string;
}

/** Tells the user something that is no failure. */
export type Warn = (code: string, message: string) => void;

/** What a store is opened for. */
export interface Purpose {
  warn?: Warn;
  /** It will be written: what only that needs can be begun. */
  writes?: boolean;
}

/**
 * Opens the store that is there, and brings an older schema up to this binary's. Never makes a store.
 * @throws CoopError unavailable: no_store, foreign, newer, damaged, read_only, full, access or connection; busy.
 */
export async function openStore(location: Location, wait: Wait, purpose?: Purpose): Promise<Store> {
  if (location.engine === "sqlite") return openSqliteStore(location.path, wait, purpose);
  const { openPostgresStore } = await import("./postgres/store");
  return openPostgresStore(location, wait);
}

/**
 * The path of a location that is a SQLite file, for what only a file can do.
 * @throws CoopError usage, for a PostgreSQL store.
 */
export function sqlitePath(location: Location): string {
  if (location.engine === "sqlite") return location.path;
  throw usage(
    `this is for a store in a file, and ${describe(location)} is none`,
    "name a store in a file with --db",
  );
}
