import { SURFACES } from "../ref";
import { distinct } from "./distinct";
import { first, join, raw, sql, type Sql } from "./sql";
import { tableName } from "./tables";

const TABLES = SURFACES.map(tableName);

/** Whether any record is of a scope. */
export async function isScopeUsed(on: Sql, scope: string): Promise<boolean> {
  const looks = TABLES.map(
    (table) => sql`exists (select 1 from ${raw(table)} where scope = ${scope})`,
  );
  return (await first(on, sql`select 1 as one where ${join(looks, " or ")}`)) !== undefined;
}

/** Every scope that a record is of, but for none. */
export async function scopesUsed(on: Sql): Promise<string[]> {
  const found = new Set<string>();
  for (const table of TABLES)
    for (const scope of await distinct(on, table, "scope")) found.add(scope);
  found.delete("");
  return [...found];
}
