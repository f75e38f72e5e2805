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

/** How a command can fail. */
export type ErrorCode = Exclude<keyof typeof EXITS, "ok">;

/** The reasons of the codes that have some. */
export const REASONS = {
  conflict: ["state", "claimed", "version", "key", "slug", "cycle", "moved"],
  unavailable: [
    "no_store",
    "foreign",
    "newer",
    "damaged",
    "read_only",
    "full",
    "access",
    "connection",
  ],
} as const;

/** What a conflict is about. */
export type ConflictReason = (typeof REASONS.conflict)[number];
/** Why a store cannot be used. */
export type UnavailableReason = (typeof REASONS.unavailable)[number];

/** What a record is now, for the loser of a conflict: who moved it last, when (RFC 3339), to what. */
export interface Current {
  state: string;
  by: string;
  at: string;
  version: number;
}

/** What an error says beside its message. */
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

  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly details: ErrorDetails = {},
  ) {
    super(message, { cause: details.cause });
  }

  get exit(): number {
    return EXITS[this.code];
  }
}

/** A wrong flag, value, word or ref: exit 2. */
export const usage = (message: string, hint?: string) =>
  new CoopError("usage", message, hint === undefined ? {} : { hint });

/** A store, a file or a folder that cannot be used as it is: exit 6. */
export const unavailable = (
  reason: UnavailableReason,
  message: string,
  hint: string,
  cause?: unknown,
) => new CoopError("unavailable", message, { reason, hint, cause });

/** An error's or a warning's text as it may be printed: it can hold what was typed, and that a password. */
export function withoutPasswords(text: string): string {
  // Nearly no text has one, and to make a pattern takes longer than to look.
  const urls = text.includes("@") ? withoutThoseOfUrls(text) : text;
  if (!urls.toLowerCase().includes("password")) return urls;
  return urls.replace(/(password\s*=\s*)(?:'(?:[^'\\]|\\.)*'|[^\s&]*[^\s&'"`,;:.)])/gi, "$1…");
}

/**
 * In a URL, also a mistyped one: from the colon behind a user, but for that of a port, to the last @ before a quote, or
 * of the word where the password has quotes. In an absolute path, such as was made of a URL without its scheme: in one
 * word. What is bounded would else take the square of the time for a long text.
 */
function withoutThoseOfUrls(text: string): string {
  const end = text.lastIndexOf("@") + 1;
  const start = text
    .slice(0, end)
    .replace(
      /((?::[/\\]+|(?<![/\\])[/\\]{2,}|\bpostgres(?:ql)?[:/\\]+)[^\s:/\\@[]*):(?!\d{1,5}(?![^\s/?',;:.)])(?!\S{0,300}@))(?=\S)(?:[^']*@(?:\S*@)?|\S*@|[^]*?@)/gi,
      "$1:…@",
    )
    .replace(/((?<![^\s'"`])(?:[a-z]:)?[/\\][^\s:@]*):[^\s/\\]\S{0,300}@/gi, "$1:…@");
  return start + text.slice(end);
}

/** An error as it may be printed: what was typed can hold a password, or be a whole document. */
export function printable({ code, message, details }: CoopError): CoopError {
  const { hint } = details;
  return new CoopError(code, shortened(withoutPasswords(message)), {
    ...details,
    ...(hint !== undefined && { hint: shortened(withoutPasswords(hint)) }),
  });
}

/** Text without most of its middle where that is long. */
const shortened = (text: string) =>
  text.length <= LONGEST_TOLD
    ? text
    : `${text.slice(0, ENDS_TOLD).toWellFormed()} … (${text.length - 2 * ENDS_TOLD} more) … ${text.slice(-ENDS_TOLD).toWellFormed()}`;

/** In UTF-16 units. */
const LONGEST_TOLD = 1000;
const ENDS_TOLD = 300;

/** Any thrown value as a CoopError; what is not one already is a defect of coop (exit 1). */
export function asCoopError(thrown: unknown): CoopError {
  if (thrown instanceof CoopError) return thrown;
  const message = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  return new CoopError("failed", `a defect in coop: ${message}`, {
    hint: "please report it with the command that met it",
    cause: thrown,
  });
}
