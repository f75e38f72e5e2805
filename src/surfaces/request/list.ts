import { addressed, listing } from "../../cli/args";
import { defineVerb, list } from "../../cli/define";
import { idsOf, listAnswer, listQuery } from "../../cli/listing";
import { id, kind } from "../../words";
import { listRequests, REQUESTS } from "./store";
import { requestLine } from "./text";

export default defineVerb({
  about: "list unfinished requests, newest first",
  examples: [
    "coop --as claude-code-pippa request list --waiting-on me",
    "coop request list --from dad --status all",
  ],
  notes: "With --waiting-on the list is of every project, unless --scope names one.",
  args: {
    ...listing(REQUESTS),
    ...addressed,
    waitingOn: list(id, "ID", "waiting on"),
    kind: list(kind, "KIND", "of this kind"),
  },
  run: async ({ waitingOn: given, kind: kinds, ...input }, context) => {
    const store = await context.store();
    const waitingOn = given && idsOf(given, context);
    await context.warnUnknown(store, waitingOn ?? []);
    const query = await listQuery(input, context, store, REQUESTS, true, waitingOn !== undefined);
    return listAnswer(
      "requests",
      await listRequests(store, query, { waitingOn, kinds }),
      requestLine,
    );
  },
});
