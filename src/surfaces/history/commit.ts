import * as v from "valibot";
import { CoopError, usage } from "../../errors";
import { written } from "../../cli/answer";
import { changing } from "../../cli/args";
import type { Context } from "../../cli/context";
import { defineVerb, optionalWord, toggle, word } from "../../cli/define";
import { headCommit } from "../../scope";
import { sha } from "../../words";
import { entryName, resolveName } from "./name";
import { commitEntry, onePending } from "./store";
import { entryChanged } from "./text";

export default defineVerb({
  about: "fill in an entry's commit, once it is made",
  examples: [
    "coop --as claude-code-pippa history commit HEAD",
    "coop --as claude-code-pippa history commit H7 abc1234",
  ],
  notes: `Without an entry it is your one pending entry of this project. The same sha again, shorter or longer, is a success;
another one is a conflict unless --replace is given.`,
  args: {
    entry: { ...optionalWord(entryName, "SLUG|H7", "the entry"), ref: "history" },
    sha: word(
      v.union([v.literal("HEAD"), sha], "a commit is 7 to 64 hexadecimal digits, or HEAD"),
      "SHA|HEAD",
      "the commit; HEAD is the work tree's",
    ),
    replace: toggle("put this commit in the place of another one"),
    ...changing,
  },
  run: async (input, context) => {
    const author = context.requireSpeaker();
    const { entry } = input;
    const named = entry === undefined ? undefined : await resolveName(entry, context);
    const scope = named ? undefined : await context.scope();
    const result = await context.write(async (writing) => {
      const name = named ?? (await onePending(writing.tx, author, scope!, input.sha));
      // Only now: a repeat with its key answers as before, wherever it is given.
      const commit = input.sha === "HEAD" ? await head(context) : input.sha;
      return commitEntry(writing, name, {
        sha: commit,
        replace: input.replace ?? false,
        ifVersion: input.ifVersion,
      });
    });
    return written(result, entryChanged);
  },
});

async function head(context: Context): Promise<string> {
  const workTree = await context.workTree();
  if (!workTree)
    throw usage("HEAD means nothing here: this is no git work tree", "give the sha itself");
  const commit = await headCommit(workTree, context.edge.files);
  if (commit !== undefined) return commit;
  throw new CoopError("not_found", "HEAD has no commit that can be read", {
    hint: "commit first, or give the sha itself",
  });
}
