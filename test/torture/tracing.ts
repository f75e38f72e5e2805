/** strace by its path, which can end a process, or fail it, at an exact call to the system; not on every machine. */
const STRACE = process.platform === "linux" ? Bun.which("strace") : null;

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
