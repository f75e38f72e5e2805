import { usage } from "../errors";
import { GLOBALS } from "./args";
import {
  aliasesOf,
  canonical,
  dashed,
  flagName,
  keyOf,
  type Arg,
  type Group,
  type Verb,
} from "./define";
import { unknownFlag, type Within } from "./guess/flag";
import { unknownVerb } from "./guess/verb";
import { wordTooMuch } from "./guess/word";

/** What was typed, by the flags' and words' keys; nothing is checked yet but that each may stand there. */
export type Given = Record<string, string | string[] | true>;

/** A command line, understood. */
export interface Route {
  /** The canonical words, such as `["letter", "ack"]`. */
  path: string[];
  command: Verb | Group;
  globals: Given;
  given: Given;
}

interface Flag {
  key: string;
  arg: Arg;
  global: boolean;
  /** The flag is the `-file` form of a long text. */
  file: boolean;
}

/** Whether a token is a flag; `-` alone is a value, and so is a text that merely begins with a dash and a space. */
const isFlag = (token: string) => token.startsWith("-") && token.charAt(1).trim() !== "";

/** Whether there is space in what would be a flag's name, as in a text that begins with the rule `---`. */
const isText = (token: string) => /^[^=]*\s/.test(token);

/**
 * Finds the command and sorts the tokens into flags and words.
 * @throws CoopError usage, for whatever is unknown, doubled, without its value or too much.
 */
export async function route(root: Group, argv: readonly string[]): Promise<Route> {
  let command: Verb | Group = root;
  let group = root;
  const path: string[] = [];
  const words: string[] = [];
  const globals: Given = {};
  const given: Given = {};
  const typed: Record<string, string> = {};
  let literal = false;

  for (let index = 0; index < argv.length; index++) {
    const token = argv[index]!;
    if (!literal && token === "--") {
      literal = true;
      continue;
    }
    if (literal || !isFlag(token)) {
      if (command.kind === "verb") {
        words.push(token);
        continue;
      }
      const name = canonical(command, token);
      if (name === undefined) throw await unknownVerb(command, token, path, argv[index + 1]);
      path.push(name);
      group = command;
      command = (await command.commands[name]!()).default;
      continue;
    }
    const equals = token.startsWith("--") ? token.indexOf("=") : -1;
    const name = equals < 0 ? token : token.slice(0, equals);
    const found = findFlag(command, name);
    if (!found) throw await noSuchFlag(name, command, { path, group, words: words.length });
    let value: string | true = true;
    if (found.arg.type === "boolean") {
      if (equals >= 0) throw usage(`${name} takes no value`, `write ${name} alone`);
    } else if (equals >= 0) {
      value = token.slice(equals + 1);
    } else {
      const next = argv[++index];
      if (next === undefined) throw usage(`${name} needs a value`, `${name} ${hintOf(found)}`);
      if (isFlag(next) && !isText(next)) throw await looksLikeFlag(name, found, next);
      value = next;
    }
    put(found.global ? globals : given, found, value, { name, before: typed[found.key] });
    typed[found.key] = name;
  }
  if (command.kind === "verb") placeWords(command, words, given, path);
  return { path, command, globals, given };
}

/** A flag's value that could be a flag: so it is one for certain only after the flag's long name. */
async function looksLikeFlag(name: string, { key, arg, file }: Flag, value: string) {
  const { shellWord } = await import("../shell");
  const long = file ? arg.text!.file : flagName(key);
  return usage(
    `${name} needs a value, and '${value}' looks like a flag`,
    `write --${long}=${shellWord(value)} if it is the value`,
  );
}

/** The flag that is typed so. Nearly all are typed by their own names, which spares spelling every other. */
function findFlag(command: Verb | Group, name: string): Flag | undefined {
  const key = keyOf(name);
  const own = command.kind === "verb" && Object.hasOwn(command.args, key) && command.args[key]!;
  if (own && isTyped(own)) return { key, arg: own, global: false, file: false };
  if (Object.hasOwn(GLOBALS, key))
    return { key, arg: GLOBALS[key as keyof typeof GLOBALS], global: true, file: false };
  return spellings(command).find(([spelling]) => spelling === name)?.[1];
}

