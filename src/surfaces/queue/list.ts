import { addressed, listing } from "../../cli/args";
import { defineVerb, list, optionalWord } from "../../cli/define";
import { listAnswer, listQuery } from "../../cli/listing";
import { id, priority, queueName } from "../../words";
import { scopeFilter, warnUnused } from "./args";
import { listItems, STATES, UNFINISHED } from "./store";
import { itemLine } from "./text";

export default defineVerb({
  about: "list the items that wait or are taken, newest first; changes nothing",
  examples: [
    "coop queue list jobs",
    "coop --as codex-pippa queue list --mine --priority 0,1",
    "coop queue list jobs --status taken --taken-by codex-pippa",
  ],
  notes: "Lists items of every project, unless --scope is given.",
  args: {
    queue: optionalWord(queueName, "NAME", "the queue (all)"),
    ...listing("queue", STATES),
    ...addressed,
    priority: list(priority, "0-4", "of this priority"),
    takenBy: list(id, "ID", "taken by"),
  },
  run: async (input, context) => {
    const store = await context.store();
    const { queue, priority: priorities } = input;
    const takenBy = input.takenBy?.map((each) => context.resolveId(each));
    await warnUnused(context, store, queue);
    await context.warnUnknown(store, takenBy ?? []);
    const asked = await listQuery({ ...input, allScopes: true }, context, store, UNFINISHED);
    const scope = input.allScopes ? undefined : scopeFilter(context);
    const query = { ...asked, filter: { ...asked.filter, scope } };
    return listAnswer(
      "items",
      await listItems(store, query, { queue, priorities, takenBy }),
      itemLine,
    );
  },
});
