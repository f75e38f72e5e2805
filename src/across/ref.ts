import { usage } from "../errors";
import { EXAMPLES, parseRef, type Ref } from "../ref";

/**
 * The surface and number of a full ref, of whatever surface.
 * @throws CoopError usage.
 */
export function anyRef(text: string): Ref {
  const found = parseRef(text);
  if (found) return found;
  throw usage(`'${text}' is not a ref`, `a ref is a letter and a number: ${EXAMPLES}`);
}
