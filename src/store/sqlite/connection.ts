import { constants, Database } from "bun:sqlite";
import { CoopError, type UnavailableReason, unavailable } from "../../errors";
import {
  raw,
  RESTORE_IT,
  unanswered,
  WAIT_LONGER,
  type Connection,
  type Dialect,
  type Fragment,
  type Row,
  type Sql,
} from "../sql";
import type { Wait } from "../wait";
import { openDatabase, type Opening } from "./open-file";

/** How statements are written for SQLite. */
export const SQLITE: Dialect = {
  name: "sqlite",
  // With a bare `?` SQLite prepares a statement again for each value where a partial index might depend on it.
  placeholder: "+?",
  types: { integer: "integer", text: "text", identity: "integer primary key" },
  continueIdentity: () => undefined,
  rest: undefined,
  whole: undefined,
};

/**
 * A commit waits until the disk has it: with a rollback journal also that the journal is gone, by which it is committed, and
 * which alone `full` leaves to the file system (https://www.sqlite.org/pragma.html#pragma_synchronous). On macOS to be told
 * so a file is synced in another way, which no other system knows (https://www.sqlite.org/pragma.html#pragma_fullfsync).
 */
export const DURABLE = [
  "pragma synchronous = extra",
  "pragma fullfsync = on",
  "pragma checkpoint_fullfsync = on",
].join(";");

/** Marks a SQLite file as coop's own: "coop" in ASCII, as `pragma application_id`. */
export const APPLICATION_ID = 0x636f6f70;

/** How a store is used by every connection to it. */
const SETTINGS = [
  DURABLE,
  "pragma foreign_keys = on",
  // A sandbox may have no folder for temporary files.
  "pragma temp_store = memory",
].join(";");

/** A SQLite store in one file, used by this process through one connection. */
export class SqliteConnection implements Connection {
  readonly dialect = SQLITE;
  #database: Database;
  readonly wait: Wait;
  readonly #path: string;

  private constructor(database: Database, path: string, wait: Wait) {
    this.#database = database;
    this.#path = path;
    this.wait = wait;
  }

  /**
   * Opens a file. Creates nothing else, and reads nothing yet but what the settings need.
   * @throws CoopError unavailable, when there is no such file or it cannot be opened.
   */
  static async open(
    path: string,
    wait: Wait,
    opening: Opening = "existing",
  ): Promise<SqliteConnection> {
    const connection = new SqliteConnection(await opened(path, opening, wait), path, wait);
    try {
      await connection.#configure();
      return connection;
    } catch (thrown) {
      await connection.close();
      throw thrown;
    }
  }

