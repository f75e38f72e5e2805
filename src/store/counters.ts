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

/** How far numbers skip ahead where what was given since a copy was made cannot be known. */
export const SKIP = 1000;

/**
 * Sets each counter ahead of all that it may have given.
 * @param given the highest numbers that are known from elsewhere to have been given, by sigil.
 */
export async function skipAhead(
  tx: Sql,
  given: ReadonlyMap<string, number> = new Map(),
): Promise<void> {
  for (const name of Object.values(SIGILS)) {
    const value = (given.get(name) ?? 0) + SKIP;
    await tx.all(sql`insert into counters (name, value) values (${name}, ${value})
      on conflict (name) do update set value = case when counters.value + ${SKIP} > excluded.value
        then counters.value + ${SKIP} else excluded.value end`);
  }
}
