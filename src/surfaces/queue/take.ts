import { CoopError, usage } from "../../errors";
import { written } from "../../cli/answer";
import { changing } from "../../cli/args";
import { defineVerb, flag, optionalWord } from "../../cli/define";
import { whole } from "../../words";
import { queueOrItem, scopeFilter, warnUnknownQueue } from "./args";
import { take, takeOne } from "./store";
import { takenText } from "./text";

const MOST_AT_ONCE = 1000;

export default defineVerb({
  about:
    "take what waits for you or for anyone: by priority, then the oldest; exit 5 when nothing does",
  examples: [
    "coop --as codex-pippa queue take jobs",
    "coop --as codex-pippa queue take jobs --count 10 --key run-7",
    "coop --as codex-pippa queue take Q9",
  ],
  notes: `Of several that take at once each item goes to one. It stays taken until \`done\`, \`release\` or \`drop\`: nothing
expires. Without NAME it takes from all queues; with a ref that very item. Items of every project are taken alike, unless
--scope is given. It never waits for items to come: --wait is for locks. With --count fewer are taken where their payloads would be more than 16 MiB.`,
  args: {
    queue: {
      ...optionalWord(queueOrItem, "NAME", "the queue (all), or one item's ref"),
      ref: "queue",
    },
    count: flag(whole("a count", 1, MOST_AT_ONCE), "N", "how many at most (1)"),
    ...changing,
  },
  run: async ({ queue: which, count, ifVersion }, context) => {
    const scope = scopeFilter(context);
    if (typeof which === "number" && count !== undefined)
      throw usage("--count goes with a queue", "leave it out to take that very item");
    if (typeof which !== "number" && ifVersion !== undefined)
      throw usage("--if-version goes with one item", "name it by its ref");
    const result = await context.write(async (writing) => {
      if (typeof which === "number") return [await takeOne(writing, { number: which, ifVersion })];
      const items = await take(writing, { queue: which, scope }, count ?? 1);
      if (items.length > 0) return items;
      await warnUnknownQueue(context, writing.tx, which);
      await context.warnUnknownScope(writing.tx, false);
      const where = which === undefined ? "in any queue" : `in ${which}`;
      const of = scope === undefined ? "" : ` of '${scope}'`;
      throw new CoopError("empty", `nothing is waiting ${where}${of} for ${writing.actor.id}`);
    });
    return written(result, (items, view) => items.map((item) => takenText(item, view)).join("\n"));
  },
});
