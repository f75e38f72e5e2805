import * as v from "valibot";
import { CoopError, usage } from "../../errors";
import { answer } from "../../cli/answer";
import { showing } from "../../cli/args";
import type { Context } from "../../cli/context";
import { defineVerb, word } from "../../cli/define";
import { sha } from "../../words";
import { entryName, headSha, resolveName } from "./name";
import { findEntry, namesOf, withCommit, type Entry } from "./store";
import { entryText } from "./text";

export default defineVerb({
  about: "show an entry in full, also the one of a commit: why a line of code is as it is",
  examples: [
    "coop history show H7",
    "coop history show 2026-05-17-evolve-v2",
    "coop history show abc1234",
  ],
  notes:
    "What is neither a ref nor a slug of this project can be a commit, in whatever project; HEAD is the work tree's.",
  args: {
    entry: { ...word(entryName, "SLUG|H7|SHA", "the entry, or its commit"), ref: "history" },
    ...showing,
  },
  run: async ({ entry, raw }, context) => {
    const found = await named(entry, context).catch(async (thrown) => {
      // Of a commit such as f1234567 the first is told: it looks like the ref of a push to several.
      const isNone = thrown instanceof CoopError && ["usage", "not_found"].includes(thrown.code);
      const committed = isNone && (await ofCommit(entry, context));
      if (committed) return committed;
      throw thrown;
    });
    return answer(found, entryText, raw ? { raw: found.body } : {});
  },
});

const named = async (text: string, context: Context) =>
  findEntry(await context.store(), await resolveName(text, context));

/**
 * The one entry of a commit; undefined for what is none.
 * @throws CoopError not_found where it has none, usage where it has several.
 */
async function ofCommit(text: string, context: Context): Promise<Entry | undefined> {
  const commit = text === "HEAD" ? await headSha(context) : text;
  const { success, output } = v.safeParse(sha, commit);
  if (!success) return undefined;
  const [found, ...others] = await withCommit(await context.store(), output);
  if (!found)
    throw new CoopError("not_found", `no entry has the commit ${commit}`, {
      hint: "if it was amended or rebased, coop history commit ENTRY HEAD --replace renews its entry's; coop history pending lists those that wait for theirs",
    });
  if (others.length === 0) return found;
  throw usage(
    `several entries have that commit: ${namesOf([found, ...others])}`,
    `coop history show ${found.ref}`,
  );
}
