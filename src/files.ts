import { CoopError } from "./errors";

/** What the file system refuses, and why. */
const REASONS = {
  EACCES: "access",
  EPERM: "access",
  EEXIST: "access",
  ENOTDIR: "access",
  ENOENT: "access",
  EISDIR: "access",
  ELOOP: "access",
  ENAMETOOLONG: "access",
  EMFILE: "access",
  ENFILE: "access",
  EIO: "access",
  EROFS: "read_only",
  ENOSPC: "full",
  EDQUOT: "full",
} as const;

/**
 * An error met while writing files into a folder, as the CoopError that a user should see; anything else as it is.
 * @param flag the flag that names another folder.
 */
export function asFolderError(thrown: unknown, folder: string, flag: string): unknown {
  const { code = "" } = thrown as { code?: string };
  if (!Object.hasOwn(REASONS, code)) return thrown;
  const reason = REASONS[code as keyof typeof REASONS];
  return new CoopError("unavailable", `cannot write into ${folder} (${code})`, {
    reason,
    hint:
      reason === "full"
        ? "free some space"
        : `check its permissions and the sandbox you run in, or name another with ${flag}`,
    cause: thrown,
  });
}
