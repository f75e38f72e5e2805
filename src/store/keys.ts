import { CoopError } from "../errors";
import { firstFew } from "../few";
import { insertAlike } from "./alike";
import { keptJson } from "./json";
import type { Warning } from "./open";
import { among, inBatches, sql, type Sql } from "./sql";

/** What makes a command repeatable: `--key`, and a hash of the arguments as they were first given. */
export interface IdempotencyKey {
  author: string;
  /** Canonical, such as `todo add`. */
  verb: string;
  key: string;
  fingerprint: string;
  /** The same for lists in the order they came in, as older coops kept it. */
  inOrder?: () => string;
}

/** The answer that was kept with a key, and the fingerprint of the arguments that it answered. */
export interface Kept {
  fingerprint: string;
  result: unknown;
}

/** In the place of a fingerprint whose arguments were redacted: a short text could be guessed by it. */
export const FORGOTTEN = "";

/**
 * Whether a command, or one of the lines that a command was given, is what the answer was kept for, as far as that is
 * known. Of a line its ref alone is kept, which is no command's answer.
 */
export const isSame = ({ fingerprint, result }: Kept, now: string, isLine: boolean) =>
  (typeof result === "string") === isLine && (fingerprint === now || fingerprint === FORGOTTEN);

/** The warning about keys whose arguments were redacted. */
export const notCompared = (keys: readonly string[]): Warning => ({
  code: "not_compared",
  message: `what the key ${firstFew(keys.map((key) => `'${key}'`))} was first used with was redacted: nobody knows whether this is the same`,
});

/** What a command answered, and what it warned of. */
export interface Outcome {
  result: unknown;
  warnings: readonly Warning[];
}

/**
 * What a command with this key gave the first time, or undefined when there was none.
 * @throws CoopError conflict key, when the key was used with other arguments.
 */
export async function replay(on: Sql, key: IdempotencyKey): Promise<Outcome | undefined> {
  const kept = (await keptAnswers(on, key, [key.key])).get(key.key);
  if (!kept) return undefined;
  const same = (now: string) => isSame(kept, now, false);
  if (!same(key.fingerprint) && !(key.inOrder && same(key.inOrder()))) throw keyConflict(key, kept);
  const { result, warnings } = unpacked(kept.result);
  const more = kept.fingerprint === FORGOTTEN ? [notCompared([key.key])] : [];
  return { result, warnings: [...warnings, ...more] };
}

/** An answer that came with warnings is kept beside them, under names that no answer has; any other by itself. */
interface Packed {
  $answer: unknown;
  $warnings: readonly Warning[];
}

const packed = ({ result, warnings }: Outcome): unknown =>
  warnings.length === 0 ? result : ({ $answer: result, $warnings: warnings } satisfies Packed);

function unpacked(kept: unknown): Outcome {
  if (typeof kept !== "object" || kept === null || !("$answer" in kept))
    return { result: kept, warnings: [] };
  const { $answer: result, $warnings: warnings } = kept as Packed;
  return { result, warnings };
}

/** What was kept with each of many keys of one author and verb; keys that are new are not in it. */
export async function keptAnswers(
  on: Sql,
  { author, verb }: Pick<IdempotencyKey, "author" | "verb">,
  keys: readonly string[],
): Promise<Map<string, Kept>> {
  const answers = new Map<string, Kept>();
  for (const batch of inBatches(keys)) {
    const rows = await on.all<{ key: string; fingerprint: string; result: string }>(
      sql`select key, fingerprint, result from keys where author = ${author} and verb = ${verb}
        and ${among("key", batch)}`,
    );
    for (const { key, fingerprint, result } of rows)
      answers.set(key, { fingerprint, result: keptJson(result) });
  }
  return answers;
}

/** The error for a key that was used with other arguments; `where` says which of many, such as `line 3: `. */
export function keyConflict(
  { author, verb, key }: Omit<IdempotencyKey, "fingerprint">,
  kept: Kept,
  where = "",
): CoopError {
  const { result } = unpacked(kept.result);
  // Of a line only the ref is kept.
  const of = typeof result === "object" ? (result as { ref?: unknown } | null)?.ref : result;
  const ref = typeof of === "string" ? of : undefined;
  return new CoopError(
    "conflict",
    `${where}the key '${key}' was already used for another \`coop ${verb}\` by ${author}${ref ? `, for ${ref}` : ""}`,
    {
      reason: "key",
      hint: "repeat a command exactly as it was first given, or use a new key",
      ...(ref && { ref }),
    },
  );
}

/** Keeps what a command gave for its repeats. */
export const remember = (tx: Sql, key: IdempotencyKey, at: number, outcome: Outcome) =>
  rememberAll(tx, key, at, [{ ...key, result: packed(outcome) }]);

/** Keeps an answer for each of many keys of one author and verb. */
export async function rememberAll(
  tx: Sql,
  { author, verb }: Pick<IdempotencyKey, "author" | "verb">,
  at: number,
  answers: readonly (Pick<IdempotencyKey, "key" | "fingerprint"> & { result: unknown })[],
): Promise<void> {
  if (answers.length === 0) return;
  await insertAlike(
    tx,
    "keys",
    { author, verb, at },
    {
      key: answers.map(({ key }) => key),
      fingerprint: answers.map(({ fingerprint }) => fingerprint),
      result: answers.map(({ result }) => JSON.stringify(result)),
    },
  );
}

/** Forgets the answer that is kept with a key. */
export async function forget(
  tx: Sql,
  { author, verb, key }: Omit<IdempotencyKey, "fingerprint">,
): Promise<void> {
  await tx.all(sql`delete from keys where author = ${author} and verb = ${verb} and key = ${key}`);
}
