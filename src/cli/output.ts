import type { CoopError } from "../errors";
import { parseRef } from "../ref";
import type { Count } from "../store/listing";
import type { Answer } from "./answer";
import type { Warning } from "../store/open";

/** The one document that `--json` prints on stdout. */
export function jsonDocument(
  { data, total, truncated, finished, elsewhere, alsoOpen = [], replayed }: Omit<Answer, "text">,
  warnings: readonly Warning[] = [],
): string {
  return JSON.stringify({
    schema: 1,
    data,
    ...counted("total", total),
    ...(truncated !== undefined && { truncated }),
    ...counted("finished", finished),
    ...counted("elsewhere", elsewhere),
    ...(alsoOpen.length > 0 && { also_open: alsoOpen }),
    ...(replayed && { replayed }),
    ...(warnings.length > 0 && { warnings }),
  });
}

/** A count beside the data, where there is one, and whether it stopped. */
const counted = (name: string, count: Count | undefined) =>
  count && { [name]: count.count, ...(count.exact ? {} : { [`${name}_exact`]: false }) };

/** The one document that `--json` prints on stderr when a command fails. */
export function jsonError(
  { code, message, details }: CoopError,
  warnings: readonly Warning[],
): string {
  const { reason, hint, ref, current } = details;
  return JSON.stringify({
    schema: 1,
    error: { code, reason, message, hint, ref, current },
    ...(warnings.length > 0 && { warnings }),
  });
}

/** The refs in an answer, each once, for `--quiet`: its own, those it lists, or those of the records in it. */
export const refsOf = (data: unknown): string[] => [...new Set(refsIn(data))];

function refsIn(data: unknown): string[] {
  if (Array.isArray(data)) return data.flatMap(refsIn);
  if (typeof data !== "object" || data === null) return [];
  // What the log tells of the store as a whole has a name, and no ref.
  if ("ref" in data && typeof data.ref === "string") return parseRef(data.ref) ? [data.ref] : [];
  if ("refs" in data)
    return Object.values(data.refs as object)
      .flat()
      .map(String);
  return Object.values(data).filter(Array.isArray).flatMap(refsIn);
}
