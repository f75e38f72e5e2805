import { CoopError } from "../errors";
import { first, sql, type Sql } from "./sql";

/** What makes a command repeatable: `--key`, and a hash of the arguments as they were first given. */
export interface IdempotencyKey {
  author: string;
  /** Canonical, such as `todo add`. */
  verb: string;
  key: string;
  fingerprint: string;
}

/**
 * The answer that a command with this key gave the first time, or undefined when there was none.
 * @throws CoopError conflict key, when the key was used with other arguments.
 */
export async function replay(
  on: Sql,
  { author, verb, key, fingerprint }: IdempotencyKey,
): Promise<unknown> {
  const kept = await first<{ fingerprint: string; result: string }>(
    on,
    sql`select fingerprint, result from keys where author = ${author} and verb = ${verb} and key = ${key}`,
  );
  if (!kept) return undefined;
  if (kept.fingerprint === fingerprint) return JSON.parse(kept.result);
  throw new CoopError(
    "conflict",
    `the key '${key}' was already used for another \`coop ${verb}\` by ${author}`,
    {
      reason: "key",
      hint: "repeat a command exactly as it was first given, or use a new key",
    },
  );
}

/** Keeps an answer for the repeats of its command. */
export async function remember(
  tx: Sql,
  { author, verb, key, fingerprint }: IdempotencyKey,
  at: number,
  result: unknown,
): Promise<void> {
  await tx.all(sql`insert into keys (author, verb, key, fingerprint, at, result)
    values (${author}, ${verb}, ${key}, ${fingerprint}, ${at}, ${JSON.stringify(result)})`);
}
