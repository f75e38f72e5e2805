import { SIGILS } from "../ref";

const BOLD = "\u001b[1m";
const PLAIN = "\u001b[22m";

const REF_FIRST = new RegExp(`^[${Object.values(SIGILS).join("")}][1-9]\\d*\\b`);

/** Sets the ref that a line begins with in bold, but not inside fences: what a body holds stays as it is. */
export function emphasised(text: string): string {
  let fence: string | undefined;
  const shown = text.split("\n").map((each) => {
    if (fence === undefined && /^`{3,}$/.test(each)) fence = each;
    else if (each === fence) fence = undefined;
    return fence === undefined ? each.replace(REF_FIRST, `${BOLD}$&${PLAIN}`) : each;
  });
  return shown.join("\n");
}
