import * as v from "valibot";
import { usage } from "../errors";
import { answer } from "../cli/answer";
import { DEFAULT_LIMIT, limit } from "../cli/args";
import { defineVerb, flag, optionalWord } from "../cli/define";
import { ago, heading, inline, line, lines, titled, type View } from "../cli/text";
import { ref, type Ref } from "../ref";
import { byteLength, moment, oneId, whole } from "../words";
import { anyRef } from "./ref";
import { readLog, type LoggedEvent } from "./store";

export default defineVerb({
  about: "show what was changed, by whom and when, newest first, in all projects",
  examples: ["coop log T14", "coop log --by codex-pippa --since 2h"],
  notes: `Each line ends with what the record is called now; one record's log tells the host and folder of each change
instead. --json has every value before a change in full.`,
  args: {
    ref: { ...optionalWord(v.string(), "REF", "one record; without it, everything"), ref: "any" },
    by: flag(oneId, "ID", "changed by"),
    since: flag(
      moment,
      "TIME",
      "since a time (UTC, if it names no zone), or how long ago (90m, 2h, 3d)",
    ),
    before: flag(
      whole("an event's number", 1, Number.MAX_SAFE_INTEGER),
      "N",
      "older than this event",
    ),
    limit,
  },
  run: async (input, context) => {
    const of = input.ref === undefined ? undefined : recordRef(input.ref);
    const store = await context.store();
    const by = input.by === undefined ? undefined : context.resolveId(input.by);
    await context.warnUnknown(store, [by]);
    if (of === undefined) context.warnUnscoped();
    const { events, truncated } = await readLog(store, {
      of,
      by,
      since: input.since?.(context.now()),
      before: input.before,
      limit: input.limit ?? DEFAULT_LIMIT,
    });
    const rest = truncated ? `older: --before ${events.at(-1)!.id}` : undefined;
    const text = ({ events: shown }: { events: LoggedEvent[] }, view: View) =>
      lines(
        shown.length === 0 && "no changes",
        shown.map((event) => eventLine(event, of !== undefined, view)),
        rest,
      );
    return answer({ events }, text, { truncated, rest });
  },
});

/** @throws CoopError usage. */
function recordRef(text: string): Ref {
  const of = anyRef(text);
  if (of.surface !== "fan-out") return of;
  const name = ref(of.surface, of.number);
  throw usage(
    `${name} is a push to several, which has no log of its own`,
    `coop queue replies ${name}, or coop log with the ref of one of its items`,
  );
}

/**
 * One line: `T14 edit 3h codex-pippa (priority 2 → 1, body (was 120 bytes)): Fix parser`; of one record where it was done,
 * and not what it is called.
 */
function eventLine(event: LoggedEvent, where: boolean, view: View): string {
  const { verb, at, author, host, folder, before, after, called: name } = event;
  const place = where && `on ${inline(host)} in ${inline(folder)}`;
  const told = (column: string, value: unknown) =>
    column.endsWith("_at") && typeof value === "string" ? ago(view, value) : short(value);
  const changes = Object.entries(before ?? {}).flatMap(([column, was]) => {
    if (!after || !Object.hasOwn(after, column)) return `${called(column)} ${textBefore(was)}`;
    const is = after[column];
    // That who took it has it since then, the line says already.
    if (was === null && TAKING[column]?.(event) === is) return [];
    return `${called(column)} ${told(column, was)} → ${told(column, is)}`;
  });
  const added = Object.entries(after ?? {})
    .filter(([column]) => !before || !Object.hasOwn(before, column))
    .map(([column, value]) => `${called(column)} ${told(column, value)}`);
  const all = [...changes, ...added];
  const what = all.length > 0 && all.join(", ");
  const done = line(event.ref, verb, ago(view, at), inline(author), place);
  if (where || name === null) return titled(done, what || "");
  return titled(line(done, what && `(${what})`), heading("", name));
}

/** The columns of who has a record since when, and what of an event they repeat. */
const TAKING: Record<string, (event: LoggedEvent) => unknown> = {
  addressee: ({ verb, author }) => (verb === "start" ? author : undefined),
  taken_by: ({ author }) => author,
  accepted_by: ({ author }) => author,
  taken_at: ({ at }) => at,
};

/** A column by the word that its flag and the lists have for it. */
const called = (column: string) =>
  ({ addressee: "to", waiting_on: "waits on", commit_sha: "commit" })[column] ??
  column.replaceAll("_", " ");

const short = (value: unknown) => heading(wordsOf(value), "") || "–";

/** A value on one line: of several the refs or names. */
function wordsOf(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value ?? "");
  if ("ref" in value) return String(value.ref);
  return (Array.isArray(value) ? value.map(wordsOf) : Object.keys(value)).join(" ");
}

/** What a long text was, whose new value the event leaves to the record: in full where it is short. */
function textBefore(was: unknown): string {
  const text = String(was ?? "");
  if (text === "") return "written";
  const start = short(text);
  return start === inline(text.trim()) ? `(was ${start})` : `(was ${byteLength(text)} bytes)`;
}
