import { written } from "../../cli/answer";
import { changing, record } from "../../cli/args";
import { defineVerb, requiredFlag } from "../../cli/define";
import { oneId } from "../../words";
import { assignRequest } from "./store";
import { requestMoved } from "./text";

export default defineVerb({
  about: "hand a request to another id: open, accepted → open, waiting on them",
  examples: ["coop --as dad request assign R3 --to gemini-pippa"],
  args: {
    request: record("request"),
    to: requiredFlag(oneId, "ID", "whom it is for now"),
    ...changing,
  },
  run: async ({ request, to: given, ifVersion }, context) => {
    const to = context.resolveId(given);
    const result = await context.write(async (writing) => {
      await context.warnUnknown(writing.tx, [to]);
      return assignRequest(writing, { number: request, ifVersion }, to);
    });
    return written(result, requestMoved);
  },
});