/** Every way to type a flag of a command, and the flag it means. */
const spellings = (command: Verb | Group): [string, Flag][] => [
  ...Object.entries<Arg>(GLOBALS).flatMap(([key, arg]) => spellingsOf(key, arg, true)),
  ["-h", { key: "help", arg: GLOBALS.help, global: true, file: false }],
  ...(command.kind === "group" ? [] : Object.entries<Arg>(command.args)).flatMap(([key, arg]) =>
    spellingsOf(key, arg, false),
  ),
];

function spellingsOf(key: string, arg: Arg, global: boolean): [string, Flag][] {
  if (!isTyped(arg)) return [];
  const flag = { key, arg, global, file: false };
  const found: [string, Flag][] = [
    [`--${flagName(key)}`, flag],
    ...aliasesOf(arg).map((alias): [string, Flag] => [dashed(alias), flag]),
  ];
  if (!arg.text) return found;
  const fileFlag = { ...flag, key: `${key}File`, file: true };
  found.push([`--${arg.text.file}`, fileFlag]);
  if (arg.text.edit)
    found.push(
      ["-F", fileFlag],
      ["--edit", { key: "edit", arg: EDIT, global: false, file: false }],
    );
  return found;
}

/** What a flag's value is called. */
const hintOf = ({ arg, file }: Flag) => (file ? "PATH" : arg.valueHint);

/** Whether it is a flag, or may be given as one too. */
const isTyped = (arg: Arg) => arg.type !== "positional" || arg.alsoFlag === true;

const EDIT: Arg = { ...GLOBALS.help, description: "write the text in $VISUAL or $EDITOR" };

/** Puts a flag's value where it belongs; `before` is how the same flag was typed earlier, if it was. */
function put(
  into: Given,
  { key, arg, file }: Flag,
  value: string | true,
  { name, before }: { name: string; before: string | undefined },
): void {
  if (arg.list && !file && typeof value === "string") {
    const earlier = (into[key] as string[] | undefined) ?? [];
    const parts = value.includes(",") ? value.split(",").map((part) => part.trim()) : [value];
    const twice = parts.find(
      (part, index) => part !== "" && (earlier.includes(part) || parts.indexOf(part) < index),
    );
    if (twice !== undefined)
      throw usage(
        before !== name && earlier.includes(twice)
          ? `${name} names '${twice}', which is named already`
          : `${name} names '${twice}' twice`,
      );
    into[key] = [...earlier, ...parts];
    return;
  }
  if (before === name) throw usage(`${name} is given twice`, "give it once");
  if (before !== undefined)
    throw usage(`${name} is another name of ${before}, which is given too`, "give one of them");
  into[key] = value;
}

function placeWords(verb: Verb, words: string[], given: Given, path: string[]): void {
  let required = 0;
  for (const arg of Object.values(verb.args)) if (mustBeWord(arg)) required++;
  const rest = [...words];
  for (const [key, arg] of Object.entries(verb.args)) {
    if (arg.type !== "positional") continue;
    // Required places are filled first: the one word of `history commit HEAD` is the sha, not the entry.
    if (mustBeWord(arg)) required--;
    else if (rest.length <= required) continue;
    const value = rest.shift();
    if (value === undefined) continue;
    if (Object.hasOwn(given, key))
      throw usage(
        `${arg.valueHint} is given twice: as a word and as --${flagName(key)}`,
        "give it once",
      );
    given[key] = value;
  }
  if (rest.length > 0) throw wordTooMuch(rest[0]!, verb, path, given);
}

const mustBeWord = ({ type, required, alsoFlag }: Arg) =>
  type === "positional" && required === true && !alsoFlag;

function noSuchFlag(name: string, command: Verb | Group, within: Within) {
  const words = ["coop", ...within.path].join(" ");
  if (isText(name))
    return usage(`\`${words}\` has no flag '${name}'`, "put -- before it if it is a word");
  const flags = spellings(command);
  const text = flags.find(([, { arg, file }]) => arg.text?.edit && !file)?.[0];
  return unknownFlag(name, command, within, { names: flags.map(([flag]) => flag), text });
}
