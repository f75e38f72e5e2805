import { answer } from "../cli/answer";
import { defineVerb } from "../cli/define";
import { ago, inline, line, lines, type View } from "../cli/text";
import { COUNT_STOP } from "../store/listing";
import { presences, type Presence } from "./store";

export default defineVerb({
  about: "show who takes part, when they last wrote, and what is open on whom, in all projects",
  examples: ["coop who"],
  args: {},
  run: async (_input, context) => {
    const everyone = await presences(await context.store());
    return answer({ ids: everyone }, ({ ids: shown }, view) =>
      lines(
        shown.length === 0 && "nobody has written yet",
        ...shown.map((each) => presenceLine(each, view)),
      ),
    );
  },
});

/** One line: `codex-pippa 3h ago on studio: 2 letters, 1 request`. */
function presenceLine(
  { id, last_seen_at, host, letters, requests, todos, items, taken }: Presence,
  view: View,
): string {
  const open = [
    counted(letters, "letter"),
    counted(requests, "request"),
    counted(todos, "todo"),
    counted(items, "queue item"),
    counted(taken, "taken queue item"),
  ].filter((part) => part !== undefined);
  const seen =
    last_seen_at === null
      ? "never seen"
      : `${ago(view, last_seen_at)} ago on ${inline(host ?? "")}`;
  const who = id === null ? "for anyone" : line(inline(id), id === view.me && "(you)", seen);
  return `${who}: ${open.length > 0 ? open.join(", ") : "nothing open"}`;
}

function counted(count: number, noun: string): string | undefined {
  if (count === 0) return undefined;
  return `${count}${count === COUNT_STOP ? "+" : ""} ${noun}${count === 1 ? "" : "s"}`;
}
