import { written } from "../../cli/answer";
import { body, repeatable, titleWord } from "../../cli/args";
import { defineVerb, flag, requiredFlag } from "../../cli/define";
import { kind, oneId } from "../../words";
import { openRequest } from "./store";
import { requestMoved } from "./text";

const DEFAULT_KIND = "help";

export default defineVerb({
  about: "ask somebody for something; it waits on them until they answer",
  examples: [
    'coop --as claude-code-pippa request open "Parser crashes" --to codex-pippa --body "bun test parser fails on main"',
    'coop --as dad request open "Review the parser" --to codex-pippa --kind review -F review.md',
  ],
  args: {
    title: titleWord("what it is about"),
    to: requiredFlag(oneId, "ID", "whom it is for"),
    body: body("what is asked"),
    kind: flag(
      kind,
      "KIND",
      `help, delegation, question, review or any other word (${DEFAULT_KIND})`,
    ),
    ...repeatable,
  },
  run: async ({ title: name, to: given, body: asked, kind: sort = DEFAULT_KIND }, context) => {
    const scope = await context.scope();
    const to = context.resolveId(given);
    const result = await context.write(async (writing) => {
      await context.warnUnknown(writing.tx, [to]);
      await context.warnUnknownScope(writing.tx, true);
      return openRequest(writing, { scope, to, kind: sort, title: name, body: asked });
    });
    return written(result, requestMoved);
  },
});
