import type { Store } from "../src/store/open";
import { sql, type Fragment, type Sql } from "../src/store/sql";

/** How SQLite finds the rows of each statement that `work` runs, by its `explain query plan`. */
export async function plansOf(
  store: Store,
  work: (on: Sql) => Promise<unknown>,
): Promise<unknown[]> {
  const statements: Fragment[] = [];
  await work({
    dialect: store.dialect,
    all: (statement) => {
      statements.push(statement);
      return store.all(statement);
    },
  });
  const plans = await Promise.all(
    statements.map((statement) => store.all(sql`explain query plan ${statement}`)),
  );
  return plans.flat().map(({ detail }) => detail);
}
