import { CoopError, type UnavailableReason, unavailable } from "../../errors";
import { RESTORE_IT, WAIT_LONGER } from "../sql";
import type { Wait } from "../wait";
import type { Server } from "./server";

/** What the driver threw, also of a CoopError that was made from it. */
const causeOf = (thrown: unknown): unknown =>
  thrown instanceof CoopError ? thrown.details.cause : thrown;

/** The SQLSTATE of an error that the server itself reported, else "" (`57P01`, `53300`, …). */
export function stateOf(thrown: unknown): string {
  const error = causeOf(thrown);
  const errno = error instanceof Error && "errno" in error ? String(error.errno) : "";
  return /^[\dA-Z]{5}$/.test(errno) ? errno : "";
}

function codeOf(thrown: unknown): string {
  const error = causeOf(thrown);
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

/** The transaction was undone because of others that ran beside it: it succeeds when it is tried again. */
export const isUndoneByOthers = (thrown: unknown) => /^(40001|40P01)$/.test(stateOf(thrown));

/** The server takes no connection now, but may soon: it is starting, or all are in use. */
export const isNotYet = (thrown: unknown) => /^(57P03|53300)$/.test(stateOf(thrown));

/** The server does not speak TLS. */
export const isWithoutTls = (thrown: unknown) =>
  codeOf(thrown) === "ERR_POSTGRES_TLS_NOT_AVAILABLE";

/** The server refuses the user, by what its rules say of the way that the connection comes. */
export const isRefused = (thrown: unknown) => stateOf(thrown) === "28000";

/** The connection was lost, so that nobody knows what became of the statement that was under way. */
export const isLost = (thrown: unknown) =>
  causeOf(thrown) instanceof Lost ||
  /^(08...|57P0[1235]|25P0[34])$/.test(stateOf(thrown)) ||
  (stateOf(thrown) === "" && codeOf(thrown).startsWith("ERR_POSTGRES_"));

/**
 * Whether an error in answer to a commit says that it was undone for certain. One that ends the session or the server can
 * come after the commit is in the log.
 */
export function isUndone(thrown: unknown): boolean {
  const error = causeOf(thrown);
  // In the server's language, so that only what is known to undo goes by its state.
  const severity = error instanceof Error && "severity" in error ? error.severity : undefined;
  return severity === "ERROR" || /^(23|40|42|P0)/.test(stateOf(thrown));
}

/** The server answered nothing for so long that it is given up. */
export class Lost extends Error {}

interface Meaning {
  reason: UnavailableReason;
  says: string;
  hint: string;
}

const CONNECTION = "connection" as const;

/** What to do where the server lets nobody write, and where it does not let this user. */
export const HINTS = {
  read_only: "name the server that is written to, not a replica; or ask the person",
  access: "ask the person to grant it",
} as const;

/** SQLSTATEs (https://www.postgresql.org/docs/current/errcodes-appendix.html) and what each means to a user. */
const MEANINGS: readonly [RegExp, Meaning][] = [
  [
    /^28/,
    {
      reason: CONNECTION,
      says: "refused the user or the password",
      hint: "check the user in the URL, PGPASSWORD and ~/.pgpass (mode 0600)",
    },
  ],
  [
    /^3D000$/,
    {
      reason: CONNECTION,
      says: "has no such database",
      hint: "check the name after the last / of the URL; ask the person",
    },
  ],
  [/^57P03$/, { reason: CONNECTION, says: "is starting or stopping", hint: "try again" }],
  [
    /^55000$/,
    {
      reason: CONNECTION,
      says: "is in a database that takes no connections",
      hint: "ask the person",
    },
  ],
  [
    /^25006$/,
    {
      reason: "read_only",
      says: "may only be read there",
      hint: HINTS.read_only,
    },
  ],
  [
    /^53100$/,
    {
      reason: "full",
      says: "could not grow: the server's disk is full",
      hint: "free some space there and repeat; nothing was written",
    },
  ],
  [
    /^42501$/,
    {
      reason: "access",
      says: "may not be read or written by this user",
      hint: HINTS.access,
    },
  ],
  [
    // The files of the server; a table or a column that is not there; what makes a key unique.
    /^(XX00[12]|58\w{3}|42P01|42703|42P10)$/,
    {
      reason: "damaged",
      says: "is damaged",
      hint: RESTORE_IT,
    },
  ],
];

/** What others are in the way of, and whether that lasted for all of `--wait`. */
const BUSY: readonly [RegExp, string, "within"?][] = [
  [/^55P03$/, "is locked by another command: no turn", "within"],
  [/^57014$/, "did not answer in time: the server ended the statement"],
  [/^(40001|40P01)$/, "gave other commands way"],
  [/^53300$/, "has too many connections: no turn", "within"],
  [/^53/, "has no memory or place for another command"],
];

/** Errors of the driver that no server reported, by the beginning of their code. */
const DRIVER: readonly [RegExp, Omit<Meaning, "reason">][] = [
  [
    /^ERR_POSTGRES_TLS/,
    { says: "does not speak TLS", hint: "ask the person; sslmode=disable sends all in the clear" },
  ],
  [
    /^(ERR_TLS|ERR_SSL|UNABLE_TO|CERT_|SELF_SIGNED|DEPTH_ZERO|ERR_OSSL)/,
    {
      says: "has a certificate that is not trusted",
      hint: "name the authority's with sslrootcert, and the host as the certificate does",
    },
  ],
  [
    /^ERR_BORINGSSL/,
    {
      says: "cannot be asked: the certificate and the key of this client do not fit",
      hint: "check sslcert and sslkey",
    },
  ],
  [
    /^ERR_POSTGRES_CONNECTION_(REFUSED|TIMEOUT|FAILED)/,
    {
      says: "cannot be reached: the host is unknown, down or refuses",
      hint: "is the server running, and host and port right? ask the person",
    },
  ],
  [
    /^ERR_POSTGRES_(UNSUPPORTED_AUTH|UNKNOWN_AUTH|PASSWORD_REQUIRED|SASL|INVALID_SERVER|AUTH)/,
    {
      says: "asks for a password, and none fits",
      hint: "set PGPASSWORD, or keep it in ~/.pgpass (mode 0600)",
    },
  ],
];

/** An error met while connecting, as the CoopError a user should see. Shows no password. */
export function connectError(thrown: unknown, server: Server, wait: Wait): unknown {
  const known = DRIVER.some(([pattern]) => pattern.test(codeOf(thrown)));
  if (stateOf(thrown) !== "" || known || !isLost(thrown))
    return postgresError(thrown, server, wait);
  const refused = Object.assign(new Lost("not connected"), {
    code: "ERR_POSTGRES_CONNECTION_FAILED",
    cause: thrown,
  });
  return postgresError(refused, server, wait);
}

/** Whether some rows would be left out, where all are to be seen; in the server's language but for the routine's name. */
const isHidden = (error: Error) =>
  stateOf(error) === "42501" && "routine" in error && error.routine === "check_enable_rls";

/** Any error met while using a PostgreSQL store, as the CoopError a user should see. Shows no password. */
export function postgresError(thrown: unknown, server: Server, wait: Wait): unknown {
  if (thrown instanceof CoopError) return thrown;
  const [state, code] = [stateOf(thrown), codeOf(thrown)];
  if (thrown instanceof Error && isHidden(thrown))
    return unavailable(
      "access",
      `the store ${server.name} hides rows from this user (${state})`,
      "nothing was changed or copied: row-level security is on; do it as the tables' owner, or ask the person",
      thrown,
    );
  const says = (what: string) => `the store ${server.name} ${what}${state && ` (${state})`}`;
  const busy = BUSY.find(([pattern]) => pattern.test(state));
  const meaning = MEANINGS.find(([pattern]) => pattern.test(state))?.[1];
  if (busy && !meaning) {
    const [, what, within] = busy;
    return new CoopError("busy", says(within ? `${what} within ${wait.seconds} s` : what), {
      hint: within ? WAIT_LONGER : "try again",
      cause: thrown,
    });
  }
  if (meaning) {
    const { reason, says: what, hint } = meaning;
    return unavailable(reason, says(what), hint, thrown);
  }
  const driver = state === "" ? DRIVER.find(([pattern]) => pattern.test(code))?.[1] : undefined;
  if (driver) return unavailable(CONNECTION, says(driver.says), driver.hint, thrown);
  const said = thrown instanceof Error ? withoutPassword(thrown.message, server) : "";
  // Poolers say nearly everything so.
  if (state === "08P01")
    return unavailable(
      CONNECTION,
      says(`was refused on the way there: ${said}`),
      "ask the person; a pooler must work by session or transaction, and let search_path through",
      thrown,
    );
  // A function of the database's own, such as a trigger's: coop has none.
  if (state.startsWith("P0"))
    return unavailable(
      "access",
      says(`refused this: ${said}`),
      "this is a rule of the database's own: ask the person",
      thrown,
    );
  if (isLost(thrown))
    return unavailable(
      CONNECTION,
      says("was lost: the connection broke, or was too slow"),
      "try again; nothing was written",
      thrown,
    );
  if (state === "") return thrown;
  return new CoopError("failed", `a defect in coop: PostgreSQL said ${state}: ${said}`, {
    hint: "please report it with the command that met it",
    cause: thrown,
  });
}

const withoutPassword = (message: string, { password }: Server) =>
  password ? message.replaceAll(password, "…") : message;
