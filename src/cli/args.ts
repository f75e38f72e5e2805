import * as v from "valibot";
import {
  refOf,
  id,
  key,
  later,
  longText,
  moment,
  scope,
  seconds,
  speaker,
  version,
  whole,
  title,
} from "../words";
import { usage } from "../errors";
import type { Surface } from "../ref";
import { ref } from "../ref";
import type { Listable } from "../store/listing";
import { flag, flagName, list, toggle, word, type Arg } from "./define";

/** The flags that every command understands, before or after its words. */
export const GLOBALS = {
  as: flag(speaker, "ID", "who speaks; else PIPPA_COOP_ID"),
  db: flag(v.string(), "STORE", "the store; else PIPPA_COOP_DB, else $HOME/pippa-db/coop.db"),
  scope: flag(
    scope,
    "NAME",
    "the project; else PIPPA_COOP_SCOPE, else the git work tree's folder name",
  ),
  json: toggle("one JSON document on stdout"),
  quiet: toggle("only the ref on stdout"),
  wait: flag(seconds, "SECONDS", "the longest wait for locks (10)"),
  noColor: toggle("no colour"),
  help: toggle("this help"),
  version: toggle("the versions of coop, Bun and SQLite"),
} as const;

/** The record that a verb is about. */
export const record = (surface: Surface) => {
  const example = ref(surface, 12);
  return {
    ...word(refOf(surface), surface.toUpperCase(), `the ${surface}'s ref, such as ${example}`),
    ref: surface,
  } satisfies Arg;
};

/** The title of a new record: its first word, or `--title`. */
export const titleWord = (description: string) =>
  ({
    type: "positional",
    alsoFlag: true,
    schema: title,
    valueHint: "TITLE",
    description,
    required: true,
  }) satisfies Arg;

/** A title that may be left out. */
export const optionalTitle = (description: string) =>
  ({ ...titleWord(description), schema: v.optional(title), required: false }) satisfies Arg;

/** How many of a list are shown where nothing else is asked. */
export const DEFAULT_LIMIT = 50;

/** How many of a list are wanted. */
export const limit = flag(
  whole("a limit", 0, Number.MAX_SAFE_INTEGER),
  "N",
  `how many at most (${DEFAULT_LIMIT}; 0 for all)`,
);

/** `--key`, on every command that writes. */
export const repeatable = {
  key: flag(key, "KEY", "makes a repeat safe: the same key does nothing twice"),
} as const;

/** What every command that changes an existing record takes. */
export const changing = {
  ...repeatable,
  ifVersion: flag(
    version,
    "N",
    "only if the record is still at this version, which show --json tells",
  ),
} as const;

/** @throws CoopError usage, where an edit has nothing to change: it is all the flags that could. */
export function requireChange(surface: Surface, edit: Readonly<Record<string, unknown>>): void {
  if (Object.values(edit).some((value) => value !== undefined)) return;
  const flags = Object.keys(edit).map((name) => `--${flagName(name)}`);
  throw usage(
    `\`coop ${surface} edit\` needs what to change`,
    `give ${flags.join(", ")} or --edit`,
  );
}

/** Other names of `--body` on moves. */
export const NOTE_ALIASES = ["m", "note", "reason", "message"];

const text = <S extends v.GenericSchema>(schema: S, name: string, description: string) =>
  ({
    type: "string",
    schema,
    valueHint: "TEXT",
    description,
    text: { file: `${name}-file`, edit: true },
  }) satisfies Arg<S>;

/** The long text of a new record. */
export const body = (description: string) =>
  ({ ...text(longText, "body", description), required: true }) satisfies Arg;

/** A long text that may be left out. */
export const optionalBody = (description: string) =>
  text(v.optional(longText), "body", description);

/** The words that may go with a move: `--body`, or by its other names. */
export const note = (description: string) =>
  ({ ...text(v.optional(longText), "body", description), alias: NOTE_ALIASES }) satisfies Arg;

/** A long text that is also a positional word, such as the reply in `request reply R3 "…"`. */
export const textWord = <S extends v.GenericSchema>(
  schema: S,
  name: string,
  valueHint: string,
  description: string,
) =>
  ({
    ...text(schema, name, description),
    type: "positional",
    valueHint,
    alsoFlag: true,
    required: false,
  }) satisfies Arg<S>;

/** What every list takes. */
export const listing = ({ surface, states, finished }: Listable) => {
  const words = [...states, ...(finished.length > 0 ? ["unfinished", "finished"] : [])];
  return {
    status: list(
      later(() => v.picklist([...words, "all"])),
      "STATE",
      `${words.join(", ")} or all`,
    ),
    from: list(id, "ID", "written by"),
    since: flag(
      moment,
      "TIME",
      "changed since: a time (UTC, if it names no zone), or how long ago (90m, 2h, 3d)",
    ),
    before: flag(refOf(surface), "REF", `older than this one, to go on from ${ref(surface, 12)}`),
    limit,
    allScopes: toggle("of every project, not of this one alone"),
  } as const;
};

/** `--to` and `--mine` of a list. */
export const addressed = {
  to: list(id, "ID", "addressed to"),
  mine: toggle("addressed to the speaker"),
} as const;

/** The same of a list of what can be nobody's, which is added to those ids'. */
export const assigned = {
  ...addressed,
  nobody: toggle("nobody's; with --mine or --to those too"),
} as const;

/** What every `show` takes. */
export const showing = { raw: toggle("the exact text and nothing else") } as const;
