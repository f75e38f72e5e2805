import { nearest, slip } from "../nearest";
import { isScopeUsed, scopesUsed } from "../store/scopes";
import type { Sql } from "../store/sql";

/** What others call nobody in particular, and what they call all. */
const NOBODY = ["nobody", "none", "noone", "no-one", "anyone", "anybody", "unassigned"];
const EVERYBODY = ["all", "everyone", "everybody", "*"];

/**
 * The warning of an id that has never written; undefined where there is nothing to say.
 * @param known every id that has written. In a new store there is none, and who speaks must be the first.
 */
export function neverKnown(
  id: string,
  known: readonly string[],
  isSpeaker: boolean,
): string | undefined {
  const says = `'${id}' has never written here`;
  const word = id.toLowerCase();
  if (!isSpeaker && NOBODY.includes(word))
    return `${says}, and is taken as somebody's id: to leave it to whoever comes give no --to, or --nobody where there is one`;
  if (!isSpeaker && EVERYBODY.includes(word))
    return `${says}, and is taken as somebody's id: name each of those that are meant`;
  const like = likeness(id, known, "id");
  if (like !== undefined) return `${says}; ${like}`;
  return isSpeaker ? undefined : `${says}, nor has anybody else yet: check how it is spelt`;
}

/** What is known that a word is most like, and whether it is a slip for that; undefined where nothing is known. */
export function likeness(word: string, known: readonly string[], what: string): string | undefined {
  const guess = nearest(word, known);
  if (guess === undefined) return undefined;
  return slip(word, [guess]) === undefined
    ? `no known ${what} is like it (the nearest: '${guess}')`
    : `the nearest known ${what} is '${guess}'`;
}

/** The warning of a scope that no record has; where it is written to, only of one that is a slip for another. */
export async function unknownScope(
  on: Sql,
  scope: string,
  writes: boolean,
): Promise<string | undefined> {
  if (await isScopeUsed(on, scope)) return undefined;
  const says = `no record is of the project '${scope}'`;
  if (!writes && EVERYBODY.includes(scope.toLowerCase()))
    return `${says}: --all-scopes is for those of all`;
  const known = await scopesUsed(on);
  const like = likeness(scope, known, "project");
  const isSlip = slip(scope, known) !== undefined;
  return like !== undefined && (isSlip || !writes) ? `${says}; ${like}` : undefined;
}
