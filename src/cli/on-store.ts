import { shellWord } from "../shell";

/** Commands that are about a store. That `copy` names both of its own is why it is none of them. */
const COMMANDS =
  /\bcoop ((?:--as \S+ )?(?:letter|request|todo|history|queue|show|log|who|init|backup|restore|redact|doctor)\b[^;,]*)/g;

/**
 * The commands in a text as they must be typed for the store that a flag named: without it they are about another. One
 * that does something with that file, such as to restore from it, is about another already.
 */
export function onStore(text: string, flag: string | undefined): string {
  if (flag === undefined) return text;
  const named = shellWord(flag);
  return text.replace(COMMANDS, (command, rest: string) =>
    rest.includes(named) ? command : `coop --db ${named} ${rest}`,
  );
}
