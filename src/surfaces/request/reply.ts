import { written } from "../../cli/answer";
import { changing, record, textWord } from "../../cli/args";
import { defineVerb } from "../../cli/define";
import { longText } from "../../words";
import { reply } from "./store";
import { requestReplied } from "./text";

export default defineVerb({
  about:
    "say something in a request's thread, in any state, which stays; the turn passes to the other",
  examples: [
    'coop --as codex-pippa request reply R3 "which branch?"',
    "bun test 2>&1 | coop --as codex-pippa request reply R3 -",
  ],
  notes: `A reply by the one the request waits on passes the turn to the asker, and the asker's passes it back. Anyone else's
leaves it where it is. A closed request waits on nobody.`,
  args: {
    request: record("request"),
    body: { ...textWord(longText, "body", "TEXT", "what to say"), required: true },
    ...changing,
  },
  run: async ({ request, ifVersion, body }, context) =>
    written(
      await context.write((writing) => reply(writing, { number: request, ifVersion }, body)),
      requestReplied,
    ),
});
