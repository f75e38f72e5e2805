import { asCoopError, CoopError, EXITS, printable } from "../errors";
import type { Warning } from "../store/open";
import type { Edge } from "./context";
import type { Group } from "./define";
import { jsonError } from "./output";
import { route } from "./route";
import { inline } from "./text";

/** Runs one command line to its end and gives its exit code. Never throws. */
export async function program(root: Group, argv: readonly string[], edge: Edge): Promise<number> {
  const json = asksForJson(argv);
  const warnings: Warning[] = [];
  try {
    const { path, command, globals, given } = await route(root, argv);
    if (globals["version"] || globals["help"] || command.kind === "group") {
      const { about } = await import("./about");
      const versions = globals["version"] ? edge.versions : undefined;
      await edge.print(`${await about({ root, path, command, json, versions })}\n`);
      return EXITS.ok;
    }
    const { execute } = await import("./execute");
    return await execute({ path, command, globals, given }, json, edge, warnings);
  } catch (thrown) {
    const error = printable(await forStore(asCoopError(thrown), argv));
    if (json) await edge.complain(`${jsonError(error, warnings)}\n`);
    else {
      await warn(warnings, edge);
      const { hint } = error.details;
      await edge.complain(`coop: ${inline(hint ? `${error.message}; ${hint}` : error.message)}\n`);
    }
    return error.exit;
  }
}

/** An error whose hint is about the store that a flag named. */
async function forStore(error: CoopError, argv: readonly string[]): Promise<CoopError> {
  const { code, message, details } = error;
  // Also where nothing of the line was understood.
  const words = beforeWords(argv);
  const at = words.findIndex((word) => word === "--db" || word.startsWith("--db="));
  if (at < 0 || details.hint === undefined) return error;
  const flag = words[at] === "--db" ? words[at + 1] : words[at]!.slice("--db=".length);
  const { onStore } = await import("./on-store");
  return new CoopError(code, message, { ...details, hint: onStore(details.hint, flag) });
}

/** Tells the user what is no failure, each once. */
export const warn = (warnings: Warning[], edge: Edge): Promise<void> | undefined =>
  warnings.length === 0 ? undefined : tell(warnings, edge);

async function tell(warnings: Warning[], edge: Edge): Promise<void> {
  const { talk } = await import("./talk");
  const lines: string[] = [];
  const say = talk((line) => lines.push(`${line}\n`));
  for (const { message } of warnings.splice(0)) say.warn(inline(message));
  await edge.complain(lines.join(""));
}

/** Whether errors are wanted as JSON, known before anything is understood. */
const asksForJson = (argv: readonly string[]) => beforeWords(argv).includes("--json");

/** A command line up to `--`, which ends its flags. */
function beforeWords(argv: readonly string[]): readonly string[] {
  const end = argv.indexOf("--");
  return end < 0 ? argv : argv.slice(0, end);
}
