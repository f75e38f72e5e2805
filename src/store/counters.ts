import { SIGILS, type Numbered } from "../ref";
import { first, sql, type Sql } from "./sql";

/**
 * The next number of a surface, or the first of `count` numbers in a row. A number whose transaction is undone is
 * given again, one that was committed never is.
 */
export async function nextNumber(tx: Sql, surface: Numbered, count = 1): Promise<number> {
  const row = await first<{ value: number }>(
    tx,
    sql`insert into counters (name, value) values (${SIGILS[surface]}, ${count})
      on conflict (name) do update set value = counters.value + ${count} returning value`,
  );
  return row!.value - count + 1;
}
