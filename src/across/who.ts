import { answer } from "../cli/answer";
import { defineVerb } from "../cli/define";
import { countsInJson } from "../cli/listing";
import { ago, counted, countText, inline, line, lines, type View } from "../cli/text";
import type { Count } from "../store/listing";
import { presences, type Presence } from "./store";

export default defineVerb({
  about: "show who takes part, when they last wrote, and what is open on whom, in all projects",
  examples: ["coop who"],
  args: {},
  run: async (_input, context) => {
    context.warnUnscoped();
    const everyone = await presences(await context.store());
    const ids = everyone.map(({ open, ...who }) => ({ ...who, ...countsInJson(open) }));
    return answer({ ids }, (_data, view) =>
      lines(
        everyone.length === 0 && "nobody has written yet",
        everyone.map((each) => presenceLine(each, view)),
      ),
    );
  },
});

/** One line: `codex-pippa 3h ago on studio: 2 letters, 1 request`. */
function presenceLine({ id, last_seen_at, host, open }: Presence, view: View): string {
  const counts = [
    some(open.letters, "letter"),
    some(open.requests, "request"),
    some(open.todos, "todo"),
    some(open.items, "queue item"),
    some(open.taken, "taken queue item"),
  ].filter((part) => part !== undefined);
  const seen =
    last_seen_at === null
      ? "never seen"
      : `${ago(view, last_seen_at)} ago on ${inline(host ?? "")}`;
  const who = id === null ? "for anyone" : line(inline(id), id === view.me && "(you)", seen);
  return `${who}: ${counts.length > 0 ? counts.join(", ") : "nothing open"}`;
}

const some = (count: Count, noun: string) =>
  count.count === 0 ? undefined : counted(countText(count), noun);
