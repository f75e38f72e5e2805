import { GLOBALS } from "../src/cli/args";
import { flagName, type Arg, type Group, type Verb } from "../src/cli/define";
import root from "../src/root";

/** A verb and the words that call it. */
export interface Named {
  words: string[];
  verb: Verb;
}

/** Every verb of the program. */
export async function everyVerb(group: Group = root, path: string[] = []): Promise<Named[]> {
  const found: Named[] = [];
  for (const [word, load] of Object.entries(group.commands)) {
    const words = [...path, word];
    const command = (await load()).default;
    if (command.kind === "verb") found.push({ words, verb: command });
    else found.push(...(await everyVerb(command, words)));
  }
  return found;
}

/** Every group of verbs, the root included. */
export async function everyGroup(): Promise<{ words: string[]; group: Group }[]> {
  const found: { words: string[]; group: Group }[] = [{ words: [], group: root }];
  for (const [word, load] of Object.entries(root.commands)) {
    const command = (await load()).default;
    if (command.kind === "group") found.push({ words: [word], group: command });
  }
  return found;
}

export interface FlagForm {
  /** As it is typed, such as `--if-version` or `-m`. */
  name: string;
  takesValue: boolean;
  /** May be given again with another value. */
  list: boolean;
}

/** Every way to type a flag of a verb, the global ones included. */
export function flagForms({ args }: Verb): FlagForm[] {
  const forms: FlagForm[] = [{ name: "-h", takesValue: false, list: false }];
  for (const [key, arg] of Object.entries({ ...args, ...GLOBALS } as Record<string, Arg>)) {
    if (arg.type === "positional" && !arg.alsoFlag) continue;
    const takesValue = arg.type !== "boolean";
    const list = arg.list === true;
    const aliases = "alias" in arg && arg.alias ? [arg.alias].flat() : [];
    const dashed = aliases.map((alias) => (alias.length === 1 ? `-${alias}` : `--${alias}`));
    for (const name of [`--${flagName(key)}`, ...dashed]) forms.push({ name, takesValue, list });
    if (!arg.text) continue;
    forms.push({ name: `--${arg.text.file}`, takesValue: true, list: false });
    if (!arg.text.edit) continue;
    forms.push({ name: "-F", takesValue: true, list: false });
    forms.push({ name: "--edit", takesValue: false, list: false });
  }
  return forms;
}

/** The command lines that a verb's help gives as examples, without what comes before and after them in a shell. */
export const examplesOf = ({ examples }: Verb): string[][] =>
  examples.map((example) => {
    const command = example.slice(example.lastIndexOf("| ") + 1).replace(/ > \S+$/, "");
    const [name, ...words] = Array.from(
      command.matchAll(/(?:[^\s"']|"[^"]*"|'[^']*')+/g),
      ([word]) => word.replace(/"([^"]*)"|'([^']*)'/g, "$1$2"),
    );
    if (name !== "coop") throw new Error(`an example that calls no coop: ${example}`);
    return words;
  });
