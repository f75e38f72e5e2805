import { raw, sql, type Fragment, type Sql } from "./sql";

/**
 * The different values of a text column, in order; nulls are left out. Steps from one value to the next in an index on
 * the column, so it costs as much as there are values, not rows (https://www.sqlite.org/optoverview.html#skip_scan
 * tells of the same idea; SQLite does not apply it to `select distinct`).
 * `table` and `column` are words of the source; `where` must be what a partial index is of, if the index is one.
 */
export async function distinct(
  on: Sql,
  table: string,
  column: string,
  where: Fragment = raw("1 = 1"),
): Promise<string[]> {
  const [from, name] = [raw(table), raw(column)];
  const rows = await on.all<{ value: string }>(sql`
    with recursive found (value) as (
      select min(${name}) from ${from} where ${where} and ${name} is not null
      union all
      select (select min(${name}) from ${from} where ${where} and ${name} > found.value)
      from found where found.value is not null)
    select value from found where value is not null`);
  return rows.map(({ value }) => value);
}
