import { GLOBALS } from "./args";
import {
  ACTS,
  aliasesOf,
  dashed,
  flagName,
  type Act,
  type Arg,
  type Group,
  type Verb,
} from "./define";
import { jsonDocument } from "./output";
import { PAGES } from "./pages";

/** The versions of coop and of what it is made of. */
export interface Versions {
  coop: string;
  bun: string;
  sqlite: string;
}

interface Asked {
  root: Group;
  path: readonly string[];
  command: Verb | Group;
  json: boolean;
  /** Where the versions come from, when they were asked for rather than help. */
  versions: (() => Promise<Versions>) | undefined;
}

/** What `--help` and `--version` print. */
export async function about({ root, path, command, json, versions }: Asked): Promise<string> {
  if (versions) {
    const found = await versions();
    const text = `coop ${found.coop} (bun ${found.bun}, sqlite ${found.sqlite})`;
    return json ? jsonDocument({ data: found }) : text;
  }
  const text = await help(root, path, command);
  return json ? jsonDocument({ data: { command: path.join(" "), text } }) : text;
}

/** The help page of the root, a surface or a verb. */
export async function help(
  root: Group,
  path: readonly string[],
  command: Verb | Group,
): Promise<string> {
  if (command.kind === "group")
    return (
      PAGES[path.join(" ")] ?? (path.length === 0 ? rootHelp(command) : groupHelp(path, command))
    );
  const parent = path.length > 1 ? ((await root.commands[path[0]!]!()).default as Group) : root;
  return verbHelp(path, command, synonyms(parent, path.at(-1)!));
}

async function rootHelp(root: Group): Promise<string> {
  const entries = await Promise.all(
    Object.entries(root.commands).map(async ([name, load]) => ({
      name,
      command: (await load()).default,
    })),
  );
  const surfaces = entries.filter(({ command }) => command.kind === "group");
  const verbs = entries.filter(({ command }) => command.kind === "verb");
  return [
    `coop: ${root.about}`,
    "",
    "A session begins with: coop --as YOUR-ID letter read",
    "",
    ...surfaces.flatMap(({ name, command }) => [
      `coop ${name}: ${command.about}`,
      `  ${Object.keys((command as Group).commands).join(" ")}`,
    ]),
    "",
    ...columns(verbs.map(({ name, command }) => [`coop ${name}`, command.about])),
    "",
    "Everywhere, before or after the words:",
    ...columns([
      ...Object.entries(GLOBALS).map(([key, arg]): [string, string] => [
        usageOf(key, arg),
        arg.description,
      ]),
      ["--", "ends the flags: what follows may begin with a dash"],
    ]),
    "",
    "coop SURFACE --help, coop SURFACE VERB --help; coop help exits, environment or output",
  ].join("\n");
}

async function groupHelp(path: readonly string[], group: Group): Promise<string> {
  const words = `coop ${path.join(" ")}`;
  const verbs = await Promise.all(
    Object.entries(group.commands).map(async ([name, load]) => ({
      name,
      verb: (await load()).default as Verb,
    })),
  );
  return [
    `${words}: ${group.about}`,
    "",
    ...columns(verbs.map(({ name, verb }) => [[name, ...placesOf(verb)].join(" "), verb.about])),
    "",
    "For example:",
    ...verbs.slice(0, 3).map(({ verb }) => `  ${verb.examples[0]}`),
    "",
    `${words} VERB --help tells its flags.`,
  ].join("\n");
}

function verbHelp(path: readonly string[], verb: Verb, also: readonly string[]): string {
  const words = ["coop", ...path].join(" ");
  const flags = Object.entries(verb.args).filter(
    ([, arg]) => arg.type !== "positional" || arg.alsoFlag,
  );
  const required = flags.filter(([, arg]) => arg.required && arg.type !== "positional");
  const rows = Object.entries(verb.args).flatMap(([key, arg]) => rowsOf(key, arg));
  const parent = ["coop", ...path.slice(0, -1)].join(" ");
  return [
    [words, ...placesOf(verb), ...required.map(([key, arg]) => usageOf(key, arg)), "[flags]"].join(
      " ",
    ),
    verb.about,
    ...(verb.notes ? ["", verb.notes] : []),
    ...(rows.length > 0 ? ["", ...columns(rows)] : []),
    "",
    `Everywhere: ${Object.entries(GLOBALS)
      .map(([key, arg]) => usageOf(key, arg))
      .join(" ")}`,
    ...(also.length > 0 ? [`The same: ${parent} ${also.join("|")}`] : []),
    "",
    "For example:",
    ...verb.examples.map((example) => `  ${example}`),
  ].join("\n");
}

const placesOf = (verb: Verb) =>
  Object.values(verb.args)
    .filter((arg) => arg.type === "positional")
    .map((arg) => (arg.required ? String(arg.valueHint) : `[${arg.valueHint}]`));

/** How a flag is typed: `--limit N`, and `--to ID,…` for a list. */
function usageOf(key: string, arg: Arg): string {
  const name = `--${flagName(key)}`;
  return arg.type === "boolean" ? name : `${name} ${arg.valueHint}${arg.list ? ",…" : ""}`;
}

function rowsOf(key: string, arg: Arg): [string, string][] {
  const also = aliasesOf(arg).map(dashed).join(" ");
  const says = [arg.description, also && `(also ${also})`].filter(Boolean).join(" ");
  const named: [string, string] =
    arg.type === "positional"
      ? [String(arg.valueHint), arg.alsoFlag ? `${says} (or ${usageOf(key, arg)})` : says]
      : [usageOf(key, arg), says];
  if (!arg.text) return [named];
  const [left, right] = named;
  return [
    [left, `${right}; - reads standard input`],
    [
      `--${arg.text.file} PATH`,
      arg.text.edit ? "the same from a file (also -F)" : "the same from a file",
    ],
    ...(arg.text.edit ? [["--edit", "the same by $VISUAL or $EDITOR"] as [string, string]] : []),
  ];
}

function synonyms(group: Group, verb: string): string[] {
  const words = Object.entries(group.acts).flatMap(([act, canonical]) =>
    canonical === verb ? [...ACTS[act as Act]] : [],
  );
  return [...new Set<string>(words)].filter((word) => !Object.hasOwn(group.commands, word));
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.min(30, Math.max(0, ...rows.map(([left]) => left.length)));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`.trimEnd());
}
