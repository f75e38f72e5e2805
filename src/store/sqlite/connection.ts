import { constants, Database } from "bun:sqlite";
import { CoopError, type UnavailableReason } from "../../errors";
import type { Connection, Dialect, Fragment, Row, Sql } from "../sql";
import type { Wait } from "../wait";

export const SQLITE: Dialect = {
  name: "sqlite",
  placeholder: () => "?",
  types: { integer: "integer", text: "text", identity: "integer primary key" },
};

/** Marks a SQLite file as coop's own: "coop" in ASCII, as `pragma application_id`. */
export const APPLICATION_ID = 0x636f6f70;

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
   * Opens an existing file, or with `create` makes it. Creates nothing else, and reads nothing yet but what the
   * settings need.
   * @throws CoopError unavailable, when there is no such file or it cannot be opened.
   */
  static async open(
    path: string,
    wait: Wait,
    options: { create?: boolean } = {},
  ): Promise<SqliteConnection> {
    let database: Database;
    try {
      database = new Database(path, {
        readwrite: true,
        create: options.create ?? false,
        strict: true,
      });
    } catch (thrown) {
      throw await sqliteError(thrown, path, wait);
    }
    const connection = new SqliteConnection(database, path, wait);
    await connection.#retry(() => {
      connection.#database.run("pragma synchronous = full");
      connection.#database.run("pragma foreign_keys = on");
    });
    return connection;
  }

  /** Runs one statement that belongs to SQLite alone, such as a pragma. */
  async run(statement: string, ...values: string[]): Promise<Row[]> {
    return this.#retry(() => this.#database.query<Row, string[]>(statement).all(...values));
  }

  async all<R extends Row = Row>(statement: Fragment): Promise<R[]> {
    return this.#retry(() => this.#query<R>(statement));
  }

  async transaction<T>(work: (tx: Sql) => Promise<T>): Promise<T> {
    await this.#retry(() => this.#database.run("begin immediate"));
    const tx: Sql = {
      dialect: SQLITE,
      all: async (statement) => {
        try {
          return this.#query(statement);
        } catch (thrown) {
          throw await sqliteError(thrown, this.#path, this.wait);
        }
      },
    };
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

  async close(): Promise<void> {
    this.#database.close();
  }

  #query<R extends Row>(statement: Fragment): R[] {
    const { text, values } = statement.render(SQLITE.placeholder);
    return this.#database.query<R, Row[string][]>(text).all(...values);
  }

  async #retry<T>(attempt: () => T): Promise<T> {
    try {
      return await this.wait.retry(attempt, isBusy);
    } catch (thrown) {
      if (codeOf(thrown) === "SQLITE_READONLY_DIRECTORY" && (await this.#reopenAsItIs()))
        return this.#retry(attempt);
      throw await sqliteError(thrown, this.#path, this.wait);
    }
  }

  /**
   * In a folder that may not be written SQLite has no place for what it needs beside a store in WAL mode. Where there
   * is no log, all is in the file, and that can be read as it is. Says whether it was opened so.
   */
  async #reopenAsItIs(): Promise<boolean> {
    const log = await Bun.file(`${this.#path}-wal`)
      .stat()
      .catch(() => undefined);
    if (log && log.size > 0) return false;
    this.#database.close();
    const name = encodeURI(this.#path).replace(/[?#]/g, encodeURIComponent);
    this.#database = new Database(
      `file:${name}?immutable=1`,
      constants.SQLITE_OPEN_READONLY | constants.SQLITE_OPEN_URI,
    );
    return true;
  }

  async #commit(): Promise<void> {
    try {
      // A reader of a rollback-journal store can hold a commit up; the transaction is still whole then.
      await this.wait.retry(() => this.#database.run("commit"), isBusy);
    } catch (thrown) {
      const undone = isBusy(thrown)
        ? this.#rollback()
        : !this.#database.inTransaction && isFull(thrown);
      const error = await sqliteError(thrown, this.#path, this.wait);
      if (undone || !(error instanceof CoopError)) throw error;
      this.#rollback();
      throw new CoopError(
        "unknown",
        `the commit was not answered (${error.message}): it may have been written`,
        {
          hint: "repeat the command with the same --key, or look",
          cause: thrown,
        },
      );
    }
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

const codeOf = (thrown: unknown): string =>
  thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";

const isBusy = (thrown: unknown) => /^SQLITE_(BUSY|LOCKED)/.test(codeOf(thrown));
const isFull = (thrown: unknown) => codeOf(thrown) === "SQLITE_FULL";

/** SQLite's result codes by their beginning, and what each means to a user. */
const MEANINGS: readonly [prefix: string, reason: UnavailableReason, says: string, hint: string][] =
  [
    [
      "SQLITE_READONLY",
      "read_only",
      "cannot be written",
      "check the permissions of the file and its folder, or the sandbox you run in",
    ],
    [
      "SQLITE_FULL",
      "full",
      "could not grow: the disk is full",
      "free some space and repeat; nothing was written",
    ],
    [
      "SQLITE_CORRUPT",
      "damaged",
      "is damaged",
      "stop writing and ask the person to restore a backup",
    ],
    [
      "SQLITE_NOTADB",
      "foreign",
      "is not a coop store: it is not a database",
      "check --db and PIPPA_COOP_DB",
    ],
    [
      "SQLITE_CANTOPEN",
      "access",
      "cannot be opened",
      "check the permissions of the file and its folder",
    ],
    [
      "SQLITE_PERM",
      "access",
      "may not be accessed",
      "check the permissions of the file and its folder",
    ],
    [
      "SQLITE_AUTH",
      "access",
      "may not be accessed",
      "check the permissions of the file and its folder",
    ],
    [
      "SQLITE_IOERR",
      "access",
      "could not be read or written: an I/O error",
      "check the disk and the mount",
    ],
  ];

/** Any error met while using a SQLite file, as the CoopError a user should see. */
async function sqliteError(thrown: unknown, path: string, wait: Wait): Promise<unknown> {
  const code = codeOf(thrown);
  if (!code.startsWith("SQLITE_")) return thrown;
  if (isBusy(thrown)) {
    return new CoopError(
      "busy",
      `the store is locked by another command: no turn within ${wait.seconds} s`,
      {
        hint: "try again, or wait longer with --wait SECONDS",
        cause: thrown,
      },
    );
  }
  if (code === "SQLITE_CANTOPEN") {
    const absent = await whatIsThere(path);
    if (absent) return absent;
  }
  const meaning = MEANINGS.find(([prefix]) => code.startsWith(prefix));
  if (!meaning) return thrown;
  const [, reason, says, hint] = meaning;
  return new CoopError("unavailable", `the store ${path} ${says} (${code})`, {
    reason,
    hint,
    cause: thrown,
  });
}

const ABSENT = ["ENOENT", "ENOTDIR"];

/** Why a path cannot be opened as a file, where the reason is that it is none. */
async function whatIsThere(path: string): Promise<CoopError | undefined> {
  const stat = await Bun.file(path)
    .stat()
    .catch((error: NodeJS.ErrnoException) => error);
  if (stat instanceof Error) return ABSENT.includes(stat.code ?? "") ? noStore(path) : undefined;
  if (!stat.isDirectory()) return undefined;
  return new CoopError("unavailable", `${path} is a folder, not a store`, {
    reason: "foreign",
    hint: "name the file in it: --db FOLDER/coop.db",
  });
}

/** There is no store. Never suggests making one: the real one may be on a folder that is not mounted. */
export const noStore = (path: string) =>
  new CoopError("unavailable", `no store at ${path}`, {
    reason: "no_store",
    hint: "is the folder mounted? ask the person",
  });
