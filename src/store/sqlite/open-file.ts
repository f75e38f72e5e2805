import { constants, Database } from "bun:sqlite";

/**
 * How a file is opened: one that must be there, one to be made, one that is not to be changed, or one that nobody
 * changes, without any lock and what is beside it.
 */
export type Opening = "existing" | "new" | "read-only" | "unchanging";

/** Opens a file. Throws what SQLite says where that cannot be. */
export function openDatabase(path: string, opening: Opening): Database {
  if (opening === "read-only") return new Database(path, { readonly: true, strict: true });
  if (opening !== "unchanging")
    return new Database(path, { readwrite: true, create: opening === "new", strict: true });
  return new Database(
    `${fileUri(path)}?immutable=1`,
    constants.SQLITE_OPEN_READONLY | constants.SQLITE_OPEN_URI,
  );
}

/** A path as the URI by which SQLite opens it. */
const fileUri = (path: string) => withoutHost(Bun.pathToFileURL(plainPath(path)).href);

/** A path without the `\\?\` by which Windows is told to take it as it is: no URL can hold that. */
export const plainPath = (path: string) =>
  path.replace(/^\\\\\?\\(UNC\\)?/i, (_, share?: string) => (share ? "\\\\" : ""));

/** The URL of a file on a Windows share, `file://nas/share/…`, with the host in its path: SQLite refuses any other. */
export const withoutHost = (url: string) => url.replace(/^file:\/\/(?!\/)/, "file:////");
