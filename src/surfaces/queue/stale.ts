import { answer } from "../../cli/answer";
import { DEFAULT_LIMIT, limit } from "../../cli/args";
import { defineVerb, optionalWord, requiredFlag } from "../../cli/define";
import { countText, lines } from "../../cli/text";
import { duration } from "../../time";
import { length, queueName } from "../../words";
import { scopeFilter, warnUnknownQueue } from "./args";
import { staleItems } from "./store";
import { itemLine } from "./text";

export default defineVerb({
  about: "list what has been taken for long, whoever holds it, the longest first; changes nothing",
  examples: ["coop queue stale --older 1h", "coop queue stale jobs --older 2d --limit 0"],
  notes: `Nothing that is taken ever goes back by itself. To put such an item back: coop queue release Q9 --from HOLDER.`,
  args: {
    queue: optionalWord(queueName, "NAME", "the queue (all)"),
    older: requiredFlag(length, "TIME", "taken longer ago than this (90m, 2h, 3d)"),
    limit,
  },
  run: async ({ queue, older, limit: most = DEFAULT_LIMIT }, context) => {
    const store = await context.store();
    const before = context.now() - duration(older);
    await warnUnknownQueue(context, store, queue);
    await context.warnUnknownScope(store, false);
    const place = { queue, scope: scopeFilter(context) };
    const { rows, total, truncated } = await staleItems(store, place, before, most);
    const rest = truncated ? `${rows.length} of ${countText(total)}; all: --limit 0` : undefined;
    return answer(
      { items: rows },
      ({ items }, view) =>
        lines(
          items.length === 0 && `nothing was taken longer than ${older} ago`,
          items.map((item) => itemLine(item, view)),
          rest,
        ),
      { total, truncated, rest },
    );
  },
});
