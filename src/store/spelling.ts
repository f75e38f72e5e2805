/**
 * A text as programs write it: plainly, in JSON, in JSON of ASCII alone or that is safe in HTML, with slashes escaped or
 * without, and in JSON within JSON, with the line ends of either system, composed or not; the longest first. Of a long text
 * only the first few.
 */
export function commonSpellings(text: string): string[] {
  const texts = [text, ...composed(text)].flatMap((each) => {
    const lines = each.replaceAll("\r\n", "\n");
    return [each, lines, lines.replaceAll("\n", "\r\n")];
  });
  const forms = new Set(texts.flatMap(spellingsOf));
  return [...forms].sort((one, other) => other.length - one.length);
}

/** The forms of Unicode that a text can have. */
const composed = (text: string) => [text.normalize("NFC"), text.normalize("NFD")];

function spellingsOf(text: string): string[] {
  const plain = quoted(text);
  const few = [text, plain, ascii(plain), quoted(plain)];
  const more = [
    plain,
    ascii(plain),
    ascii(plain).replace(/\\u[\da-f]{4}/g, upperHex),
    plain.replace(/[<>&]/g, escape),
  ];
  const slashed = more.map((form) => form.replaceAll("/", "\\/"));
  const all = [...more, ...slashed].flatMap((form) => [form, quoted(form)]);
  return text.length > LONGEST_PATTERN ? few : [...few, ...all];
}

const ascii = (text: string) => text.replace(/[\u0080-\uffff]/g, escape);

const escape = (unit: string) => `\\u${hexOf(unit)}`;

const upperHex = (escaped: string) => `\\u${escaped.slice(2).toUpperCase()}`;

const hexOf = (unit: string) => unit.charCodeAt(0).toString(16).padStart(4, "0");

/** The longest text that is looked for in whatever form, in UTF-16 units. */
const LONGEST_PATTERN = 10_000;

/**
 * A pattern that finds a text however it is escaped in JSON, and in JSON within JSON up to three deep, where each level doubles the
 * backslashes, with whatever line ends, and composed or not. A run of them is one piece with the character after it, and their number is bounded: else there were many
 * ways to find the same, and to try them all takes for ever. Undefined for a text too long for a pattern.
 */
export function anySpelling(text: string): RegExp | undefined {
  if (text.length > LONGEST_PATTERN) return undefined;
  const texts = new Set([text, ...composed(text)].map((each) => each.replaceAll("\r\n", "\n")));
  const patterns = [...texts].map((each) =>
    (each.match(/\\*[^\\\n]|\\+(?=\n|$)|\n/g) ?? []).map(inAnyForm).join(""),
  );
  return new RegExp(patterns.join("|"), "g");
}

const SHORT: Record<string, string> = { "\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f" };

/** A backslash, also by its own escape. */
const BACKSLASH = "(?:\\\\(?:u005[cC])?)";

function inAnyForm(piece: string): string {
  const run = piece.match(/^\\*/)![0].length;
  const character = piece.slice(run);
  if (character === "")
    return `(?:${[8, 4, 2, 1].map((each) => `${BACKSLASH}{${each * run}}`).join("|")})`;
  const backslashes = (more: number, atMost: number) =>
    `${run === 0 ? "\\\\" : BACKSLASH}{${run + more},${8 * run + atMost}}`;
  const hex = hexOf(character).replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`);
  const short = SHORT[character];
  const escaped = `${backslashes(1, 4)}(?:u${hex}${short ? `|${short}` : ""})`;
  // What ends a line can be two.
  const before = character === "\n" ? `(?:${inAnyForm("\r")})?` : "";
  const quotes = character === '"' || character === "/" ? 7 : 0;
  return `${before}(?:${backslashes(0, quotes)}${RegExp.escape(character)}|${escaped})`;
}

/** A text as it stands between the quotation marks of JSON. */
export const quoted = (text: string) => JSON.stringify(text).slice(1, -1);
