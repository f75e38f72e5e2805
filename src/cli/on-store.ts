import { withoutPasswords } from "../errors";
import { SURFACES } from "../ref";
import { shellWord } from "../shell";

/** Commands that are about a store. That `copy` names both of its own is why it is none of them. */
const COMMANDS = new RegExp(
  `\\bcoop (?=(?:--as \\S+ )?(?:${SURFACES.join("|")}|show|log|who|init|backup|restore|redact|doctor)\\b)`,
  "g",
);

/**
 * The commands in a text as they must be typed for the store that a flag named: without it they are about another. One
 * that names a store, or does something with that file, such as to restore from it, is about another already.
 */
export function onStore(text: string, flag: string | undefined): string {
  if (flag === undefined) return text;
  const named = shellWord(withoutPassword(flag));
  return text.replace(COMMANDS, (command, offset: number) => {
    const [rest] = text.slice(offset + command.length).split(/\bcoop /);
    return / --db /.test(rest!) || hasWord(rest!, named) ? command : `${command}--db ${named} `;
  });
}

/** Whether a text has a word, which may hold what ends other words. */
function hasWord(text: string, word: string): boolean {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1))
    if (/^([\s;,.)`]|$)/.test(text.slice(at + word.length))) return true;
  return false;
}

/** A store as it can be typed where its password comes from elsewhere. */
const withoutPassword = (store: string) =>
  withoutPasswords(store.replace(/^(postgres(?:ql)?:\/\/[^/@:]*):[^@/]*@/, "$1@"));
