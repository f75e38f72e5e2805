import { sql, type Sql } from "../sql";

/** An event by its number, and when it was, in ms since 1970. */
export interface Change {
  id: number;
  at: number;
}

/**
 * Whether a store never had a change that a file of it has. Then an older copy, or another store, was put in the store's
 * place. That it has the change no more tells nothing: it can have been archived, or undone by a restore, after which
 * another change can have its number.
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
