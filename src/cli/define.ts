import { defineCommand, type ArgDef, type CommandDef } from "citty";
import * as v from "valibot";
import type { Answer } from "./answer";
import type { Surface } from "../ref";
import type { Context } from "./context";

/**
 * One flag or positional word of a verb: citty's definition with the schema that checks it, so that a flag's name,
 * help, check and type are one fact. The key is the flag's name in camelCase.
 */
export type Arg<S extends v.GenericSchema = v.GenericSchema> = ArgDef & {
  readonly schema: S;
  /** A positional that may be given as a flag of the same name too. */
  readonly alsoFlag?: boolean;
  /** May be repeated, or given with commas. */
  readonly list?: boolean;
  /** The surface whose refs it takes, or any: `12`, `t12` and `#T12` are the same there. */
  readonly ref?: Surface | "any";
  /** Long text: `--x TEXT`, `--x -`, `--x-file PATH`; `--edit` too on the verb's main text. */
  readonly text?: { readonly file: string; readonly edit: boolean };
};

// A constraint in which every Arg fits: schemas differ in what they take.
// oxlint-disable-next-line no-explicit-any
export type Args = Record<string, Arg<any>>;

/** What a verb works with: each of its flags and words as its schema gives it. */
export type InputOf<A extends Args> = { [K in keyof A]: v.InferOutput<A[K]["schema"]> };

/** A positional word that must be given. */
export const word = <S extends v.GenericSchema>(
  schema: S,
  valueHint: string,
  description: string,
) => ({ type: "positional", schema, valueHint, description, required: true }) satisfies Arg<S>;

/** A positional word that may be left out. */
export const optionalWord = <S extends v.GenericSchema>(
  schema: S,
  valueHint: string,
  description: string,
) =>
  ({
    type: "positional",
    schema: v.optional(schema),
    valueHint,
    description,
    required: false,
  }) satisfies Arg;

/** A flag with a value. */
export const flag = <S extends v.GenericSchema>(
  schema: S,
  valueHint: string,
  description: string,
  alias: string[] = [],
) => ({ type: "string", schema: v.optional(schema), valueHint, description, alias }) satisfies Arg;

/** A flag with a value that must be given. */
export const requiredFlag = <S extends v.GenericSchema>(
  schema: S,
  valueHint: string,
  description: string,
  alias: string[] = [],
) => ({ type: "string", schema, valueHint, description, alias, required: true }) satisfies Arg<S>;

/** A flag whose value is a list. */
export const list = <S extends v.GenericSchema>(
  schema: S,
  valueHint: string,
  description: string,
  alias: string[] = [],
) =>
  ({
    type: "string",
    schema: v.optional(
      v.pipe(
        v.array(schema),
        v.minLength(1),
        // Texts that differ can mean the same, such as L1 and 1.
        v.check((values) => new Set(values).size === values.length, "names the same one twice"),
      ),
    ),
    valueHint,
    description,
    alias,
    list: true,
  }) satisfies Arg;

/** A flag without a value. */
export const toggle = (description: string) =>
  ({ type: "boolean", schema: GIVEN, description }) satisfies Arg;

const GIVEN = v.optional(v.literal(true));

/** What makes a verb. */
export interface VerbDefinition<A extends Args> {
  about: string;
  /** It is of all projects, or of none: a scope by flag would change nothing. */
  unscoped?: "all" | "none";
  /** Real commands, ready to be typed. */
  examples: readonly string[];
  args: A;
  /** What help adds: how the verb behaves where a guess could be wrong. */
  notes?: string;
  /** The text that `--edit` begins with; without it, an empty one. */
  editing?(input: InputOf<A>, context: Context): Promise<string>;
  run(input: InputOf<A>, context: Context): Promise<Answer>;
}

/** A verb, as the router runs it. */
export interface Verb extends Omit<VerbDefinition<Args>, "editing" | "run"> {
  readonly kind: "verb";
  // oxlint-disable-next-line no-explicit-any
  editing?(input: any, context: Context): Promise<string>;
  // oxlint-disable-next-line no-explicit-any
  run(input: any, context: Context): Promise<Answer>;
}

/** Defines a verb; its file's default export. */
export const defineVerb = <const A extends Args>(definition: VerbDefinition<A>): Verb => ({
  kind: "verb",
  ...definition,
});

/** What a near synonym stands for: every surface has its own word for each act that it knows. */
export type Act = keyof typeof ACTS;

/** The near synonyms of the one grammar, so that a guess works. */
export const ACTS = {
  create: ["add", "new", "create", "write", "open", "send", "push"],
  finish: ["done", "ack", "complete", "finish", "close"],
  begin: ["start", "begin", "accept", "take", "claim"],
  refuse: ["abandon", "drop", "decline", "reject", "cancel"],
  putBack: ["release", "requeue", "return", "stop"],
} as const;

/** A group of commands: the root or a surface. citty's command with subcommands, loaded when they are asked for. */
export interface Group extends CommandDef {
  readonly kind: "group";
  readonly name: string;
  readonly about: string;
  readonly commands: Readonly<Record<string, () => Promise<{ default: Verb | Group }>>>;
  readonly acts: Partial<Record<Act, string>>;
}

/** What makes a group of commands. */
export interface GroupDefinition {
  name: string;
  about: string;
  /** The canonical words and where each one's file is. */
  commands: Group["commands"];
  /** The canonical verb of each act. */
  acts?: Group["acts"];
}

/** Defines a group; the default export of a surface's index. */
export const defineGroup = ({ name, about, commands, acts = {} }: GroupDefinition): Group => ({
  ...defineCommand({ meta: { name, description: about } }),
  kind: "group",
  name,
  about,
  commands,
  acts,
});

/** The canonical command that a word means in a group: itself, or what it is a near synonym of. */
export function canonical(group: Group, given: string): string | undefined {
  if (Object.hasOwn(group.commands, given)) return given;
  for (const [act, verb] of Object.entries(group.acts)) {
    if ((ACTS[act as Act] as readonly string[]).includes(given)) return verb;
  }
  return undefined;
}

/** The flag's name as it is typed: `ifVersion` is `--if-version`. */
export const flagName = (key: string) =>
  key.toLowerCase() === key ? key : key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** The other names of a flag, without their dashes. */
export const aliasesOf = (arg: Arg): readonly string[] =>
  "alias" in arg && arg.alias ? [arg.alias].flat() : [];

/** Another name of a flag as it is typed: `-m`, `--note`. */
export const dashed = (alias: string) => `${alias.length === 1 ? "-" : "--"}${alias}`;

/** The key of the flag that is typed so, such as `ifVersion` of `--if-version`; "" where it can be none. */
export function keyOf(name: string): string {
  if (!name.startsWith("--") || name !== name.toLowerCase()) return "";
  if (!name.includes("-", 2)) return name.slice(2);
  const [first, ...rest] = name.slice(2).split("-");
  if (rest.includes("")) return "";
  return [first, ...rest.map((part) => part.charAt(0).toUpperCase() + part.slice(1))].join("");
}
