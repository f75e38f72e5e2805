import { answer } from "../cli/answer";
import { DEFAULT_LIMIT } from "../cli/args";
import { defineVerb, optionalWord } from "../cli/define";
import { countsInJson } from "../cli/listing";
import { onStore } from "../cli/on-store";
import { ago, counted, countText, inline, line, lines, type View } from "../cli/text";
import { shellWord } from "../shell";
import type { Kind } from "../store/addressed";
import { id as idSchema } from "../words";
import { chargeOf, presences, type Charge, type Presence } from "./store";

export default defineVerb({
  unscoped: "all",
  about: "show who takes part, when they last wrote, and what is open on whom, in all projects",
  examples: ["coop who", "coop --as codex-pippa who me"],
  notes: `Of one id it names the newest ${DEFAULT_LIMIT} of each kind that is open on it: letters to it, requests that wait on it, its todos, queue items
that wait for it and those that it took.`,
  args: { id: optionalWord(idSchema, "ID", "one id, with the refs of what is open on it") },
  run: async ({ id }, context) => {
    const store = await context.store();
    if (id !== undefined) {
      const who = context.resolveId(id);
      await context.warnUnknown(store, [who]);
      const charge = await chargeOf(store, who, DEFAULT_LIMIT);
      const { open, ...one } = charge;
      const ids = [{ ...one, ...countsInJson(open) }];
      const kinds = Object.keys(NOUNS) as Kind[];
      const older = kinds.map((kind) => rest(charge, kind)).filter((each) => each !== undefined);
      return answer({ ids }, (_data, view) => chargeText(charge, view), {
        truncated: older.length > 0,
        rest: older.join("; ") || undefined,
      });
    }
    const everyone = await presences(store);
    const ids = everyone.map(({ open, ...who }) => ({ ...who, ...countsInJson(open) }));
    return answer({ ids }, (_data, view) =>
      lines(
        everyone.length === 0 && "nobody has written yet",
        everyone.map((each) => presenceLine(each, view)),
      ),
    );
  },
});

const NOUNS: Record<Kind, string> = {
  letters: "letter",
  requests: "request",
  todos: "todo",
  items: "waiting queue item",
  taken: "taken queue item",
};

/** What is open of each kind, such as `2 letters`, where something is. */
const openOf = ({ open }: Presence): [Kind, string][] =>
  (Object.keys(NOUNS) as Kind[]).flatMap((kind) =>
    open[kind].count === 0 ? [] : [[kind, counted(countText(open[kind]), NOUNS[kind])]],
  );

/** One line: `codex-pippa 3h ago on studio: 2 letters, 1 request`. */
function presenceLine(presence: Presence, view: View): string {
  const counts = openOf(presence).map(([, told]) => told);
  return `${whoAndWhen(presence, view)}: ${counts.length > 0 ? counts.join(", ") : "nothing open"}`;
}

function whoAndWhen({ id, last_seen_at, host }: Presence, view: View): string {
  const seen =
    last_seen_at === null
      ? "never seen"
      : `${ago(view, last_seen_at)} ago on ${inline(host ?? "")}`;
  return id === null ? "for anyone" : line(inline(id), id === view.me && "(you)", seen);
}

/** An id, and a line for each kind that is open on it: `2 letters: L12 L9`. */
function chargeText(charge: Charge, view: View): string {
  const open = openOf(charge);
  if (open.length === 0) return presenceLine(charge, view);
  return lines(
    whoAndWhen(charge, view),
    open.map(([kind, told]) => {
      const older = rest(charge, kind);
      return line(`${told}:`, ...charge.refs[kind], older && onStore(older, view.storeFlag));
    }),
  );
}

/** How to see the rest of a kind, where some are not named. */
function rest({ id, open, refs }: Charge, kind: Kind): string | undefined {
  const { length } = refs[kind];
  if (length >= open[kind].count) return undefined;
  // What cannot be printed as it is, cannot be typed as it is printed.
  if (inline(id!) !== id) return "and older ones";
  return `older: coop ${LISTS[kind](shellWord(id))} --before ${refs[kind].at(-1)}`;
}

/** The commands that list what is open of each kind on an id. */
const LISTS: Record<Kind, (id: string) => string> = {
  letters: (id) => `letter list --to ${id} --status unfinished --all-scopes`,
  requests: (id) => `request list --waiting-on ${id}`,
  todos: (id) => `todo list --to ${id} --all-scopes`,
  items: (id) => `queue list --to ${id} --status waiting`,
  taken: (id) => `queue list --taken-by ${id} --status taken`,
};
