import { ADDRESSED, type Addressed, type Kind } from "./addressed";
import { stateIn } from "./listing";
import { first, join, raw, sql, type Sql } from "./sql";

/** Of which kinds something is open on an id, of those that are asked for. One small statement. */
export async function openOn<K extends Kind>(
  on: Sql,
  id: string,
  kinds: readonly K[],
): Promise<K[]> {
  const looks = kinds.map((kind) => {
    const { table, column, states }: Addressed = ADDRESSED[kind];
    return sql`case when exists (select 1 from ${raw(table)} where ${raw(column)} = ${id} and ${stateIn(states)})
      then 1 else 0 end as ${raw(kind)}`;
  });
  const found = await first<Record<Kind, number>>(on, sql`select ${join(looks)}`);
  return kinds.filter((kind) => found![kind] === 1);
}
