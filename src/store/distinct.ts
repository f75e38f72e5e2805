import { raw, sql, type Fragment, type Sql } from "./sql";

/**
 * The distinct values of a text column, as the table `found (value)` of a `with recursive`; the last may be null. Steps
 * from one value to the next in an index on the column, so it costs as much as there are values, not rows
 * (https://www.sqlite.org/optoverview.html#skip_scan tells of the same idea; SQLite does not apply it to
 * `select distinct`). `table` and `column` are words of the source.
 */
export function skipScan(table: string, column: string): Fragment {
  const [from, name] = [raw(table), raw(column)];
  return sql`found (value) as (
      select min(${name}) from ${from} where ${name} is not null
      union all
      select (select min(${name}) from ${from} where ${name} > found.value)
      from found where found.value is not null)`;
}

/**
 * The distinct values of a text column that rows have, in order; nulls are left out. With `where`, only values that
 * such rows have: an index should begin with the column and what `where` asks for.
 */
export async function distinct(
  on: Sql,
  table: string,
  column: string,
  where?: Fragment,
): Promise<string[]> {
  const among = where
    ? sql`and exists (select 1 from ${raw(table)} where ${raw(column)} = found.value and ${where})`
    : raw("");
  const rows = await on.all<{ value: string }>(
    sql`with recursive ${skipScan(table, column)} select value from found where value is not null ${among}`,
  );
  return rows.map(({ value }) => value);
}
