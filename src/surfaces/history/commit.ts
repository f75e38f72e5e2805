import * as v from "valibot";
import { written } from "../../cli/answer";
import { changing } from "../../cli/args";
import { defineVerb, optionalWord, toggle, word } from "../../cli/define";
import { A_COMMIT, sha } from "../../words";
import { scopeOf } from "../../scope";
import { entryName, headSha, resolveName } from "./name";
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
      v.union([v.literal("HEAD"), sha], `${A_COMMIT}, or HEAD; an entry comes before it`),
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
      if (!named) await context.warnUnknownScope(writing.tx, false);
      // Only now: a repeat with its key answers as before, wherever it is given.
      const commit = input.sha === "HEAD" ? await headSha(context) : input.sha;
      const name = named ?? (await onePending(writing.tx, author, scope!, commit, input.sha));
      const committed = await commitEntry(writing, name, {
        sha: commit,
        replace: input.replace ?? false,
        ifVersion: input.ifVersion,
      });
      const here = input.sha === "HEAD" && scopeOf((await context.workTree())!);
      // What a variable names is how its user calls the work tree.
      const called = context.settings.scopeFlag ? undefined : context.settings.scope;
      if (here !== false && ![here, called].includes(committed.scope))
        writing.warn(
          "other_scope",
          `${committed.ref} is of '${committed.scope}', and HEAD is that of '${here}'; --replace with its own commit mends it`,
        );
      return committed;
    });
    return written(result, entryChanged);
  },
});
