import { constants, Database } from "bun:sqlite";
import { CoopError } from "../../errors";
import {
  raw,
  unanswered,
  type Connection,
  type Dialect,
  type Fragment,
  type Row,
  type Sql,
} from "../sql";
import type { Wait } from "../wait";
import { codeOf, isBusy, isFull, sqliteError } from "./errors";
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