  #configure(): Promise<void> {
    return this.#retry(() => {
      this.#database.run(SETTINGS);
    });
  }

  /**
   * Lets go of the file while `work` does to it what it can only do alone.
   * @throws CoopError unavailable, when it cannot be opened again; and what `work` throws.
   */
  async aside(work: () => Promise<void>): Promise<void> {
    this.#database.close();
    try {
      await work();
    } finally {
      this.#database = await opened(this.#path, "existing", this.wait);
      await this.#configure();
    }
  }

  /** Runs one statement that belongs to SQLite alone, such as a pragma. */
  run(statement: string, ...values: string[]): Promise<Row[]> {
    return this.#retry(() => this.#database.query<Row, string[]>(statement).all(...values));
  }

  all<R extends Row = Row>(statement: Fragment): Promise<R[]> {
    return this.#retry(() => this.#query<R>(statement));
  }

  async transaction<T>(work: (tx: Sql) => Promise<T>): Promise<T> {
    await this.#begin();
    // A large transaction can be held up by a reader of a rollback-journal store; the statement alone is undone then.
    const tx: Sql = { dialect: SQLITE, all: (statement) => this.all(statement) };
    let result: T;
    try {
      result = await work(tx);
    } catch (thrown) {
      this.#rollback();
      throw thrown;
    }
    await this.#commit();
    return result;
  }

  async #begin(): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await this.#retry(() => this.#database.run("begin immediate"));
        return;
      } catch (thrown) {
        if (tries === LOG_TRIES || codeOf(thrown) !== "SQLITE_READONLY") throw thrown;
        await this.aside(() => this.wait.clock.sleep(tries * LOG_PAUSE_MS));
      }
    }
  }

  async close(): Promise<void> {
    this.#database.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #query<R extends Row>(statement: Fragment): R[] {
    const { text, values } = statement.render(SQLITE.placeholder);
    return this.#database.query<R, Row[string][]>(text).all(...values);
  }

  async #retry<T>(attempt: () => T): Promise<T> {
    try {
      return await this.#untilFree(attempt);
    } catch (thrown) {
      throw await sqliteError(thrown, this.#path, this.wait);
    }
  }

  /** Gives at once what nobody is in the way of, as nearly always. */
  #untilFree<T>(attempt: () => T): T | Promise<T> {
    try {
      return attempt();
    } catch (thrown) {
      if (!isBusy(thrown)) throw thrown;
      return this.wait.retry(attempt, isBusy);
    }
  }

  /** @throws CoopError unavailable, when the file is not at its path any more: nobody would find what was written. */
  async #commit(): Promise<void> {
    if (this.#isMoved()) {
      this.#rollback();
      const { moved } = await import("./refusal");
      throw await moved(this.#path);
    }
    try {
      // A reader of a rollback-journal store can hold a commit up; the transaction is still whole then.
      await this.#untilFree(() => this.#database.run("commit"));
    } catch (thrown) {
      const undone = isBusy(thrown)
        ? this.#rollback()
        : !this.#database.inTransaction && isFull(thrown);
      const error = await sqliteError(thrown, this.#path, this.wait);
      if (undone || !(error instanceof CoopError)) throw error;
      this.#rollback();
      throw unanswered(error.message, thrown);
    }
    if (this.#isMoved()) throw unanswered(`${this.#path} was moved or replaced at that moment`);
  }

  /** Whether the path names another file than the one that is open, or none. */
  #isMoved(): boolean {
    const answer = new Int32Array(2);
    this.#database.fileControl(constants.SQLITE_FCNTL_HAS_MOVED, answer);
    return answer[0] !== 0;
  }

  /** Undoes the open transaction, and says whether it was undone for certain. */
  #rollback(): boolean {
    // SQLite has already rolled back by itself after some errors, and then a ROLLBACK would throw.
    if (!this.#database.inTransaction) return true;
    try {
      this.#database.run("rollback");
      return true;
    } catch {
      return false;
    }
  }
}

/**
 * For a moment a log that another user has just made is not yet the group's, and whoever opens it then cannot write. How
 * often that is tried, and the pause before the second time in ms.
 */
export const LOG_TRIES = 3;
export const LOG_PAUSE_MS = 4;

/** Opens a file. @throws CoopError unavailable. */
async function opened(path: string, opening: Opening, wait: Wait): Promise<Database> {
  try {
    return opening === "existing" ? await openThere(path) : openDatabase(path, opening);
  } catch (thrown) {
    throw await sqliteError(thrown, path, wait);
  }
}

/** Opens a file that is there. What a link leads to has its log beside it, where whoever looked by the link saw none. */
async function openThere(path: string): Promise<Database> {
  try {
    return new Database(path, constants.SQLITE_OPEN_READWRITE | constants.SQLITE_OPEN_NOFOLLOW);
  } catch (thrown) {
    if (codeOf(thrown) !== "SQLITE_CANTOPEN_SYMLINK") throw thrown;
  }
  const database = openDatabase(path, "existing");
  try {
    const [main] = database.query<{ file: string }, []>("pragma database_list").all();
    const { requireOwnLogs } = await import("./log");
    await requireOwnLogs(main!.file);
    return database;
  } catch (thrown) {
    database.close();
    throw thrown;
  }
}

/** A file that was opened to look into it, as the port to a store that nobody waits for. */
export const asSql = (database: Database): Sql => ({
  dialect: SQLITE,
  all: async <R extends Row>(statement: Fragment) => {
    const { text, values } = statement.render(SQLITE.placeholder);
    return database.query<R, Row[string][]>(text).all(...values);
  },
});

/** Whether a connection was opened as "unchanging". */
export async function isUnlocked(on: Sql): Promise<boolean> {
  // Such a file SQLite takes for its own, without any lock on it.
  const [row] = await on.all<{ locking_mode: string }>(raw("pragma main.locking_mode"));
  return row!.locking_mode === "exclusive";
}

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

const isFull = (thrown: unknown) => codeOf(thrown) === "SQLITE_FULL";

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
