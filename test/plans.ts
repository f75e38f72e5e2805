import { SqliteConnection } from "../src/store/sqlite/connection";
import { sql, type Fragment, type Sql } from "../src/store/sql";

/** A step of a plan: what SQLite says of it, and the steps that it is made of. */
export interface Step {
  detail: string;
  steps: Step[];
}

/** Runs `work`, and gives each different statement that it had any SQLite connection run. */
export async function statementsOf(work: () => Promise<unknown>): Promise<Fragment[]> {
  const statements = new Map<string, Fragment>();
  const { all } = SqliteConnection.prototype;
  SqliteConnection.prototype.all = function <R>(this: SqliteConnection, statement: Fragment) {
    statements.set(statement.render(() => "?").text, statement);
    return all.call(this, statement) as Promise<R[]>;
  } as typeof all;
  try {
    await work();
  } finally {
    SqliteConnection.prototype.all = all;
  }
  return Array.from(statements.values());
}

/** How SQLite finds the rows of a statement, by its `explain query plan`. */
export async function planOf(on: Sql, statement: Fragment): Promise<Step[]> {
  const rows = await on.all<{ id: number; parent: number; detail: string }>(
    sql`explain query plan ${statement}`,
  );
  const steps = new Map<number, Step>([[0, { detail: "", steps: [] }]]);
  for (const { id, parent, detail } of rows) {
    const step = { detail, steps: [] };
    steps.set(id, step);
    steps.get(parent)!.steps.push(step);
  }
  return steps.get(0)!.steps;
}
