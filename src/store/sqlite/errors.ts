import { CoopError, type UnavailableReason, unavailable } from "../../errors";
import { RESTORE_IT, WAIT_LONGER } from "../sql";
import type { Wait } from "../wait";

/** SQLite's own code of an error, or of the error that a CoopError was made from; "" for any other. */
export function codeOf(thrown: unknown): string {
  const error = thrown instanceof CoopError ? thrown.details.cause : thrown;
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

/** Whether another connection is in the way; of a write-ahead log's locks SQLite says that by PROTOCOL. */
export const isBusy = (thrown: unknown) => /^SQLITE_(BUSY|LOCKED|PROTOCOL)/.test(codeOf(thrown));

/** Whether SQLite was not let at a store, or has not what it needs to write it: it may be readable all the same. */
export const isKeptOut = (thrown: unknown) =>
  /^SQLITE_(READONLY|CANTOPEN|PERM|AUTH|IOERR_(SHM|SHORT_READ))/.test(codeOf(thrown));

/** Whether the file's header or schema is not what coop made it: SQLite has no code for that. */
const isOutOfForm = (thrown: unknown) =>
  codeOf(thrown) === "SQLITE_ERROR" &&
  /unsupported file format|no such (table|column)|has no column|foreign key mismatch/.test(
    String(thrown),
  );

/** Whether the disk had no room for it. */
export const isFull = (thrown: unknown) => codeOf(thrown) === "SQLITE_FULL";

/** An error that names a file in the making, as one of the file that it is made for. */
export const naming = ({ code, message, details }: CoopError, made: string, file: string) =>
  new CoopError(
    code,
    message.replaceAll(made, () => file),
    details,
  );

/** SQLite's result codes by their beginning, and what each means to a user. */
const MEANINGS: readonly [prefix: string, reason: UnavailableReason, says: string, hint: string][] =
  [
    [
      "SQLITE_FULL",
      "full",
      "could not grow: the disk is full",
      "free some space and repeat; nothing was written",
    ],
    [
      "SQLITE_IOERR_SHMSIZE",
      "full",
      "cannot be used: the disk is full",
      "free some space and repeat; nothing was written",
    ],
    [
      "SQLITE_IOERR_SHM",
      "access",
      "keeps a write-ahead log, which does not work where it is",
      "a writing command changes that, or says why it cannot be",
    ],
    ["SQLITE_CORRUPT", "damaged", "is damaged", RESTORE_IT],
    [
      "SQLITE_NOTADB",
      "foreign",
      "is not a coop store: it is not a database",
      "check --db and PIPPA_COOP_DB",
    ],
    [
      "SQLITE_IOERR",
      "access",
      "could not be read or written: an I/O error",
      "check the disk, your quota on it, and the mount",
    ],
  ];

/** Whether what is no database any more was a store: a backup of it is left. */
async function wasStore(code: string, path: string): Promise<boolean> {
  if (code !== "SQLITE_NOTADB") return false;
  const { hasBackups } = await import("./backups");
  return hasBackups(path);
}

/** Any error met while using a SQLite file, as the CoopError a user should see. */
export async function sqliteError(thrown: unknown, path: string, wait: Wait): Promise<unknown> {
  const code = codeOf(thrown);
  if (thrown instanceof CoopError || !code.startsWith("SQLITE_")) return thrown;
  if (isBusy(thrown)) {
    return new CoopError(
      "busy",
      `the store ${path} is locked by another command: no turn within ${wait.seconds} s`,
      {
        hint: WAIT_LONGER,
        cause: thrown,
      },
    );
  }
  if (/^SQLITE_(CANTOPEN|READONLY|PERM|AUTH|IOERR_FSTAT)/.test(code)) {
    const { refusal } = await import("./refusal");
    return refusal(path, thrown);
  }
  if (/no such function/.test(String(thrown))) {
    const { sqliteVersion, tooOld } = await import("./version");
    return tooOld(sqliteVersion(), thrown);
  }
  const known = isOutOfForm(thrown) || (await wasStore(code, path)) ? "SQLITE_CORRUPT" : code;
  const meaning = MEANINGS.find(([prefix]) => known.startsWith(prefix));
  if (!meaning) return thrown;
  const [, reason, says, hint] = meaning;
  return unavailable(reason, `the store ${path} ${says} (${code})`, hint, thrown);
}
