import { usage } from "../errors";
import type { Count, Listable, ListQuery, Listed } from "../store/listing";
import type { Sql } from "../store/sql";
import { answer, type Answer } from "./answer";
import { DEFAULT_LIMIT } from "./args";
import type { Context } from "./context";
import { countText, inline, line, lines, type View } from "./text";

/** What the flags of a list ask for. */
export interface ListInput {
  status?: string[] | undefined;
  from?: string[] | undefined;
  to?: string[] | undefined;
  mine?: true | undefined;
  nobody?: true | undefined;
  since?: ((now: number) => number) | undefined;
  before?: number | undefined;
  limit?: number | undefined;
  allScopes?: true | undefined;
}

/** Ids as given, each once, with `me` for the speaker: `me` and the speaker's own id are the same. */
export const idsOf = (given: readonly string[], context: Context) => [
  ...new Set(given.map((id) => context.resolveId(id))),
];

/**
 * A table's list: its filter and slice, by its flags and where it is asked. Warns of ids that have never written.
 * @param hidesFinished whether the finished are left out where no state is asked for.
 * @param everywhere whether it is of all projects where no scope was named by flag.
 * @throws CoopError usage, also for a scope by flag beside all scopes.
 */
export async function listQuery(
  input: ListInput,
  context: Context,
  on: Sql,
  table: Listable,
  hidesFinished = false,
  everywhere = false,
): Promise<ListQuery> {
  const { scopeFlag } = context.settings;
  const allScopes = input.allScopes || (everywhere && !scopeFlag);
  if (input.allScopes && scopeFlag)
    throw usage("--scope and --all-scopes exclude each other", "give one of them");
  const to = idsOf([...(input.mine ? ["me"] : []), ...(input.to ?? [])], context);
  const whose = [...to, ...(input.nobody ? [null] : [])];
  const addressees = whose.length > 0 ? whose : undefined;
  const authors = input.from && idsOf(input.from, context);
  await context.warnUnknown(on, [...(addressees ?? []), ...(authors ?? [])]);
  await context.warnUnknownScope(on, false);
  const scope = allScopes ? undefined : await context.scopeOrNone();
  return {
    filter: {
      scope,
      states: statesOf(table, input.status ?? (hidesFinished ? ["unfinished"] : ["all"])),
      authors,
      addressees,
      since: input.since?.(context.now()),
    },
    slice: { before: input.before, limit: input.limit ?? DEFAULT_LIMIT },
    hidesFinished: hidesFinished && input.status === undefined,
    // What is handed to somebody is not to be missed for the folder that it was written in.
    // Those are told with the first page.
    countsElsewhere:
      addressees !== undefined && scope !== undefined && !scopeFlag && input.before === undefined,
  };
}

/** The states that words for them stand for, each once; undefined for all. */
function statesOf({ states, finished }: Listable, words: readonly string[]): string[] | undefined {
  if (words.includes("all")) return undefined;
  const meant = (state: string) =>
    words.includes(state) || words.includes(finished.includes(state) ? "finished" : "unfinished");
  return states.filter(meant);
}

/** Counts as numbers; `"exact": false` beside them where one of them stopped, so that there are more. */
export const countsInJson = <K extends string>(counts: Record<K, Count>) => ({
  ...(Object.fromEntries(
    Object.entries<Count>(counts).map(([name, { count }]) => [name, count]),
  ) as Record<K, number>),
  ...(Object.values<Count>(counts).some(({ exact }) => !exact) && { exact: false }),
});

/** A `list`'s answer: a line each, then what was left out and how to see it. */
export function listAnswer<T extends { ref: string }>(
  plural: string,
  listed: Listed<T>,
  recordLine: (record: T, view: View) => string,
): Answer {
  const part = partOf(listed);
  return answer(
    listed.rows,
    (shown, view) => listText(plural, { ...listed, rows: shown }, recordLine, view),
    {
      ...part,
      rest: restText(part.rest, listed.elsewhere),
      finished: listed.finished,
      elsewhere: listed.elsewhere,
    },
  );
}

/** Which part of all that match a list is, and how to go on from it. */
export const partOf = <T extends { ref: string }>({ rows, total, truncated }: Listed<T>) => ({
  total,
  truncated,
  rest: truncated
    ? `${rows.length} of ${countText(total)}; older: --before ${rows.at(-1)!.ref}`
    : undefined,
});

/** Records as text: a line each, then what was left out and how to see it. */
export const listText = <T extends { ref: string }>(
  plural: string,
  listed: Listed<T>,
  recordLine: (record: T, view: View) => string,
  view: View,
): string => {
  const { rows, scope, narrowed, total, finished, elsewhere } = listed;
  const which = total.count > 0 ? "older" : narrowed && "such";
  return lines(
    rows.length === 0 && line("no", which, plural, scope && `in ${inline(scope)}`),
    rows.map((record) => recordLine(record, view)),
    partOf(listed).rest,
    finished && finished.count > 0 && `${countText(finished)} finished: --status all`,
    elsewhereText(elsewhere),
  );
};

/** What refs alone leave out: older ones, and those of other projects. */
export const restText = (rest: string | undefined, elsewhere: Count | undefined) =>
  [rest, elsewhereText(elsewhere)].filter(Boolean).join("; ") || undefined;

/** How many more match in other projects, and how to see them. */
export const elsewhereText = (elsewhere: Count | undefined) =>
  elsewhere && elsewhere.count > 0 && `${countText(elsewhere)} in other projects: --all-scopes`;
