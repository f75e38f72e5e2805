import { Database } from "bun:sqlite";
import { unavailable } from "../../errors";

// On Linux and Windows coop has a SQLite of its own; on macOS it uses the system's.

/** The version of the SQLite that this process uses. */
export function sqliteVersion(): string {
  using database = new Database(":memory:");
  return database.query<{ version: string }, []>("select sqlite_version() as version").get()!
    .version;
}

/**
 * Whether two connections of this version can damage a write-ahead log when both write or checkpoint at once: 3.7.0 to
 * 3.51.2, but for the fixes 3.50.7 and 3.44.6 (https://www.sqlite.org/wal.html#walresetbug).
 */
export function damagesLogs(version: string): boolean {
  const [, minor = 0, patch = 0] = version.split(".").map(Number);
  if (minor === 50) return patch < 7;
  if (minor === 44) return patch < 6;
  return minor >= 7 && (minor < 51 || (minor === 51 && patch <= 2));
}

/** Whether a version has not all that coop's statements use: `octet_length` came with 3.43. */
export function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major < 3 || (major === 3 && minor < 43);
}

/** What to do about a SQLite that is too old. */
export const NEWER_SYSTEM = "bring the system up to date: macOS 14.2 has one";

/** The error for a SQLite that is too old. */
export const tooOld = (version: string, cause?: unknown) =>
  unavailable(
    "access",
    `this system's SQLite is ${version}, and coop needs 3.43`,
    NEWER_SYSTEM,
    cause,
  );
