import { answer } from "../../cli/answer";
import { defineVerb, optionalWord } from "../../cli/define";
import { queueName } from "../../words";
import { scopeFilter, warnUnused } from "./args";
import { stats } from "./store";
import { statsLine } from "./text";

export default defineVerb({
  about: "count what waits, is taken, done and dropped in each queue",
  examples: ["coop queue stats", "coop queue stats jobs"],
  notes: "Counts are exact to 10,000. Items of every project count, unless --scope is given.",
  args: { queue: optionalWord(queueName, "NAME", "the queue (all)") },
  run: async ({ queue }, context) => {
    const store = await context.store();
    await warnUnused(context, store, queue);
    const queues = await stats(store, { queue, scope: scopeFilter(context) });
    return answer({ queues }, (data, view) =>
      data.queues.length === 0
        ? "no items"
        : data.queues.map((each) => statsLine(each, view)).join("\n"),
    );
  },
});
