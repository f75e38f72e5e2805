import { CoopError, unavailable } from "../errors";

/**
 * What it means that stdout could not be written; undefined for a reader that closed the pipe: it has had what it wanted.
 */
export function stdoutError(thrown: unknown): CoopError | undefined {
  const { code } = thrown as { code?: string };
  if (code === "EPIPE") return undefined;
  return unavailable(
    code === "ENOSPC" ? "full" : "access",
    `standard output could not be written (${code})`,
    "send it elsewhere",
    thrown,
  );
}
