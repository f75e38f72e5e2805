import { addressed, listing } from "../../cli/args";
import { defineVerb, list, optionalWord } from "../../cli/define";
import { idsOf, listAnswer, listQuery } from "../../cli/listing";
import { id, priority, queueName } from "../../words";
import { warnUnknownQueue } from "./args";
import { ITEMS, listItems } from "./store";
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
    ...listing(ITEMS),
    ...addressed,
    priority: list(priority, "0-4", "of this priority"),
    takenBy: list(id, "ID", "taken by"),
  },
  run: async ({ queue, priority: priorities, takenBy: holders, ...input }, context) => {
    const store = await context.store();
    const takenBy = holders && idsOf(holders, context);
    await warnUnknownQueue(context, store, queue);
    await context.warnUnknown(store, takenBy ?? []);
    const query = await listQuery(input, context, store, ITEMS, true, true);
    return listAnswer(
      "items",
      await listItems(store, query, { queue, priorities, takenBy }),
      itemLine,
    );
  },
});
