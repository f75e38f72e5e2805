import { usage } from "./errors";

/** Every surface, in the order in which people meet them. */
export const SURFACES = ["letter", "request", "todo", "history", "queue"] as const;

/** What has records. */
export type Surface = (typeof SURFACES)[number];

/** What is numbered, each in a row of its own: the records of a surface, and the pushes to several. */
export type Numbered = Surface | "fan-out";

/** The letter that the refs of each begin with. */
export const SIGILS: Record<Numbered, string> = {
  letter: "L",
  request: "R",
  todo: "T",
  history: "H",
  queue: "Q",
  "fan-out": "F",
};

/** A ref of each, for help. */
export const EXAMPLES = "L12, R3, T45, H7, Q9 or F2";

/** A ref, taken apart. */
export interface Ref {
  surface: Numbered;
  number: number;
}

const REF = /^#?([a-z]?)0*([1-9]\d{0,14})$/i;

/** What is numbered under a letter, small or large; undefined where nothing is. */
function surfaceOf(letter: string): Numbered | undefined {
  const sigil = letter.toUpperCase();
  for (const surface in SIGILS)
    if (SIGILS[surface as Numbered] === sigil) return surface as Numbered;
  return undefined;
}

/** What a ref of each surface names, in people's words. */
export const NOUN: Record<Numbered, string> = {
  letter: "letter",
  request: "request",
  todo: "todo",
  history: "history entry",
  queue: "queue item",
  "fan-out": "push to several",
};

/** A record's short name, such as `L12`. */
export const ref = (surface: Numbered, number: number) => `${SIGILS[surface]}${number}`;

/** Whether a text would be read as a ref of any surface (`L12`, `t3`, `#4`, `17`). */
export function looksLikeRef(text: string): boolean {
  // Nearly no word ends with a digit, which is quicker to see.
  const last = text.charCodeAt(text.length - 1);
  if (!(last >= 0x30 && last <= 0x39)) return false;
  const match = REF.exec(text);
  return match !== null && (match[1] === "" || surfaceOf(match[1]!) !== undefined);
}

/** The surface and number of a full ref such as `T45`, or undefined when it is not one. */
export function parseRef(text: string): Ref | undefined {
  const match = REF.exec(text);
  const surface = match?.[1] ? surfaceOf(match[1]) : undefined;
  return match && surface ? { surface, number: Number(match[2]) } : undefined;
}

/**
 * The number of a ref given inside its surface: `12`, `t12`, `#12` and `T12` are all todo 12.
 * @throws CoopError usage, for anything else or a ref of another surface.
 */
export function refNumber(surface: Numbered, text: string): number {
  const match = REF.exec(text);
  const named = match && (match[1] === "" ? surface : surfaceOf(match[1]!));
  const number = Number(match?.[2]);
  if (named === surface) return number;
  if (named)
    throw usage(
      `${text} is a ${NOUN[named]}, not a ${NOUN[surface]}`,
      `coop show ${ref(named, number)}`,
    );
  throw usage(
    `'${text}' is not the ref of a ${NOUN[surface]}`,
    `a ${NOUN[surface]} is named like ${ref(surface, 12)}`,
  );
}
