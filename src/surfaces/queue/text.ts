import { onStore } from "../../cli/on-store";
import {
  ages,
  ago,
  counted,
  countText,
  fenced,
  heading,
  inline,
  line,
  lines,
  scopeTag,
  titled,
  type View,
} from "../../cli/text";
import { shellWord } from "../../shell";
import type { Answered, FanOut, Item, ItemInFull, QueueStats, Reply } from "./store";

const arrow = (to: string | null) => (to === null ? undefined : `→${inline(to)}`);

/** Who took it, and how long ago while it is still taken. */
const holder = ({ state, taken_by, taken_at }: Item, view: View) =>
  taken_by !== null && line(`by ${inline(taken_by)}`, state === "taken" && ago(view, taken_at!));

/** What an item is, without its payload: `Q9 taken p2 3h jobs →codex-pippa by codex-pippa 2h`. */
const itemHead = (item: Item, view: View) =>
  line(
    item.ref,
    item.state,
    `p${item.priority}`,
    item.state === "taken" ? ago(view, item.created_at) : ages(view, item),
    inline(item.queue),
    arrow(item.to),
    scopeTag(view, item),
    holder(item, view),
  );

/** One line: `Q9 waiting p2 3h jobs →codex-pippa: {"a":1}`. */
export const itemLine = (item: Item, view: View) =>
  titled(itemHead(item, view), heading("", item.payload));

/** What a push or a move answers. */
export const itemMoved = (item: Item, view: View) =>
  line(item.ref, item.state, inline(item.queue), arrow(item.to), scopeTag(view, item));

/** What a reply answers, which moves nothing. */
export const itemReplied = (item: Item, view: View) => `replied: ${itemMoved(item, view)}`;

/** What a push to several answers: `F2 jobs → Q4 codex-pippa, Q5 gemini-pippa`. */
export const fannedOut = ({ ref, queue, items }: FanOut<{ ref: string; to: string }>) =>
  `${ref} ${inline(queue)} → ${items.map((item) => `${item.ref} ${inline(item.to)}`).join(", ")}`;

/** Where an item comes from: `from claude-code-pippa in F2 re Q3`. */
const origin = ({ author, fan_out, re }: Item) =>
  line(`from ${inline(author)}`, fan_out !== null && `in ${fan_out}`, re !== null && `re ${re}`);

/** An item that the speaker took: `Q9 p2 3h jobs from claude-code-pippa` and the whole payload. */
export const takenText = (item: Item, view: View) =>
  lines(
    line(
      item.ref,
      `p${item.priority}`,
      ago(view, item.created_at),
      inline(item.queue),
      scopeTag(view, item),
      origin(item),
    ),
    item.payload !== "" && fenced(item.payload),
    noteText(item),
  );

/** An item with all that came of it. */
export const itemInFull = (item: ItemInFull, view: View) =>
  lines(
    line(itemHead(item, view), origin(item)),
    item.payload !== "" && fenced(item.payload),
    noteText(item),
    item.replies.map((reply) => replyText(reply, view)),
    item.followed_by.length > 0 && `followed by ${item.followed_by.join(" ")}`,
  );

/** A push to several: its payload once, and a line for each item. Where one was redacted they differ. */
export function fanOutText({ ref, queue, items }: FanOut<Item>, view: View): string {
  const byPayload = Map.groupBy(items, ({ payload }) => payload);
  return lines(
    `${ref} ${inline(queue)} from ${inline(items[0]!.author)}`,
    ...Array.from(byPayload, ([payload, same]) => [
      payload !== "" && fenced(payload),
      ...same.flatMap((item) => [itemHead(item, view), noteText(item)]),
    ]),
  );
}

const noteText = ({ note }: { note: string | null }) => note !== null && `note:\n${fenced(note)}`;

const replyText = ({ author, at, body }: Reply, view: View) =>
  `reply from ${inline(author)} ${ago(view, at)}:\n${fenced(body)}`;

/** Each item with its replies, then who is missing. */
export function answersText(answers: readonly Answered[], view: View): string {
  const missing = answers.filter(({ status }) => status === "waiting" || status === "taken");
  return lines(
    ...answers.flatMap(({ ref, status, state, queue, to, note, replies }) => [
      // What is answered can be put back to wait for more.
      line(
        ref,
        status,
        status === "answered" && state !== "done" && `(${state})`,
        inline(queue),
        arrow(to),
      ),
      noteText({ note }),
      replies.map((reply) => replyText(reply, view)),
    ]),
    missing.length === 0
      ? "missing: nobody"
      : `missing: ${missing.map(({ ref, to, taken_by }) => inline(to ?? taken_by ?? ref)).join(", ")}`,
  );
}

/** What a push of many answers, in few words however many: `1000 items Q1..Q1000`. */
export function pushedLines(
  { queue, refs }: { queue: string; refs: readonly string[] },
  { storeFlag }: View,
): string {
  const runs = inRuns(refs);
  const shown = runs.slice(0, MOST_RUNS).join(" ");
  const rest =
    runs.length > MOST_RUNS &&
    onStore(
      `and ${runs.length - MOST_RUNS} more runs: coop queue list ${shellWord(inline(queue))} --status all --limit 0`,
      storeFlag,
    );
  return line(counted(refs.length, "item"), shown, rest);
}

const MOST_RUNS = 8;

/** Refs in a row as `first..last`. */
function inRuns(refs: readonly string[]): string[] {
  const numbers = refs.map((ref) => Number(ref.slice(1)));
  const starts = refs.flatMap((_, index) =>
    index > 0 && numbers[index] === numbers[index - 1]! + 1 ? [] : index,
  );
  return starts.map((start, run) => {
    const end = (starts[run + 1] ?? refs.length) - 1;
    return start === end ? refs[start]! : `${refs[start]}..${refs[end]}`;
  });
}

/** One line: `jobs 12 waiting, the oldest 3h, 1 taken, 340 done`. */
export function statsLine({ queue, counts, oldest_waiting_at }: QueueStats, view: View): string {
  const some = (state: keyof typeof counts) =>
    counts[state].count > 0 && `${countText(counts[state])} ${state}`;
  const oldest = oldest_waiting_at !== null && `the oldest ${ago(view, oldest_waiting_at)}`;
  const parts = [some("waiting"), oldest, some("taken"), some("done"), some("dropped")];
  return `${inline(queue)} ${parts.filter(Boolean).join(", ")}`;
}
