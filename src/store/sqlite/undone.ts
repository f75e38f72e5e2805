import { ref, type Surface } from "../../ref";
import { archiveEvents, endsOf, type Redaction, type RestoreEvent } from "../archived";
import { keptJson } from "../json";
import { tableName } from "../tables";
import { raw, sql, type Sql } from "../sql";

/** What was done in a store, and is not in the copy that its rows are replaced by. */
export interface Undone {
  /** The last redaction of each record that was redacted, whether the copy has the record or not. */
  redactions: Redaction[];
  /** The records that are in the copy as they were before that. */
  unredacted: string[];
  /** The archives that records went into which are in the copy. */
  archives: string[];
}

/**
 * What is undone where the rows of a store are replaced by those of an attached copy.
 * @param copy the name that the copy is attached by.
 */
export async function undoneBy(tx: Sql, copy: string): Promise<Undone> {
  const redactions = await unknownRedactions(tx, copy);
  const unredacted: string[] = [];
  for (const { ref: name } of redactions) if (await holds(tx, copy, name)) unredacted.push(name);
  const since = sql`id not in (select id from ${raw(copy)}.events)`;
  const archives = new Set<string>();
  for (const { to, refs } of await archiveEvents(tx, since))
    for (const run of refs) if (!archives.has(to) && (await holds(tx, copy, run))) archives.add(to);
  return { redactions, unredacted, archives: [...archives] };
}

/**
 * The redactions that the store's log tells of and the copy's does not: their own events, and what is kept of those that
 * went into an archive or that an earlier restore took away with the rest.
 */
async function unknownRedactions(tx: Sql, copy: string): Promise<Redaction[]> {
  const restores = await tx.all<{ after: string }>(
    sql`select after from events where surface = 'store' and verb = 'restore'`,
  );
  const kept = [
    ...(await archiveEvents(tx)),
    ...restores.map(({ after }) => keptJson(after) as RestoreEvent),
  ];
  const last = await lastRedactions(tx, "main");
  for (const { ref: name, event } of kept.flatMap(({ redacted }) => redacted ?? []))
    last.set(name, Math.max(event, last.get(name) ?? 0));
  // A record that the copy has redacted later is redacted there.
  const known = await lastRedactions(tx, copy);
  return Array.from(last, ([name, event]) => ({ ref: name, event })).filter(
    ({ ref: name, event }) => event > (known.get(name) ?? 0),
  );
}

/** The event of each record's last redaction, by its ref. */
async function lastRedactions(tx: Sql, database: string): Promise<Map<string, number>> {
  const rows = await tx.all<{ surface: Surface; number: number; event: number }>(
    sql`select surface, number, max(id) as event from ${raw(database)}.events where verb = 'redact'
      group by surface, number`,
  );
  return new Map(rows.map(({ surface, number, event }) => [ref(surface, number), event]));
}

/** Whether the copy has a record of those in a row, such as `Q1-Q5`, or one alone; pushes to several are none. */
async function holds(tx: Sql, copy: string, run: string): Promise<boolean> {
  const [from, to] = endsOf(run);
  if (from.surface === "fan-out") return false;
  const table = tableName(from.surface);
  // A record of another store can have the number.
  const rows = await tx.all(sql`select 1 from ${raw(`${copy}.${table}`)} as kept
    where number between ${from.number} and ${to.number} and not exists (select 1 from ${raw(`main.${table}`)} as other
      where other.number = kept.number and (other.created_at <> kept.created_at or other.author <> kept.author)) limit 1`);
  return rows.length > 0;
}
