import { ref, type Numbered } from "../ref";
import { keptJson } from "./json";
import { sql, type Sql } from "./sql";

/** What the event of a move into an archive keeps of what has left the store with it. */
export interface Archiving {
  /** The archive's path. */
  to: string;
  items: number;
  events: number;
  /** The items and the pushes to several, those in a row by the first and the last: `Q1-Q5`, `Q7`, `F2`. */
  refs: string[];
  /** How many items of each queue. */
  queues: Record<string, number>;
  /** Who wrote the events, and the time (RFC 3339) and the host of the last of each. */
  ids: Record<string, { at: string; host: string }>;
}

/** Every move of this store's records into an archive, the latest first. */
export async function archivings(on: Sql): Promise<Archiving[]> {
  const rows = await on.all<{ after: string }>(
    sql`select after from events where surface = 'store' and number = 0 and verb = 'archive'
      order by id desc`,
  );
  // The first of them kept less.
  const none = { refs: [], queues: {}, ids: {} };
  return rows.map(({ after }) => ({ ...none, ...(keptJson(after) as Archiving) }));
}

/** The refs of numbers in ascending order, those in a row by the first and the last: `Q1-Q5`, `Q7`. */
export function runsOf(surface: Numbered, numbers: readonly number[]): string[] {
  const runs: { first: number; last: number }[] = [];
  for (const number of numbers) {
    const run = runs.at(-1);
    if (run && run.last === number - 1) run.last = number;
    else runs.push({ first: number, last: number });
  }
  return runs.map(({ first, last }) =>
    first === last ? ref(surface, first) : `${ref(surface, first)}-${ref(surface, last)}`,
  );
}
