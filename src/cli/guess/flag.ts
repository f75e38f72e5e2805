import { usage } from "../../errors";
import { slip } from "../../nearest";
import { NOTE_ALIASES } from "../args";
import { aliasesOf, flagName, keyOf, type Args, type Group, type Verb } from "../define";

/** What other programs call what a flag does. */
const FLAGS_CALLED: Record<string, string> = {
  to: "assignee assigned assigned-to assign for owner addressee recipient",
  from: "author sender by",
  by: "from author id",
  status: "state open closed finished unfinished done pending unread blocked taken waiting filter",
  body: "text content desc description comment details",
  title: "name subject summary",
  priority: "prio p urgency",
  after: "on needs requires blocked-by depends waits-on",
  allScopes: "all everywhere all-projects global a",
  limit: "max n count top lines",
  count: "limit max n",
  since: "newer updated changed",
  reply: "answer",
  payload: "data body text content message",
  re: "about reply-to in-reply-to",
  as: "user speaker",
  scope: "project repo",
  json: "format output o",
  quiet: "silent q refs-only",
  db: "database store",
  wait: "timeout",
  key: "idempotency-key request-id",
};

/** The same of words, by their keys. */
const WORDS_CALLED: Record<string, string> = { queue: "name", entry: "slug", sha: "commit hash" };

/** Where a command was looked for: its words, and the group that it is in. */
export interface Within {
  path: readonly string[];
  group: Group;
  /** How many words came before: a verb's first ones are there then. */
  words: number;
}

/** The flags that a command has, as they are typed, and that of its main text. */
interface Known {
  names: readonly string[];
  text: string | undefined;
}

/** The error for a flag that a command has not. */
export async function unknownFlag(
  name: string,
  command: Verb | Group,
  { path, group, words: before }: Within,
  { names, text }: Known,
) {
  const words = ["coop", ...path].join(" ");
  const says = `\`${words}\` has no flag ${name}`;
  const late = command.kind === "group" ? "; a verb's own flags come after the verb" : "";
  // Only long names take a value after =.
  const [short] = /^-\w(?==)/.exec(name) ?? [];
  if (short !== undefined && names.includes(short))
    return usage(says, `put a space: ${short} ${short === "-F" ? "PATH" : "TEXT"}`);
  const bare = name.replace(/^-+/, "");
  const asWord = command.kind === "verb" && wordCalled(bare, command.args, before);
  if (asWord) return usage(says, `it is a word: ${words} ${asWord}`);
  if (NOTE_ALIASES.includes(bare) && path.at(-1) === "edit")
    return usage(says, `${text} replaces all of the text; a note goes with a move, such as done`);
  const meaning = (by: string) => names.find((flag) => isCalled(keyOf(flag), by));
  const guess =
    (NOTE_ALIASES.includes(bare) ? text : undefined) ??
    fileFlag(bare, names, text, meaning) ??
    // Of one letter after one dash any other is near.
    (name.startsWith("--") ? slip(name, names, 2) : undefined) ??
    meaning(bare);
  if (guess !== undefined) return usage(says, `did you mean ${guess}?`);
  const isOfSurface = command.kind === "verb" && path.length > 1;
  const others = isOfSurface ? await havingFlag(group, command, bare) : [];
  if (others.length > 0) {
    const surface = path.slice(0, -1).join(" ");
    return usage(
      says,
      `did you mean ${others.map((verb) => `\`coop ${surface} ${verb}\``).join(" or ")}?`,
    );
  }
  if (STATES.includes(bare) && isOfSurface && "key" in command.args)
    return usage(says, `a state is changed by its own verb: \`coop ${path[0]} --help\``);
  const own = command.kind === "verb" ? ownFlags(command.args) : [];
  const help = `\`${words} --help\``;
  return usage(
    says,
    own.length > 0 ? `one of ${own.join(", ")}: ${help}` : `${help} lists all${late}`,
  );
}

const isCalled = (key: string, by: string, names = FLAGS_CALLED) =>
  names[key]?.split(" ").includes(by) ?? false;

/** What a word is typed as, where a flag's name is that of a word: its own, or what it is of. */
function wordCalled(bare: string, args: Args, before: number): string | undefined {
  let there = before;
  for (const [key, { type, alsoFlag, ref: surface, valueHint }] of Object.entries(args)) {
    if (type !== "positional" || there-- > 0 || alsoFlag) continue;
    const names = surface === undefined ? [] : [surface, "ref", "id", "number", "record"];
    if ([key, ...names].includes(bare) || isCalled(key, bare, WORDS_CALLED)) return valueHint;
  }
  return undefined;
}

/** The flag by which a text is read from a file, or lines are, for what else that may be called. */
function fileFlag(
  bare: string,
  names: readonly string[],
  text: string | undefined,
  meaning: (by: string) => string | undefined,
): string | undefined {
  if (bare === "f") return names.find((flag) => flag === "-F");
  if (!/^(.+-)?file$/.test(bare)) return undefined;
  const of = bare.slice(0, -"-file".length);
  const isNote = NOTE_ALIASES.includes(of);
  // Lines come from a file by the flag itself.
  if (names.includes(`--${of}`) && !isNote) return `--${of}`;
  const meant = isNote ? "--body" : of === "" ? text : meaning(of);
  return names.find((flag) => flag === `${meant}-file`);
}

const ownFlags = (args: Args) =>
  Object.entries(args).flatMap(([key, { type, alsoFlag }]) =>
    type === "positional" && !alsoFlag ? [] : [`--${flagName(key)}`],
  );

/** The group's verbs that have a flag which one of them has not: those that are about one record and write, as it does. */
async function havingFlag(group: Group, verb: Verb, bare: string): Promise<string[]> {
  const found: string[] = [];
  const kindOf = ({ args }: Verb) =>
    `${Object.values(args)[0]?.ref !== undefined} ${"key" in args}`;
  for (const [name, load] of Object.entries(group.commands)) {
    const other = (await load()).default;
    if (other.kind === "group" || kindOf(other) !== kindOf(verb)) continue;
    const flags = Object.entries(other.args).filter(([, { type }]) => type !== "positional");
    const has = ([key, arg]: (typeof flags)[number]) =>
      flagName(key) === bare || aliasesOf(arg).includes(bare);
    const [key] = flags.find(has) ?? flags.find(([each]) => isCalled(each, bare)) ?? [];
    if (key !== undefined) found.push(`${name} --${flagName(key)}`);
  }
  return found.length > MOST_NAMED ? [] : found;
}

const MOST_NAMED = 3;

/** What a flag would be called that changes a state. */
const STATES = ["status", "state"];
