import * as v from "valibot";
import type { Context } from "../../cli/context";
import { looksLikeRef, refNumber } from "../../ref";
import type { EntryName } from "./store";

/** How users name an entry: `H7`, `7`, or its slug. */
export const entryName = v.pipe(
  v.string(),
  v.check((text) => text !== "", "name an entry by its ref or its slug"),
);

/**
 * The entry that a user named; a slug is one of the current scope.
 * @throws CoopError usage, for a ref of another surface.
 */
export async function resolveName(text: string, context: Context): Promise<EntryName> {
  if (looksLikeRef(text)) return { number: refNumber("history", text) };
  return { scope: await context.scope(), slug: text.normalize("NFC") };
}
