import { conflict, find, requireVersion, stateOf, type RecordRow, type Table } from "./records";
import { ref } from "../ref";
import type { Writing } from "./write";

/** A verb that takes a record from some states to another. */
export interface MoveRule {
  from: readonly string[];
  to: string;
}

/** Which record a command changes, and the version that its user saw. */
export interface Target {
  number: number;
  ifVersion?: number | undefined;
}

/**
 * The record a command is about, held to the version that its user saw.
 * @throws CoopError not_found, conflict version.
 */
export async function target<R extends RecordRow>(
  writing: Writing,
  table: Table,
  { number, ifVersion }: Target,
) {
  const row = await find<R>(writing.tx, table, number);
  await requireVersion(writing, table, row, ifVersion);
  return row;
}

/**
 * The note of a record after a move: what was said with it, or none. To start says nothing of what was said before, such as
 * why it was opened again, so that stays: undefined.
 */
export const saidWith = (verb: string, note: string | undefined): string | null | undefined =>
  verb === "start" ? note : (note ?? null);

/**
 * Holds a verb to the states that it may be called in.
 * @param onward what to do instead, where that is not known from the state alone.
 * @throws CoopError conflict state, saying since when, by whom and where the record is what it is.
 */
export async function requireState(
  writing: Writing,
  table: Table,
  row: RecordRow,
  allowed: readonly string[],
  onward?: string,
) {
  const state = stateOf(table, row);
  if (allowed.includes(state)) return;
  throw await conflict(writing, table, row, {
    reason: "state",
    says: `is ${state}`,
    hint: onward ?? wayOn(table, row, state),
  });
}

/** What to do about a record that is finished. */
function wayOn(table: Table, row: RecordRow, state: string): string | undefined {
  if (!table.finished.includes(state)) return undefined;
  const replacement = table.replacedBy?.(row);
  return replacement
    ? `${replacement} is in its place: coop ${table.surface} show ${replacement}`
    : `to open it again: coop ${table.surface} reopen ${ref(table.surface, row.number)}`;
}
