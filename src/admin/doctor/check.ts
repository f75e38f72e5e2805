import { CoopError, printable } from "../../errors";

/** One thing that was looked at. */
export interface Check {
  name: string;
  status: "ok" | "warn" | "fail";
  message: string;
  /** What to do about it; null where nothing is. */
  fix: string | null;
}

/** What a check found, before it is known what was checked. */
export type Finding = Omit<Check, "name">;

/** What is as it should be. */
export const ok = (message: string): Finding => ({ status: "ok", message, fix: null });
/** What could become wrong, or may be looked at elsewhere, and what to do. */
export const warn = (message: string, fix: string): Finding => ({ status: "warn", message, fix });
/** What is wrong, and what to do. */
export const fail = (message: string, fix: string): Finding => ({ status: "fail", message, fix });

/**
 * What an error says, as a finding. That another command uses the store, or that this user may not look, is not wrong with
 * the store: a warning, and no failure.
 */
export function failed(thrown: unknown): Finding {
  if (!(thrown instanceof CoopError)) {
    const { code, path } = thrown as { code?: string; path?: string };
    if ((code === "EACCES" || code === "EPERM") && path !== undefined)
      return warn(
        `not looked at: ${path} may not be read here (${code})`,
        "run coop doctor where it may be",
      );
    // What the system says of a loop of links, or a folder in the place of a file.
    if (/^E[A-Z]+$/.test(code ?? ""))
      return fail(`not looked at: ${path ?? "it"} cannot be read (${code})`, "ask the person");
    return fail(String(thrown), "please report it");
  }
  const { code, message, details } = printable(thrown);
  return (code === "busy" ? warn : fail)(message, details.hint ?? "coop help exits");
}

/** Runs one check; whatever stops it is what it found. */
export async function check(name: string, look: () => Promise<Finding>): Promise<Check> {
  return { name, ...(await look().catch(failed)) };
}

/** The worst of several findings, with what all of that weight say. */
export function worst(findings: readonly Finding[], otherwise: Finding): Finding {
  for (const status of ["fail", "warn"] as const) {
    const found = findings.filter((each) => each.status === status);
    if (found.length > 0)
      return {
        status,
        message: found.map(({ message }) => message).join("; "),
        fix: [...new Set(found.map(({ fix }) => fix))].join("; "),
      };
  }
  return otherwise;
}
