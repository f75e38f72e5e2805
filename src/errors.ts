/** Every way a command can end, and the exit code that says so. The one table of both. */
export const EXITS = {
  ok: 0,
  failed: 1,
  usage: 2,
  not_found: 3,
  conflict: 4,
  empty: 5,
  unavailable: 6,
  busy: 7,
  unknown: 8,
} as const;

export type ErrorCode = Exclude<keyof typeof EXITS, "ok">;

export type ConflictReason = "state" | "claimed" | "version" | "key" | "slug" | "cycle" | "moved";

export type UnavailableReason =
  "no_store" | "foreign" | "newer" | "damaged" | "read_only" | "full" | "access" | "connection";

/** What a record is now, for the loser of a conflict: who moved it last, when (RFC 3339), to what. */
export interface Current {
  state: string;
  by: string;
  at: string;
  version: number;
}

export interface ErrorDetails {
  reason?: ConflictReason | UnavailableReason;
  /** What to do about it, in a few words. */
  hint?: string;
  ref?: string;
  current?: Current;
  cause?: unknown;
}

/** An error a user can meet: one line that says what is wrong, and `hint`, what to do. */
export class CoopError extends Error {
  override readonly name = "CoopError";
  readonly details: ErrorDetails;

  constructor(
    readonly code: ErrorCode,
    message: string,
    details: ErrorDetails = {},
  ) {
    super(shortened(withoutPasswords(message)), { cause: details.cause });
    const { hint } = details;
    this.details = hint === undefined ? details : { ...details, hint: shortened(hint) };
  }

  get exit(): number {
    return EXITS[this.code];
  }
}

/** Text without the passwords of URLs in it: a mistyped command is told of in its own words. */
const withoutPasswords = (text: string) =>
  !text.includes("://") && !text.includes("=")
    ? text
    : text
        .replace(/\b([a-z][a-z\d+.-]*:\/\/[^\s:/@]*):[^\s@]*@/gi, "$1:…@")
        .replace(/([?&]password=)[^\s&'"`]+/gi, "$1…");

/** Text without most of its middle where that is long: what was typed can be a whole document. */
const shortened = (text: string) =>
  text.length <= LONGEST_TOLD
    ? text
    : `${text.slice(0, ENDS_TOLD).toWellFormed()} … (${text.length - 2 * ENDS_TOLD} more) … ${text.slice(-ENDS_TOLD).toWellFormed()}`;

const LONGEST_TOLD = 1000;
const ENDS_TOLD = 300;

/** A wrong flag, value, word or ref: exit 2. */
export const usage = (message: string, hint?: string) =>
  new CoopError("usage", message, hint === undefined ? {} : { hint });

/** Any thrown value as a CoopError; what is not one already is a defect of coop (exit 1). */
export function asCoopError(thrown: unknown): CoopError {
  if (thrown instanceof CoopError) return thrown;
  const message = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  return new CoopError("failed", `a defect in coop: ${message}`, {
    hint: "please report it with the command that met it",
    cause: thrown,
  });
}
