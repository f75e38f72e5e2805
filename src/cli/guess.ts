import * as v from "valibot";
import { usage } from "../errors";
import { distance, ENOUGH, slip } from "../nearest";
import { looksLikeRef, parseRef, SIGILS, type Surface } from "../ref";
import { shellWord } from "../shell";
import { isLikeMe } from "../words";
import { NOTE_ALIASES } from "./args";
import {
  ACTS,
  aliasesOf,
  canonical,
  flagName,
  keyOf,
  type Act,
  type Args,
  type Group,
  type Verb,
} from "./define";

/** What other programs call what a verb does: of the verbs, the first that a group has is meant. */
const CALLED: readonly [verbs: readonly string[], words: string][] = [
  [["take", "ready", "todo ready"], "next"],
  [["take", "show"], "get fetch pop pull receive dequeue consume"],
  [["show"], "view info cat display details describe print"],
  [["list"], "ls lst all log"],
  [["edit"], "update change rename set modify amend correct retitle depend depends prioritize"],
  [["commit"], "link attach sha"],
  [["reply"], "comment answer respond say append"],
  [["done", "ack"], "acknowledge resolve fulfil fulfill resolved finished completed end"],
  [["reopen"], "undo unclose undone"],
  [["start"], "resume continue unblock work"],
  [["assign"], "give delegate unassign reassign handoff"],
  [["release", "stop", "reopen"], "nack nak retry fail unclaim requeued pause"],
  [["cancel", "drop", "abandon"], "withdraw revoke retract"],
  [["drop", "cancel", "abandon"], "delete remove rm del trash discard purge clear"],
  [
    ["push", "open", "write", "add"],
    "enqueue put emit post submit ask make insert publish handoff",
  ],
  [["ready"], "available unblocked"],
  [["stats"], "count summary status"],
  [["letter read"], "inbox mail mails messages"],
  [["who"], "status overview summary board dashboard mine users ids"],
  [["todo"], "task tasks"],
  [["log"], "events audit"],
  [["help"], "man usage"],
];

/** The same of flags. */
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
  "queue word": "name",
  "entry word": "slug",
  "sha word": "commit hash",
  key: "idempotency-key request-id",
};

/** What cannot be had back is only guessed where hardly anything else can be meant: one letter is wrong, or some left out. */
const DRASTIC = new Set([
  "redact",
  "restore",
  "copy",
  "init",
  "drop",
  "abandon",
  "decline",
  "cancel",
]);

const SEARCHES = ["search", "find", "grep", "query"];

/** The error for a word where a verb of a group belongs; `next` comes after it. */
export async function unknownVerb(group: Group, token: string, path: readonly string[], next = "") {
  if (looksLikeRef(token)) return refAsVerb(token, path);
  const words = ["coop", ...path].join(" ");
  // The record that it is about says whose verb it is.
  const surface = parseRef(next)?.surface;
  const all = await deeper(group, token);
  const its = all.filter((each) => each.startsWith(`${surface} `));
  const guesses = its.length > 0 ? its : all;
  if (SEARCHES.includes(token) && Object.hasOwn(group.commands, "list"))
    return usage(
      `there is no \`${words} ${token}\``,
      `nothing searches texts; \`${words} list --status all --all-scopes --json --limit 0\` gives them all`,
    );
  if (path.length === 0 && token === "version")
    return usage("there is no `coop version`", "did you mean `coop --version`?");
  const guess = guesses.length > 0 ? undefined : (called(group, token) ?? misspelt(group, token));
  if (guess !== undefined) guesses.push(guess);
  const help = `\`${words} --help\``;
  return usage(
    `there is no \`${words} ${token}\``,
    guesses.length > 0
      ? `did you mean ${guesses.map((each) => `\`${words} ${each}\``).join(" or ")}? ${help} lists all`
      : `one of ${Object.keys(group.commands).join(", ")}: ${help}`,
  );
}

/** What a word does that is a verb of the group's own groups: `letter read`, for one who left out the surface. */
async function deeper(group: Group, token: string): Promise<string[]> {
  const found: string[] = [];
  for (const [name, load] of Object.entries(group.commands)) {
    // What is no group is loaded for nothing.
    if (!Object.hasOwn(SIGILS, name)) continue;
    const command = (await load()).default;
    const verb = command.kind === "group" ? canonical(command, token) : undefined;
    if (verb !== undefined) found.push(`${name} ${verb}`);
  }
  return found;
}

/** The command that other programs call so. */
function called(group: Group, token: string): string | undefined {
  const isThere = (verb: string) => Object.hasOwn(group.commands, verb.split(" ")[0]!);
  for (const [verbs, words] of CALLED) {
    const verb = words.split(" ").includes(token.toLowerCase()) && verbs.find(isThere);
    if (verb) return verb;
  }
  return undefined;
}

function misspelt(group: Group, token: string): string | undefined {
  const known = Object.keys(group.commands);
  for (const act in group.acts) known.push(...ACTS[act as Act]);
  const safe = known.filter(
    (each) =>
      !DRASTIC.has(canonical(group, each)!) ||
      distance(token, each) === 1 ||
      (token.length >= ENOUGH && each.startsWith(token)),
  );
  const meant = slip(token, safe);
  return meant === undefined ? undefined : canonical(group, meant);
}

/** `coop letter L12` and `coop T12`: a ref where a verb belongs. */
function refAsVerb(token: string, path: readonly string[]) {
  const parsed = parseRef(token);
  const place = path[0] ?? "";
  const surface = Object.hasOwn(SIGILS, place) ? (place as Surface) : undefined;
  // A shell takes what begins with # for a comment.
  const name = parsed ? `${SIGILS[parsed.surface]}${parsed.number}` : token.replace("#", "");
  const other = parsed && parsed.surface !== surface;
  if (surface === "history" && other && parsed.surface !== "fan-out") {
    return usage(
      `\`coop history\` is the why of commits, not the changes of ${name}`,
      `coop log ${name}`,
    );
  }
  const says = `'${token}' is a ref where a verb belongs`;
  if (!parsed && !surface)
    return usage(says, `a ref begins with its surface's letter, as in \`coop show T${name}\``);
  const show = surface && !other ? `coop ${surface} show ${name}` : `coop show ${name}`;
  return usage(says, `did you mean \`${show}\`?`);
}

