import { written } from "../../cli/answer";
import { body, optionalTitle, repeatable } from "../../cli/args";
import { defineVerb, flag, list } from "../../cli/define";
import { oneId, refOf } from "../../words";
import { writeLetter } from "./store";
import { letterMoved } from "./text";

export default defineVerb({
  about: "write a letter, to yourself unless --to says otherwise",
  examples: [
    'coop --as claude-code-pippa letter write "Where I stopped" --body "parser done, tests next"',
    'git log -5 | coop --as codex-pippa letter write "For review" --to claude-code-pippa --body -',
  ],
  args: {
    title: optionalTitle("what it is about"),
    body: body("the letter"),
    to: flag(oneId, "ID", "whom it is for (you)"),
    supersedes: {
      ...list(refOf("letter"), "REF", "letters that this one replaces"),
      ref: "letter",
    },
    ...repeatable,
  },
  run: async (input, context) => {
    const scope = await context.scope();
    const to = context.resolveId(input.to ?? "me");
    const result = await context.write(async (writing) => {
      await context.warnUnknown(writing.tx, [to]);
      await context.warnUnknownScope(writing.tx, true);
      return writeLetter(writing, {
        scope,
        to,
        title: input.title ?? "",
        body: input.body,
        supersedes: input.supersedes ?? [],
      });
    });
    return written(result, letterMoved);
  },
});
