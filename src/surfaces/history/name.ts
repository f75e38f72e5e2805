import * as v from "valibot";
import { CoopError, usage } from "../../errors";
import type { Context } from "../../cli/context";
import { looksLikeRef, refNumber } from "../../ref";
import { headCommit } from "../../scope";
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

/**
 * The commit that the work tree is at.
 * @throws CoopError usage outside a work tree, not_found before the first commit.
 */
export async function headSha(context: Context): Promise<string> {
  const workTree = await context.workTree();
  if (!workTree)
    throw usage("HEAD means nothing here: this is no git work tree", "give the sha itself");
  const commit = await headCommit(workTree, context.edge.files);
  if (commit !== undefined) return commit;
  throw new CoopError("not_found", "HEAD has no commit that can be read", {
    hint: "commit first, or give the sha itself",
  });
}
