import * as v from "valibot";
import { usage } from "../../errors";
import { written } from "../../cli/answer";
import { repeatable, textWord } from "../../cli/args";
import type { Context } from "../../cli/context";
import { defineVerb, flag, list, word } from "../../cli/define";
import { DEFAULT_PRIORITY, id, longText, priority, queueName, refOf } from "../../words";
import { warnUnknownQueue } from "./args";
import { parseLines } from "./jsonl";
import { payloadType, push, pushAll, pushToEach } from "./store";
import { fannedOut, itemMoved, pushedLines } from "./text";

const MOST_LINES_BYTES = 64 * 1024 * 1024;

export default defineVerb({
  about: "push an item for anyone, or one for each id of --to",
  examples: [
    `coop --as claude-code-pippa queue push jobs '{"pr":17}' --to codex-pippa`,
    "git diff | coop --as claude-code-pippa queue push reviews --payload - --to codex-pippa,gemini-pippa",
    "coop --as ci queue push jobs --jsonl jobs.jsonl",
  ],
  notes: `A queue comes to be with its first item. Its name is its whole address: the project is only noted on an item.
A push to several answers with the ref of all, F2, and its items; to one, or to anyone, with the item.
With --jsonl each line is one item, {"payload":…,"to"?,"priority"?,"key"?}, and all of them are pushed or none. A string
is stored as that string, any other payload as it is written. A line's key makes that line repeatable.`,
  args: {
    queue: word(queueName, "NAME", "the queue"),
    payload: textWord(v.optional(longText), "payload", "PAYLOAD", "what to push, JSON or any text"),
    to: list(id, "ID", "whom it is for (anyone)"),
    priority: flag(priority, "0-4", `0 is first (${DEFAULT_PRIORITY})`),
    re: { ...flag(refOf("queue"), "REF", "the item that this one is about"), ref: "queue" },
    jsonl: flag(
      v.pipe(v.string(), v.nonEmpty("names no file")),
      "FILE",
      "one item a line; - reads stdin",
    ),
    ...repeatable,
  },
  editing: async (input) => {
    requireLinesAlone({ ...input, payload: "" });
    return "";
  },
  run: async (input, context) => {
    requireLinesAlone(input);
    const { queue, jsonl, re, payload = "" } = input;
    const scope = await context.scope();
    if (jsonl !== undefined) return pushLines(context, queue, scope, jsonl);
    const to = addressees(context, input.to);
    const { data, replayed } = await context.write(async (writing) => {
      await warnUnknownQueue(context, writing.tx, queue);
      await context.warnUnknown(writing.tx, to);
      await context.warnUnknownScope(writing.tx, true);
      const draft = {
        scope,
        queue,
        priority: input.priority ?? DEFAULT_PRIORITY,
        payload,
        payloadType: payloadType(payload),
        re,
      };
      if (to.length < 2) return push(writing, { ...draft, to: to[0] });
      const { ref, items } = await pushToEach(writing, draft, to);
      return { ref, items: items.map((item) => ({ ref: item.ref, to: item.to! })), queue };
    });
    return written({ data, replayed }, (pushed, view) =>
      "items" in pushed ? fannedOut(pushed) : itemMoved(pushed, view),
    );
  },
});

/** @throws CoopError usage: what each line says for itself cannot be said for all. */
function requireLinesAlone({
  jsonl,
  ...others
}: {
  jsonl?: string | undefined;
  payload?: string | undefined;
  to?: string[] | undefined;
  priority?: number | undefined;
  re?: number | undefined;
}): void {
  if (jsonl === undefined) return;
  const names = { payload: "PAYLOAD", to: "--to", priority: "--priority", re: "--re" } as const;
  for (const [key, name] of Object.entries(names)) {
    if (others[key as keyof typeof names] !== undefined)
      throw usage(
        `--jsonl goes without ${name}`,
        key === "re" ? "push that item by itself" : "each line says it for itself",
      );
  }
}

/** @throws CoopError usage, for one that is named twice, such as by `me`. */
function addressees(context: Context, given: readonly string[] = []): string[] {
  const to = given.map((each) => context.resolveId(each));
  const named = new Set<string>();
  for (const each of to) {
    if (named.has(each)) throw usage(`--to names '${each}' twice`);
    named.add(each);
  }
  return to;
}

async function pushLines(context: Context, queue: string, scope: string, jsonl: string) {
  const text = await context.readLines("jsonl", jsonl, MOST_LINES_BYTES);
  const lines = parseLines(text, (given) => context.resolveId(given));
  const { key, scopeFlag, verb } = context.settings;
  const own = lines.find((each) => each.key !== undefined && each.key === key);
  if (own)
    throw usage(
      `line ${own.line}: the key '${own.key}' is the command's own --key`,
      "nothing was pushed",
    );
  let before = 0;
  const { data, replayed } = await context.write(async (writing) => {
    await warnUnknownQueue(context, writing.tx, queue);
    await context.warnUnknown(
      writing.tx,
      lines.map(({ to }) => to),
    );
    await context.warnUnknownScope(writing.tx, true);
    const pushed = await pushAll(writing, { verb, queue, scope, named: scopeFlag }, lines);
    before = pushed.before;
    if (before > 0 && before < lines.length)
      writing.warn(
        "pushed_before",
        `${before} of the ${lines.length} lines had been pushed before with their keys`,
      );
    return { queue, count: pushed.refs.length, refs: pushed.refs };
  });
  const nothingNew = before > 0 && before === data.count;
  return written({ data, replayed: replayed || nothingNew }, pushedLines);
}
