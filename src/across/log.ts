import * as v from "valibot";
import { usage } from "../errors";
import { answer } from "../cli/answer";
import { DEFAULT_LIMIT, limit } from "../cli/args";
import { defineVerb, flag, optionalWord } from "../cli/define";
import { ago, heading, inline, line, lines, type View } from "../cli/text";
import { parseRef } from "../ref";
import { instant } from "../time";
import { id, whole } from "../words";
import { readLog, type LoggedEvent } from "./store";

export default defineVerb({
  about: "show what was changed, by whom and when, newest first",
  examples: ["coop log T14", "coop log --by codex-pippa --since 2h"],
  notes: `One record's log also tells the host and folder of each change. --json has every value before a change in full.`,
  args: {
    ref: optionalWord(v.string(), "REF", "one record; without it, everything"),
    by: flag(id, "ID", "changed by"),
    since: flag(v.string(), "TIME", "since a time, or how long ago (90m, 2h, 3d)"),
    before: flag(
      whole("an event's number", 1, Number.MAX_SAFE_INTEGER),
      "N",
      "older than this event",
    ),
    limit,
  },
  run: async (input, context) => {
    const of = input.ref === undefined ? undefined : parseRef(input.ref);
    if (input.ref !== undefined && (!of || of.surface === "fan-out")) {
      throw usage(
        `'${input.ref}' is not the ref of a record`,
        "a ref is a letter and a number: L12 R3 T45 H7 Q9",
      );
    }
    const store = await context.store();
    const by = input.by === undefined ? undefined : context.resolveId(input.by);
    await context.warnUnknown(store, [by]);
    const { events, truncated } = await readLog(store, {
      of,
      by,
      since: input.since === undefined ? undefined : instant(input.since, context.now()),
      before: input.before,
      limit: input.limit ?? DEFAULT_LIMIT,
    });
    const text = ({ events: shown }: { events: LoggedEvent[] }, view: View) =>
      lines(
        shown.length === 0 && "no changes",
        ...shown.map((event) => eventLine(event, of !== undefined, view)),
        truncated && `older: --before ${shown.at(-1)!.id}`,
      );
    return answer({ events }, text, { truncated });
  },
});

/** One line: `T14 edit 3h codex-pippa: priority 2 → 1, body (was 120 bytes)`. */
function eventLine(event: LoggedEvent, where: boolean, view: View): string {
  const { ref, verb, at, author, host, folder, before, after } = event;
  const place = where && `on ${inline(host)} in ${inline(folder)}`;
  const changes = Object.entries(before ?? {}).map(([column, was]) =>
    after && Object.hasOwn(after, column)
      ? `${column} ${short(was)} → ${short(after[column])}`
      : `${column} (was ${Buffer.byteLength(String(was ?? ""))} bytes)`,
  );
  const told = Object.entries(after ?? {})
    .filter(([column]) => !before || !Object.hasOwn(before, column))
    .map(([column, value]) => `${column} ${short(value)}`);
  const all = [...changes, ...told];
  const what = all.length > 0 && `: ${all.join(", ")}`;
  return `${line(ref, verb, `${ago(view, at)}`, inline(author), place)}${what || ""}`;
}

const short = (value: unknown) =>
  value === null || value === undefined || value === "" ? "–" : heading(String(value), "");
