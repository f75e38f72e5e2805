import { usage } from "./errors";

/** The surfaces and the letter each one's refs begin with; `fan-out` numbers the pushes to several. */
export const SIGILS = {
  letter: "L",
  request: "R",
  todo: "T",
  history: "H",
  queue: "Q",
  "fan-out": "F",
} as const;

export type Numbered = keyof typeof SIGILS;
export type Surface = Exclude<Numbered, "fan-out">;

export const SURFACES = ["letter", "request", "todo", "history", "queue"] as const;

export interface Ref {
  surface: Numbered;
  number: number;
}

const REF = /^#?([a-z]?)0*([1-9]\d{0,14})$/i;
const SURFACE_OF: Record<string, Numbered> = {
  L: "letter",
  R: "request",
  T: "todo",
  H: "history",
  Q: "queue",
  F: "fan-out",
};

/** What a ref of each surface names. */
const NOUN: Record<Numbered, string> = {
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
  return match !== null && (match[1] === "" || Object.hasOwn(SURFACE_OF, match[1]!.toUpperCase()));
}

/** The surface and number of a full ref such as `T45`, or undefined when it is not one. */
export function parseRef(text: string): Ref | undefined {
  const match = REF.exec(text);
  const surface = match?.[1] ? SURFACE_OF[match[1].toUpperCase()] : undefined;
  return match && surface ? { surface, number: Number(match[2]) } : undefined;
}

/**
 * The number of a ref given inside its surface: `12`, `t12`, `#12` and `T12` are all todo 12.
 * @throws CoopError usage, for anything else or a ref of another surface.
 */
export function refNumber(surface: Numbered, text: string): number {
  const example = ref(surface, 12);
  const match = REF.exec(text);
  if (!match)
    throw usage(
      `'${text}' is not the ref of a ${NOUN[surface]}`,
      `a ${NOUN[surface]} is named like ${example}`,
    );
  const sigil = match[1]!.toUpperCase();
  if (sigil !== "" && sigil !== SIGILS[surface]) {
    const other = SURFACE_OF[sigil];
    throw usage(
      other
        ? `${text} is a ${NOUN[other]}, not a ${NOUN[surface]}`
        : `'${text}' is not the ref of a ${NOUN[surface]}`,
      other
        ? `coop show ${ref(other, Number(match[2]))}`
        : `a ${NOUN[surface]} is named like ${example}`,
    );
  }
  return Number(match[2]);
}
