/** strace by its path, which can end a process, or fail it, at an exact call to the system; only Linux has it. */
const STRACE = process.platform === "linux" ? Bun.which("strace") : null;
// Without it much would be left out, and nobody would see that.
if (process.platform === "linux" && STRACE === null)
  throw new Error("there is no strace on PATH, which these tests need: install it");

/** Whether that can be done here. */
export const canTamper = STRACE !== null;

/** The calls that change files, of which one is to go wrong. */
export const CALLS = ["pwrite64", "fsync", "ftruncate", "unlink", "rename"] as const;

export type Call = (typeof CALLS)[number];

/**
 * What to run a process by, so that its `nth` call is met with a signal or an error: `signal=KILL`, `error=EIO`.
 * undefined where that cannot be done.
 */
export const tampering = (
  call: Call,
  nth: number | `${number}+`,
  what: string,
): readonly string[] | undefined =>
  STRACE === null
    ? undefined
    : `${STRACE} -f -qq -o /dev/null -e trace=${call} -e inject=${call}:${what}:when=${nth}`.split(
        " ",
      );

/** What to run a process by, so that these calls of it are written to a file, each with the files that it is about. */
export function tracing(calls: readonly string[], file: string): string[] {
  if (STRACE === null) throw new Error("calls to the system are only looked at on Linux");
  return [STRACE, ..."-f -y -qq -s 0".split(" "), "-o", file, "-e", `trace=${calls.join(",")}`];
}
