import { archiveEvents } from "./archived";
import { sql, type Row, type Sql } from "./sql";

/** Who used the store on a host, and when last, in ms since 1970. */
export interface LastSeen extends Row {
  id: string;
  host: string;
  at: number;
}

/**
 * Who used the store last, for an upgrade that shuts older binaries out: newest first, also those whose events are
 * archived.
 */
export async function lastSeen(on: Sql): Promise<LastSeen[]> {
  const here = await on.all<LastSeen>(
    sql`select author as id, host, max(at) as at from events group by author, host`,
  );
  const archived = (await archiveEvents(on)).flatMap(({ ids }) =>
    Object.entries(ids).map(([id, { at, host }]) => ({ id, host, at: Date.parse(at) })),
  );
  const seen = new Map<string, LastSeen>();
  for (const each of [...here, ...archived].toSorted((a, b) => a.at - b.at))
    seen.set(JSON.stringify([each.id, each.host]), each);
  return [...seen.values()].toSorted((a, b) => b.at - a.at);
}
