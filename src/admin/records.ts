import { NOUN, SURFACES } from "../ref";
import { tableName } from "../store/tables";

/** Each table of records, and what one row of it is. */
export const NOUNS: readonly (readonly [table: string, noun: string])[] = SURFACES.map(
  (surface) => [tableName(surface), NOUN[surface]],
);

/** How many rows each table of records has, of those that all tables have. */
export const recordsIn = (rows: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(NOUNS.map(([table]) => [table, rows[table] ?? 0]));
