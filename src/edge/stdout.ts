import { CoopError } from "../errors";

/**
 * What it means that stdout could not be written; undefined for a reader that closed the pipe: it has had what it wanted.
 */
export function stdoutError(thrown: unknown): CoopError | undefined {
  const { code } = thrown as { code?: string };
  if (code === "EPIPE") return undefined;
  return new CoopError("unavailable", `standard output could not be written (${code})`, {
    reason: code === "ENOSPC" ? "full" : "access",
    hint: "send it elsewhere",
    cause: thrown,
  });
}
