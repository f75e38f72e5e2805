import { answer } from "../../cli/answer";
import { defineVerb, optionalWord } from "../../cli/define";
import { countsInJson } from "../../cli/listing";
import { queueName } from "../../words";
import { scopeFilter, warnUnknownQueue } from "./args";
import { stats } from "./store";
import { statsLine } from "./text";

export default defineVerb({
  about: "count what waits, is taken, done and dropped in each queue",
  examples: ["coop queue stats", "coop queue stats jobs"],
  notes: "Counts are exact to 10,000. Items of every project count, unless --scope is given.",
  args: { queue: optionalWord(queueName, "NAME", "the queue (all)") },
  run: async ({ queue }, context) => {
    const store = await context.store();
    await warnUnknownQueue(context, store, queue);
    await context.warnUnknownScope(store, false);
    const queues = await stats(store, { queue, scope: scopeFilter(context) });
    const told = queues.map(({ queue: name, counts, oldest_waiting_at }) => ({
      queue: name,
      ...countsInJson(counts),
      oldest_waiting_at,
    }));
    return answer({ queues: told }, (_data, view) =>
      queues.length === 0 ? "no items" : queues.map((each) => statsLine(each, view)).join("\n"),
    );
  },
});
