import fc from "fast-check";
import { ACTS, flagName, type Verb } from "../../src/cli/define";
import { everyVerb, flagForms, type FlagForm, type Named } from "../tree";
import { anything, text } from "./hostile";

/** What writes files of its own where its words say, and so is not called with random words. */
const OUTSIDE = ["init", "shim python", "backup", "restore", "copy", "queue archive"];

export const verbs = (await everyVerb()).filter(({ words }) => !OUTSIDE.includes(words.join(" ")));

/** Ids that speak and are spoken to, so that some of them are known. */
const IDS = ["ann", "ben", "코덱스"] as const;

/** A ref, of the surface with this letter most of the time. */
const ref = (sign: string): fc.Arbitrary<string> =>
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc
        .tuple(fc.constantFrom(sign, "", "#", sign.toLowerCase()), fc.integer({ min: 1, max: 8 }))
        .map((parts) => parts.join("")),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom("L1", "R1", "T1", "H1", "Q1", "F1", `${sign}0`, `${sign}99`),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom("T999999999999999", "Q99999999999999999999", "X1", "-1", "1.5"),
    },
  );

const several = (one: fc.Arbitrary<string>) =>
  fc.array(one, { minLength: 1, maxLength: 3 }).map((all) => all.join(","));

const id = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...IDS, "me") },
  { weight: 1, arbitrary: anything },
);

/** Values that a flag takes; any other text is a value too. */
const VALUES: Record<string, fc.Arbitrary<string>> = {
  "--as": id,
  "--to": several(id),
  "--assign": id,
  "--from": id,
  "--by": id,
  "--taken-by": several(id),
  "--waiting-on": several(id),
  "--wait": fc.constantFrom("0", "0.5", "1", "3600", "-1", "x"),
  "--status": fc.constantFrom("all", "all", "open", "unread", "waiting,taken", "done", "x"),
  "--since": fc.constantFrom("2h", "90m", "3d", "2026-11-22", "0s", "x"),
  "--older": fc.constantFrom("2h", "0s", "x"),
  "--limit": fc.constantFrom("0", "1", "3", "50", "x"),
  "--count": fc.constantFrom("1", "3", "1000", "1001"),
  "--priority": fc.constantFrom("0", "2", "4", "5"),
  "--if-version": fc.constantFrom("1", "2", "0"),
  "--commit": fc.constantFrom("abc1234", "0123456789abcdef0123456789abcdef01234567", "x"),
  "--supersedes": several(ref("L")),
  "--after": several(ref("T")),
  "--depends-on": several(ref("T")),
  "--not-after": several(ref("T")),
  "--re": ref("Q"),
};

/** What a flag that names a file is given: a file with a text, one that is no UTF-8, none, a folder, standard input. */
export const FILES = ["text", "binary", "lines", "none", ".", "-"] as const;

/** Whether a flag's value names a file, by its form. */
const namesFile = (flag: string) => /-file$|^-F$|^--(jsonl|dir)$/.test(flag);

const isSafePlace = (given: string) => !/^(\/|\\\\|[a-z]:|postgres)/i.test(given);

function valueOf(flag: string, sign: string, folder: string): fc.Arbitrary<string> {
  if (flag === "--db") return text.filter(isSafePlace);
  if (namesFile(flag))
    return fc.constantFrom(...FILES).map((name) => (name === "-" ? name : `${folder}/${name}`));
  const usual = flag === "--before" ? ref(sign) : VALUES[flag];
  if (!usual) return anything;
  return fc.oneof({ weight: 9, arbitrary: usual }, { weight: 1, arbitrary: anything });
}

/** Flags that are put in seldom, or every command line would have one that changes all. */
const SELDOM = /^(--help|-h|--version|--as|--db|--wait|--json|--quiet|--edit|-F)$|-file$/;

