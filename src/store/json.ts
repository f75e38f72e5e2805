import { unavailable } from "../errors";
import { RESTORE_IT } from "./sql";

/** Whether a text is JSON. */
export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * The value of a JSON text that coop itself wrote into the store.
 * @throws CoopError unavailable damaged, for what is none.
 */
export function keptJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    throw unavailable(
      "damaged",
      "the store is damaged: what was kept as JSON is none",
      RESTORE_IT,
      thrown,
    );
  }
}