/** The error for a word that a verb has no place for. */
export function wordTooMuch(
  token: string,
  { args }: Verb,
  path: readonly string[],
  given: Readonly<Record<string, unknown>>,
) {
  const words = `coop ${path.join(" ")}`;
  const meant = flagOfWord(token, args);
  const main = Object.keys(args).find((key) => args[key]!.text?.edit);
  const several = Object.keys(args).find(
    (key) => args[key]!.list && args[key]!.ref !== undefined && Array.isArray(given[key]),
  );
  const [record, ...others] = Object.values(args);
  const takesText = others.some(({ type }) => type === "positional");
  const hint = () => {
    if (token === "-" && main) return `--${flagName(main)} - reads standard input`;
    if (meant) return `did you mean ${meant}?`;
    if (several && looksLikeRef(token))
      return `several go with commas: --${flagName(several)} ${shellWord([given[several], token].flat().join(","))}`;
    if (record?.ref !== undefined && !takesText && looksLikeRef(token))
      return "one record a command";
    if (!main) return `${words} --help`;
    const whom = args["to"] ? ", and whom it is for into --to" : "";
    return `put text of several words into quotes, or into --${flagName(main)}${whom}`;
  };
  return usage(`'${token}' is a word too much for \`${words}\``, hint());
}

/** The flag that a word alone is the value of, or stands for, where it can hardly be anything else. */
function flagOfWord(token: string, args: Args): string | undefined {
  const { count, limit, status, mine, to, from } = args;
  const word = token.toLowerCase();
  if (/^\d+$/.test(word)) return count ? `--count ${word}` : limit && `--limit ${word}`;
  if (status?.list) {
    if (mine && isLikeMe(word)) return "--mine";
    if (word === "mine" || word === "nobody") return args[word] && `--${word}`;
    const isState = v.safeParse(status.schema, [word]).success;
    return isState ? `--status ${word}` : undefined;
  }
  // What has no text of its own is about a record, and of what else it needs a word could be the value.
  const isText = Object.values(args).some(({ text, alsoFlag }) => text?.edit || alsoFlag);
  return to && !to.list && !from && !isText ? `--to ${shellWord(token)}` : undefined;
}

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

const isCalled = (key: string, by: string) => FLAGS_CALLED[key]?.split(" ").includes(by) ?? false;

/** What a word is typed as, where a flag's name is that of a word: its own, or what it is of. */
function wordCalled(bare: string, args: Args, before: number): string | undefined {
  let there = before;
  for (const [key, { type, alsoFlag, ref: surface, valueHint }] of Object.entries(args)) {
    if (type !== "positional" || there-- > 0 || alsoFlag) continue;
    const names = surface === undefined ? [] : [surface, "ref", "id", "number", "record"];
    if ([key, ...names].includes(bare) || isCalled(`${key} word`, bare)) return valueHint;
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
