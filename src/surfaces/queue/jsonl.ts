import * as v from "valibot";
import { usage } from "../../errors";
import { slip } from "../../nearest";
import { DEFAULT_PRIORITY, isPlainText, key, longText, oneId, PRIORITIES } from "../../words";
import type { Line } from "./store";

/** What each member of a line must be; all but the payload may be left out. */
const MEMBERS = {
  payload: longText,
  to: v.pipe(v.string("must be a string"), oneId),
  priority: v.pipe(
    v.number("must be a number"),
    v.check((value) => PRIORITIES.some((each) => each === value), "is a whole number from 0 to 4"),
  ),
  key: v.pipe(v.string("must be a string"), key),
} as const;

/**
 * The items of a text with one JSON object a line; blank lines are passed over. A payload that is no string is kept
 * as exactly the characters that it is written in, so no number loses digits.
 * @param resolveId gives the id that an addressee stands for.
 * @throws CoopError usage, naming the first bad line.
 */
export function parseLines(text: string, resolveId: (id: string) => string): Line[] {
  const keys = new Map<string, number>();
  const lines: Line[] = [];
  let line = 0;
  for (const content of (text.startsWith("\ufeff") ? text.slice(1) : text).split("\n")) {
    line++;
    const parsed = parseBare(content, line) ?? parseLine(content, line, resolveId);
    if (parsed === undefined) continue;
    lines.push(parsed);
    if (parsed.key === undefined) continue;
    const earlier = keys.get(parsed.key);
    if (earlier !== undefined)
      throw badLine(line, `the key '${parsed.key}' is that of line ${earlier} too`);
    keys.set(parsed.key, line);
  }
  return lines;
}

const BARE = '{"payload":';

/** To take a line for bare that has more costs a throw; this sees nearly all that have, and some that have not. */
const mayHaveMore = (content: string) =>
  content.includes('"to"') || content.includes('"priority"') || content.includes('"key"');

/**
 * A line that is nothing but a payload, as most are; undefined for any other. What stands between such a line's ends is
 * JSON by itself only where the line has no other member: that is seen without taking the line apart.
 */
function parseBare(content: string, line: number): Line | undefined {
  if (!content.startsWith(BARE) || !content.endsWith("}") || mayHaveMore(content)) return undefined;
  const written = content.slice(BARE.length, -1);
  let payload: unknown;
  try {
    payload = JSON.parse(written);
  } catch {
    return undefined;
  }
  // JSON as it is, it has nothing around it but what JSON calls space.
  return lineOf(line, payload, written.trim());
}

/** A line as it is pushed; `others` are its members beside the payload, checked. */
const lineOf = (
  line: number,
  payload: unknown,
  written: string,
  others: Partial<Pick<Line, "to" | "priority" | "key">> = {},
): Line => ({
  line,
  payload: checked("payload", typeof payload === "string" ? payload : written, line),
  payloadType: typeof payload === "string" ? "text" : "json",
  to: others.to,
  priority: others.priority ?? DEFAULT_PRIORITY,
  key: others.key,
});

/** Any line; undefined for a blank one. */
function parseLine(
  content: string,
  line: number,
  resolveId: (id: string) => string,
): Line | undefined {
  let value: unknown;
  if (content === "" || content === "\r") return undefined;
  try {
    value = JSON.parse(content);
  } catch {
    if (/^[ \t\r]*$/.test(content)) return undefined;
    throw badLine(line, "this is not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw badLine(line, `this is not an object, such as {"payload":"…"}`);
  const written = writtenMembers(value, content, line);
  for (const name in value) requireMember(name, line);
  const { payload, to, priority, key: given } = value as Record<string, unknown>;
  if (payload === undefined) throw badLine(line, "the payload is missing");
  const text = typeof payload === "string" ? "" : written("payload");
  return lineOf(line, payload, text, {
    // As coop itself says that an item is for anyone.
    to: to === undefined || to === null ? undefined : resolveId(checked("to", to, line)),
    priority: priority === undefined ? undefined : checked("priority", priority, line),
    key: given === undefined ? undefined : checked("key", given, line),
  });
}

function checked<K extends keyof typeof MEMBERS>(
  name: K,
  given: unknown,
  line: number,
): v.InferOutput<(typeof MEMBERS)[K]> {
  // What is surely right needs no schema, which costs more than all else of a line.
  if (name === "payload" && isPlainText(given)) return given as v.InferOutput<(typeof MEMBERS)[K]>;
  const result = v.safeParse(MEMBERS[name], given, { abortEarly: true });
  if (result.success) return result.output;
  throw badLine(line, `${name}: ${result.issues[0].message}`);
}

/**
 * Gives the members of a line as the characters that they are written in.
 * @throws CoopError usage, for a member that is given twice.
 */
function writtenMembers(value: object, content: string, line: number): (name: string) => string {
  // A line that is written as it would be anew gives no member twice, which parsing hides.
  if (isAsWrittenAnew(value, content))
    return (name) => JSON.stringify((value as Record<string, unknown>)[name]);
  const written = new Map<string, string>();
  for (const [name, text] of membersOf(content)) {
    if (written.has(name)) throw badLine(line, `${name} is given twice`);
    written.set(name, text);
  }
  return (name) => written.get(name)!;
}

function isAsWrittenAnew(value: unknown, content: string): boolean {
  try {
    return JSON.stringify(value) === content;
  } catch {
    // What is nested too deep can be parsed, but not written.
    return false;
  }
}

function requireMember(name: string, line: number): void {
  if (Object.hasOwn(MEMBERS, name)) return;
  const known = Object.keys(MEMBERS);
  const guess = slip(name, known);
  const meant = guess === undefined ? "" : `did you mean ${guess}? `;
  throw badLine(line, `there is no '${name}'; ${meant}one of ${known.join(", ")}`);
}

const badLine = (line: number, says: string) =>
  usage(`line ${line}: ${says}`, "nothing was pushed");

/** The members of a JSON object in the order that they are written, each value as the characters it is written in. */
function* membersOf(json: string): Generator<[name: string, value: string]> {
  for (let at = afterSpace(json, json.indexOf("{") + 1); json[at] === '"';) {
    const nameEnd = endOfString(json, at);
    const name: string = JSON.parse(json.slice(at, nameEnd));
    const start = afterSpace(json, json.indexOf(":", nameEnd) + 1);
    const end = endOfValue(json, start);
    yield [name, json.slice(start, end)];
    // Past the comma; at the closing brace the loop ends.
    at = afterSpace(json, afterSpace(json, end) + 1);
  }
}

const SPACE = " \t\r\n";

function afterSpace(json: string, from: number): number {
  let at = from;
  while (at < json.length && SPACE.includes(json[at]!)) at++;
  return at;
}

/** Where a string that begins at a quote ends, past its closing quote. */
function endOfString(json: string, quote: number): number {
  let at = quote + 1;
  while (json[at] !== '"') at += json[at] === "\\" ? 2 : 1;
  return at + 1;
}

/** Where a value ends: where, outside of strings and brackets, a comma, a brace or space follows. */
function endOfValue(json: string, start: number): number {
  let depth = 0;
  let at = start;
  while (depth > 0 || !`,}${SPACE}`.includes(json[at]!)) {
    const character = json[at]!;
    if (character === '"') {
      at = endOfString(json, at);
      continue;
    }
    if (character === "{" || character === "[") depth++;
    if (character === "}" || character === "]") depth--;
    at++;
  }
  return at;
}
