import { CoopError } from "../errors";
import { parseRef, ref, SIGILS, type Numbered, type Ref } from "../ref";
import { shellWord } from "../shell";
import { keptJson } from "./json";
import { and, first, sql, type Fragment, type Sql } from "./sql";

/** What the event of a move into an archive keeps of what has left the store with it. */
export interface ArchiveEvent {
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
  /** What was redacted before it left, where something was. */
  redacted?: Redaction[];
}

/** A redaction, by the number of its event. */
export interface Redaction {
  ref: string;
  event: number;
}

/** What the event of a restore keeps of the store that it replaced. */
export interface RestoreEvent {
  from: string;
  saved_as: string | null;
  /** What was redacted there and is not known to be in what is here now, where something was. */
  redacted?: Redaction[];
}

/** Every move of this store's records into an archive whose event is as asked, the latest first. */
export async function archiveEvents(on: Sql, ...asked: Fragment[]): Promise<ArchiveEvent[]> {
  const moves = sql`surface = 'store' and number = 0 and verb = 'archive'`;
  const rows = await on.all<{ after: string }>(
    sql`select after from events where ${and([moves, ...asked])} order by id desc`,
  );
  // The first of them kept less.
  const none = { refs: [], queues: {}, ids: {} };
  return rows.map(({ after }) => ({ ...none, ...(keptJson(after) as ArchiveEvent) }));
}

/** The refs of numbers in ascending order, those in a row by the first and the last: `Q1-Q5`, `Q7`. */
export function runsOf(surface: Numbered, numbers: readonly number[]): string[] {
  const runs: { from: number; to: number }[] = [];
  for (const number of numbers) {
    const run = runs.at(-1);
    if (run && run.to === number - 1) run.to = number;
    else runs.push({ from: number, to: number });
  }
  return runs.map(({ from, to }) =>
    from === to ? ref(surface, from) : `${ref(surface, from)}-${ref(surface, to)}`,
  );
}

/** The first and the last of what {@link runsOf} calls a run. */
export function endsOf(run: string): readonly [from: Ref, to: Ref] {
  const [from, to = from] = run.split("-").map((name) => parseRef(name)!);
  return [from!, to!];
}

/** The archive that a record or a push to several was moved into last, as far as the store's log tells. */
export const archivedInto = async (on: Sql, of: Ref): Promise<string | undefined> =>
  (await archivesOf(on, of))[0];

/**
 * Every archive that a record or a push to several was moved into, the last first: after a restore it can be moved into
 * another.
 */
export async function archivesOf(on: Sql, { surface, number }: Ref): Promise<string[]> {
  const isIn = (run: string) => {
    const [from, to] = endsOf(run);
    return from.surface === surface && from.number <= number && number <= to.number;
  };
  const found = (await archiveEvents(on)).filter(({ refs }) => refs.some(isIn));
  return [...new Set(found.map(({ to }) => to))];
}

/** Whether a number was given: there is or was a record of it, or a restore skipped it. */
export async function wasGiven(on: Sql, { surface, number }: Ref): Promise<boolean> {
  const counter = await first<{ value: number }>(
    on,
    sql`select value from counters where name = ${SIGILS[surface]}`,
  );
  return counter !== undefined && number <= counter.value;
}

/** The error for a record that is not there, which says where it is as far as the store's log tells. */
export async function absent(on: Sql, of: Ref): Promise<CoopError> {
  const name = ref(of.surface, of.number);
  const error = (says: string, hint: string) =>
    new CoopError("not_found", `there is no ${name}${says}`, { ref: name, hint });
  const list = `coop ${of.surface === "fan-out" ? "queue" : of.surface} list`;
  if (!(await wasGiven(on, of))) return error("", list);
  const file = await archivedInto(on, of);
  return file === undefined
    ? error(" any more", list)
    : error(
        ` any more: it was archived into ${file}`,
        `coop --db ${shellWord(file)} queue show ${name}`,
      );
}