/** A verb's words and flags as it wants them. */
function tokensOf({ words, verb }: Named, folder: string): fc.Arbitrary<string[]> {
  const sign = { letter: "L", request: "R", todo: "T", history: "H", queue: "Q" }[words[0]!] ?? "T";
  const given = ({ name, takesValue }: FlagForm): fc.Arbitrary<string[]> =>
    takesValue
      ? fc
          .tuple(valueOf(name, sign, folder), fc.boolean())
          .map(([value, apart]) =>
            apart && name.startsWith("--") && !value.startsWith("-")
              ? [name, value]
              : name.startsWith("--")
                ? [`${name}=${value}`]
                : [name, value],
          )
      : fc.constant([name]);
  const forms = flagForms(verb);
  const isRequired = ({ name }: FlagForm) =>
    Object.entries(verb.args).some(
      ([key, arg]) => arg.required && arg.type !== "positional" && name === `--${flagName(key)}`,
    );
  const needed = forms.filter(isRequired);
  const usual = forms.filter((form) => !isRequired(form) && !SELDOM.test(form.name));
  const seldom = forms.filter(({ name }) => SELDOM.test(name));
  const some = (of: FlagForm[], maxLength: number) =>
    of.length === 0 ? fc.constant([]) : fc.uniqueArray(fc.constantFrom(...of), { maxLength });
  return fc
    .tuple(
      some(usual, 3),
      fc.oneof(
        { weight: 4, arbitrary: fc.constant([]) },
        { weight: 1, arbitrary: some(seldom, 1) },
      ),
    )
    .chain(([more, rare]) =>
      fc.tuple(
        fc.tuple(...[...needed, ...more, ...rare].map(given)),
        placesOf(verb, sign),
        fc.constantFrom(...IDS),
      ),
    )
    .map(([flags, places, as]) => ["--as", as, ...words, ...places, ...flags.flat()]);
}

/** Words in the places of a verb. */
function placesOf({ args }: Verb, sign: string): fc.Arbitrary<string[]> {
  const places = Object.values(args).filter(({ type }) => type === "positional");
  const word = (hint: unknown): fc.Arbitrary<string> => {
    if (/NAME/.test(String(hint)))
      return fc.oneof(
        { weight: 6, arbitrary: fc.constantFrom("jobs", "일") },
        { weight: 1, arbitrary: anything },
      );
    if (/TITLE|TEXT|PAYLOAD/.test(String(hint))) return anything;
    if (/SHA/.test(String(hint))) return fc.constantFrom("abc1234", "HEAD", "x");
    return fc.oneof({ weight: 6, arbitrary: ref(sign) }, { weight: 1, arbitrary: anything });
  };
  return fc
    .tuple(
      fc.tuple(...places.map(({ valueHint }) => word(valueHint))),
      fc.constantFrom(0, 0, 0, 0, 0, 1, 2),
    )
    .map(([given, fewer]) => given.slice(0, given.length - fewer));
}

/** What may go wrong with a command line between a mind and a shell. */
const mutation: fc.Arbitrary<(tokens: string[]) => string[]> = fc
  .tuple(
    fc.constantFrom(
      "none",
      "none",
      "none",
      "drop",
      "twice",
      "swap",
      "put",
      "replace",
      "misspell",
      "synonym",
      "json",
      "quiet",
      "end",
    ),
    fc.nat({ max: 20 }),
    fc.oneof(anything, ref("T")),
  )
  .map(([kind, position, other]) => (tokens) => {
    const at = position % tokens.length;
    const changed = [...tokens];
    if (kind === "drop") changed.splice(at, 1);
    else if (kind === "twice") changed.splice(at, 0, tokens[at]!);
    else if (kind === "swap") changed.splice(2, 2, ...changed.slice(2, 4).toReversed());
    else if (kind === "put") changed.splice(at, 0, other);
    else if (kind === "replace") changed[at] = other;
    else if (kind === "misspell")
      changed[at] = tokens[at]!.slice(0, position) + tokens[at]!.slice(position + 1);
    else if (kind === "synonym" && changed.length > 3)
      changed[3] = Object.values(ACTS).flat()[position]!;
    else if (kind === "json") changed.splice(at, 0, "--json");
    else if (kind === "quiet") changed.splice(at, 0, "--quiet");
    else if (kind === "end") changed.splice(at, 0, "--");
    return changed;
  });

/** Random command lines of the real grammar, most of them nearly right. */
export const lines = (folder: string): fc.Arbitrary<string[]> =>
  fc
    .tuple(
      fc.constantFrom(...verbs).chain((verb) => tokensOf(verb, folder)),
      fc.oneof(
        { weight: 3, arbitrary: fc.constant([]) },
        { weight: 2, arbitrary: fc.array(mutation, { minLength: 1, maxLength: 3 }) },
      ),
    )
    .map(([tokens, mutations]) =>
      mutations.reduce(
        (changed, mutate) => (changed.length === 0 ? changed : mutate(changed)),
        tokens,
      ),
    )
    .filter((tokens) => isSafe(tokens));

/** Whether a command line, however mutated, names no store elsewhere and calls nothing that writes files of its own. */
function isSafe(tokens: readonly string[]): boolean {
  const outside = new Set(OUTSIDE.flatMap((words) => words.split(" ").at(-1)!));
  const named = tokens.flatMap((token, index) =>
    token.startsWith("--db=")
      ? [token.slice(5)]
      : token === "--db"
        ? [tokens[index + 1] ?? ""]
        : [],
  );
  return named.every(isSafePlace) && !tokens.some((token) => outside.has(token));
}
