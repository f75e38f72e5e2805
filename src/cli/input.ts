import * as v from "valibot";
import { CoopError, usage } from "../errors";
import { slip } from "../nearest";
import { LONGEST } from "../words";
import { flagName, type Args, type Verb } from "./define";
import type { Given } from "./route";

/** Bytes as they are read. */
export type Chunks = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** Where long text comes from besides the command line. */
export interface TextSources {
  /** Standard input from where it stands, read only when `-` asks for it. */
  stdin(): Promise<Chunks>;
  /** A file's bytes; of one that is longer than `most`, enough to tell. */
  file(path: string, most: number): Promise<Chunks>;
  /** The process's arguments as bytes, where the system tells them. */
  rawArguments(): Promise<Uint8Array | undefined>;
}

/**
 * Puts the long texts that were given as `-` or as a file in their place, so that `given` holds text alone.
 * @throws CoopError usage, when a text is given twice, cannot be read, is too long or is no valid UTF-8.
 */
export async function resolveTexts(args: Args, given: Given, sources: TextSources): Promise<Given> {
  const resolved = { ...given };
  let stdinUsed = false;
  for (const [key, arg] of Object.entries(args)) {
    if (!arg.text) continue;
    const file = resolved[`${key}File`];
    delete resolved[`${key}File`];
    const edited = arg.text.edit && given["edit"] === true;
    const forms = Number(given[key] !== undefined) + Number(file !== undefined) + Number(edited);
    if (forms > 1) {
      const [text, byFile] = [`--${flagName(key)}`, `--${arg.text.file}`];
      throw usage(
        "the text is given twice",
        `use one of ${arg.text.edit ? `${text}, ${byFile} and --edit` : `${text} and ${byFile}`}`,
      );
    }
    const path = typeof file === "string" ? file : undefined;
    if (path === undefined && resolved[key] !== "-") continue;
    const fromStdin = path === undefined || path === "-";
    if (fromStdin && stdinUsed)
      throw usage("standard input is asked for twice", "give one of the texts as a file");
    stdinUsed ||= fromStdin;
    const name = fromStdin ? "standard input" : path!;
    const source = fromStdin ? sources.stdin() : sources.file(path, LONGEST.text);
    resolved[key] = await readText(name, source);
  }
  return resolved;
}

/** Reads all of what may be a long text; stops reading where it is longer than any may be. */
const readText = async (name: string, source: Promise<Chunks>) =>
  decode(name, await readBytes(name, source, LONGEST.text));

/**
 * Reads all of what may be many lines.
 * @param most in bytes.
 * @throws CoopError usage, naming the first line that is no valid UTF-8.
 */
export async function readLines(
  name: string,
  source: Promise<Chunks>,
  most: number,
): Promise<string> {
  const bytes = await readBytes(name, source, most);
  try {
    return decode(name, bytes);
  } catch {
    const line = firstUndecodable(bytes);
    throw usage(`line ${line}: this is not valid UTF-8`, "convert it first; nothing was written");
  }
}

/** The line of the first byte that is not UTF-8, counted from 1; there is one. */
function firstUndecodable(bytes: Uint8Array): number {
  let start = 0;
  for (let line = 1; ; line++) {
    const newline = bytes.indexOf(0x0a, start);
    try {
      decode("", bytes.subarray(start, newline < 0 ? undefined : newline));
    } catch {
      return line;
    }
    start = newline + 1;
  }
}

async function readBytes(name: string, source: Promise<Chunks>, most: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of await source) {
      size += chunk.length;
      if (size > most) break;
      chunks.push(chunk);
    }
  } catch (thrown) {
    throw usage(
      `cannot read ${name}: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
      "name a file that can be read, or - for standard input",
    );
  }
  if (size > most)
    throw usage(
      `${name} is longer than ${most / 1024 / 1024} MiB`,
      "shorten it, or store a path to it",
    );
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
}

/** @throws CoopError usage, for what is no valid UTF-8. */
export function decode(name: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw usage(
      `${name} is not valid UTF-8`,
      "coop keeps text byte for byte, so it must be valid; convert it first",
    );
  }
}

/**
 * Arguments arrive decoded, with U+FFFD for what was no UTF-8: look at the bytes before such a text is kept.
 * @throws CoopError usage.
 */
export async function requireValidArguments(given: Given, sources: TextSources): Promise<void> {
  if (!String(Object.values(given)).includes("\ufffd")) return;
  const bytes = await sources.rawArguments();
  if (bytes) decode("an argument", bytes);
  else
    throw usage(
      `an argument holds U+FFFD or is not valid UTF-8`,
      "give the text by standard input or as a file",
    );
}

/**
 * What the verb works with: every word and flag checked and turned into its value.
 * @throws CoopError usage, naming the flag or word that is wrong or missing.
 */
export function checkInput(
  verb: Verb,
  given: Given,
  path: readonly string[],
): Record<string, unknown> {
  for (const [key, arg] of Object.entries(verb.args)) {
    if (!arg.required || given[key] !== undefined || (arg.text?.edit && given["edit"])) continue;
    const name =
      arg.type === "positional" ? String(arg.valueHint) : `--${flagName(key)} ${arg.valueHint}`;
    throw usage(
      `\`coop ${path.join(" ")}\` needs ${name}: ${arg.description}`,
      `for example: ${verb.examples[0]}`,
    );
  }
  const input: Record<string, unknown> = {};
  for (const [key, arg] of Object.entries(verb.args)) {
    if (given[key] === undefined) continue;
    input[key] = check(
      arg.schema,
      given[key],
      arg.type === "positional" && !arg.alsoFlag ? String(arg.valueHint) : `--${flagName(key)}`,
    );
  }
  return input;
}

/** A value by its schema; what the schema throws is told of the flag or word, with its hint. */
function parsed<S extends v.GenericSchema>(schema: S, value: unknown, name: string) {
  try {
    return v.safeParse(schema, value, { abortEarly: true });
  } catch (thrown) {
    if (!(thrown instanceof CoopError)) throw thrown;
    throw usage(`${name}: ${thrown.message}`, thrown.details.hint);
  }
}

/** @throws CoopError usage, naming the flag or word. */
export function check<S extends v.GenericSchema>(
  schema: S,
  value: unknown,
  name: string,
): v.InferOutput<S> {
  const result = parsed(schema, value, name);
  if (result.success) return result.output;
  const [issue] = result.issues;
  if (issue.type !== "picklist") throw usage(`${name}: ${issue.message}`);
  const options = (issue.expected ?? "").match(/[^"()| ]+/g) ?? [];
  const given = String(issue.input);
  const meant = slip(given, options);
  throw usage(
    `${name}: there is no '${given}'`,
    `${meant ? `did you mean ${meant}? ` : ""}one of ${options.join(", ")}`,
  );
}
