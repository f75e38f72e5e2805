import { sql, type Sql } from "../sql";

/** An event by its number, and when it was, in ms since 1970. */
export interface Change {
  id: number;
  at: number;
}

/**
 * Whether a store lacks a change that a file of it has, and never had it: so it is where an older copy is in the store's
 * place, or another store. What was archived is not there any more, nor what a restore undid, after which another change
 * can have its number.
 */
export async function lacks(on: Sql, { id, at: then }: Change): Promise<boolean> {
  const [row] = await on.all<{ last: number; at: number | null; restores: number }>(
    sql`select (select coalesce(max(id), 0) from events) as last,
      (select at from events where id = ${id}) as at,
      (select count(*) from events where surface = 'store' and number = 0 and verb = 'restore' and id > ${id}) as restores`,
  );
  const { last, at, restores } = row!;
  if (restores > 0) return false;
  return at === null ? last < id : at !== then;
}
