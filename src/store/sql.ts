import { CoopError } from "../errors";

/** A value that both engines can bind. Booleans are 0 and 1, times are milliseconds since 1970. */
export type Value = string | number | null;

/** A row as the engines give it: integers are numbers on both. */
export type Row = Record<string, Value>;

/** A piece of SQL with its values kept apart; pieces nest. Made by `` sql`…` ``. */
export class Fragment {
  constructor(
    readonly strings: readonly string[],
    readonly values: readonly (Value | Fragment)[],
  ) {}

  /** The text with each value's placeholder, and the values in the order of their placeholders. */
  render(placeholder: Placeholder): { text: string; values: Value[] } {
    const values: Value[] = [];
    const text = this.append(placeholder, values);
    return { text, values };
  }

  /** Gives the text, and appends the values to those of what is before it in the statement. */
  protected append(placeholder: Placeholder, values: Value[]): string {
    let text = this.strings[0]!;
    for (let index = 0; index < this.values.length; index++) {
      const value = this.values[index]!;
      if (value instanceof Fragment) text += value.append(placeholder, values);
      else text += placeholderAt(placeholder, values.push(value));
      text += this.strings[index + 1]!;
    }
    return text;
  }
}

/** What stands for a bound value: a text, or one for each position from 1 on. */
type Placeholder = string | ((position: number) => string);

const placeholderAt = (placeholder: Placeholder, position: number) =>
  typeof placeholder === "string" ? placeholder : placeholder(position);

/** Rows of so many values each, which can be thousands: where placeholders are alike, their text is made at once. */
class Tuples extends Fragment {
  constructor(
    readonly width: number,
    readonly bound: readonly Value[],
  ) {
    super([], []);
  }

  protected override append(placeholder: Placeholder, values: Value[]): string {
    const { width, bound } = this;
    const before = values.length;
    for (const value of bound) values.push(value);
    if (typeof placeholder === "string")
      return repeated(`(${repeated(placeholder, width)})`, bound.length / width);
    const cells = bound.map((_, index) => {
      const between = index % width > 0 ? ", " : index > 0 ? "), (" : "(";
      return between + placeholder(before + index + 1);
    });
    return `${cells.join("")})`;
  }
}

const repeated = (text: string, count: number) => `${text}, `.repeat(count - 1) + text;

/** SQL as a template: `` sql`select * from letters where number = ${12}` ``. Values are always bound. */
export function sql(strings: TemplateStringsArray, ...values: (Value | Fragment)[]): Fragment {
  return new Fragment(strings, values);
}

/** Text put into a statement as it is. Only ever called with words of the source, never with input. */
export const raw = (text: string) => new Fragment([text], []);

/** Pieces set one after another with a separator between them. */
export function join(pieces: readonly (Value | Fragment)[], separator = ", "): Fragment {
  if (pieces.length === 0) return raw("");
  return new Fragment(["", ...pieces.slice(1).map(() => separator), ""], pieces);
}

/** Rows of so many values each, one row's after another's, as `values` takes them: `(…), (…)`. */
export const tuples = (width: number, values: readonly Value[]): Fragment =>
  new Tuples(width, values);

/** Conditions that must all hold; no condition is always true. */
export const and = (conditions: readonly Fragment[]) =>
  conditions.length === 0 ? raw("1 = 1") : join(conditions, " and ");

/** How many values one list of a statement may have, so that it stays under every engine's limit on bound values. */
export const VALUES_A_STATEMENT = 500;

/** Values in their order, so many at a time. */
export function inBatches<T>(values: readonly T[], size = VALUES_A_STATEMENT): T[][] {
  const batches: T[][] = [];
  for (let from = 0; from < values.length; from += size)
    batches.push(values.slice(from, from + size));
  return batches;
}

/** Values for columns as `set` takes them: `column = …, …`. Columns are words of the source. */
export const assignments = (row: Row) =>
  join(Object.entries(row).map(([column, value]) => sql`${raw(column)} = ${value}`));

/** `column in (…)`, and `=` for one value. */
export const among = (column: string, values: readonly Value[]) =>
  values.length === 1
    ? sql`${raw(column)} = ${values[0]!}`
    : sql`${raw(column)} in (${join(values)})`;

/** What differs between the engines and is written into statements. */
export interface Dialect {
  readonly name: "sqlite" | "postgres";
  readonly placeholder: Placeholder;
  /** Column types of the migrations. */
  readonly types: {
    /** A whole number up to 2^53: refs, versions, times in ms. */
    readonly integer: string;
    readonly text: string;
    /** The primary key of a table whose rows the engine numbers by itself. */
    readonly identity: string;
  };
  /**
   * The statement after which the engine numbers a table's rows on from the highest, where rows with numbers of their
   * own were put in; undefined where it always does.
   */
  continueIdentity(table: string): string | undefined;
  /** The statement after which a transaction may rest while another store is at work; undefined where it always may. */
  readonly rest: string | undefined;
  /** The statement after which a transaction sees every row or fails; undefined where it always does. */
  readonly whole: string | undefined;
}

/** A connection, or a transaction on it, that runs statements. */
export interface Sql {
  readonly dialect: Dialect;
  /**
   * Runs one statement and gives its rows.
   * @throws CoopError busy, unavailable or unknown, mapped from the engine's own error.
   */
  all<R extends Row = Row>(statement: Fragment): Promise<R[]>;
}

/** The first row of a statement, or undefined. */
export async function first<R extends Row = Row>(
  on: Sql,
  statement: Fragment,
): Promise<R | undefined> {
  const [row] = await on.all<R>(statement);
  return row;
}

/** To be asked in a transaction before it waits for what another store does, which can take long. */
export async function letRest(tx: Sql): Promise<void> {
  if (tx.dialect.rest !== undefined) await tx.all(raw(tx.dialect.rest));
}

/** To be asked in a transaction before it copies all that there is. */
export async function seeWhole(tx: Sql): Promise<void> {
  if (tx.dialect.whole !== undefined) await tx.all(raw(tx.dialect.whole));
}

/** A transaction that has the store for itself. */
export interface Transaction extends Sql {
  /** The store's own time when the transaction had it, in milliseconds since 1970; undefined where it has no clock. */
  readonly at?: number;
}

/** An open store's connection. Outside of a transaction it is only read: what a statement may wait for can run out before. */
export interface Connection extends Sql {
  /**
   * Runs `work` as the one writer: it sees and changes the store alone until it ends, and what it wrote is
   * durable when the promise resolves. A throw undoes everything.
   * @throws CoopError busy when the lock was not had in time; unknown when the commit's outcome is not known.
   */
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** What to do about a store that is damaged, in whatever engine. */
export const RESTORE_IT = "stop writing and ask the person to restore a backup";

/** What to do where a lock was not had in time, in whatever engine. */
export const WAIT_LONGER = "try again, or wait longer with --wait SECONDS";

/** The error of either engine for a commit that was sent and not answered. */
export const unanswered = (why: string, cause?: unknown) =>
  new CoopError("unknown", `the commit was not answered (${why}): it may have been written`, {
    hint: "repeat the command with the same --key, or look",
    cause,
  });
