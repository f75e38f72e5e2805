import { isPrintableAscii } from "../ascii";
import type { Count } from "../store/listing";
import { age } from "../time";

/** What text is written for: the moment and the place it is read at. */
export interface View {
  /** Milliseconds since 1970. */
  now: number;
  /** The current scope: records of others name theirs. */
  scope: string;
  /** The speaker. */
  me: string | undefined;
  /** What named the store, where that was a flag: commands that are told need it too. */
  storeFlag?: string | undefined;
}

/**
 * Characters that could hide or rearrange text or drive a terminal: controls, separators of lines, lone surrogates,
 * and what is drawn as nothing (zero-width, bidirectional, fillers, tags); but not the selectors that make a sign an
 * emoji, which ordinary text is full of, behind such a sign.
 */
const TRICKY =
  // oxlint-disable-next-line no-misleading-character-class
  /[[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]--[\t\n\ufe0e\ufe0f]]|(?<![\p{Extended_Pictographic}#*0-9])[\ufe0e\ufe0f]/gv;

const escape = (character: string) => `\\u{${character.codePointAt(0)!.toString(16)}}`;

/** Text of several lines with every tricky character made visible as `\u{…}`. */
export const visible = (text: string) =>
  isPrintableAscii(text) ? text : text.replace(TRICKY, escape);

/** Text that must stay on one line: also tabs and newlines are made visible. */
export const inline = (text: string) =>
  isPrintableAscii(text)
    ? text
    : visible(text).replace(/[\t\n]/g, (character) => (character === "\n" ? "\\n" : "\\t"));

/** A body between fences longer than any run of backticks in it, so that it cannot pass for coop's own words. */
export function fenced(text: string): string {
  let longest = 2;
  for (const [run] of text.matchAll(/`+/g)) longest = Math.max(longest, run.length);
  const fence = "`".repeat(longest + 1);
  const shown = visible(text);
  return `${fence}\n${shown}${shown.endsWith("\n") ? "" : "\n"}${fence}`;
}

/** How many, `10000+` where counting stopped. */
export const countText = ({ count, exact }: Count) => (exact ? String(count) : `${count}+`);

/** How long ago a record's time was. */
export const ago = (view: View, time: string) => age(view.now - Date.parse(time));

/** How old a record is, and where it was changed a while after it was made how long ago: `6d, changed 2h`. */
export function ages(view: View, record: { created_at: string; updated_at: string }): string {
  const made = ago(view, record.created_at);
  const changed = ago(view, record.updated_at);
  const since = Date.parse(record.updated_at) - Date.parse(record.created_at);
  return since < A_WHILE_MS || made === changed ? made : `${made}, changed ${changed}`;
}

const A_WHILE_MS = 60_000;

/** A number of things: `1 entry`, `2 entries`; any number of them that is not one may be text, such as `10000+`. */
export function counted(count: number | string, noun: string): string {
  const one = Number(count) === 1;
  return `${count} ${one ? noun : noun.endsWith("y") ? `${noun.slice(0, -1)}ies` : `${noun}s`}`;
}

/** The record's scope, where it is not the current one. */
export const scopeTag = (view: View, record: { scope: string }) =>
  record.scope === view.scope ? undefined : `[${inline(record.scope)}]`;

const TITLE_LENGTH = 100;

/** What a list calls a record: its title, else the beginning of its text. What is cut ends with `…`. */
export function heading(title: string, text: string): string {
  const whole = (title === "" ? text : title).trimStart();
  const end = whole.indexOf("\n");
  const line = end < 0 ? whole : whole.slice(0, end);
  const start = line.length <= TITLE_LENGTH ? line : firstCharacters(line, TITLE_LENGTH);
  const cut = start.length < line.length || line.length < whole.trimEnd().length;
  return inline(cut ? `${start}…` : start);
}

/** The first characters of a text, each of which is one or two units of it. */
function firstCharacters(text: string, count: number): string {
  if (isPrintableAscii(text)) return text.slice(0, count);
  const units = text.slice(0, 2 * count);
  return [...units].slice(0, count).join("");
}

/** What a record is called where all of it is shown: its whole title, else the beginning of its text. */
export const fullHeading = (title: string, text: string) =>
  title === "" ? heading(title, text) : inline(title);

/** What is told of a record and then what it is called, apart by a colon: a title can look like all that is told. */
export const titled = (told: string, called: string) =>
  called === "" ? told : `${told}: ${called}`;

type Part = string | undefined | false;

/** The parts of a line that are there, with a space between. */
export const line = (...parts: readonly Part[]) => joined(parts, " ");

/** The lines that are there; many at once as an array, since a call takes only so many arguments. */
export const lines = (...parts: readonly (Part | readonly Part[])[]): string => joined(parts, "\n");

function joined(parts: readonly (Part | readonly Part[])[], separator: string): string {
  let text = "";
  for (const part of parts) {
    const own = typeof part === "object" ? joined(part, separator) : part;
    if (own) text += text === "" ? own : separator + own;
  }
  return text;
}
