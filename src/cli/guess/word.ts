import * as v from "valibot";
import { usage } from "../../errors";
import { looksLikeRef } from "../../ref";
import { shellWord } from "../../shell";
import { isLikeMe } from "../../words";
import { flagName, type Args, type Verb } from "../define";

/** The error for a word that a verb has no place for. */
export function wordTooMuch(
  token: string,
  { args }: Verb,
  path: readonly string[],
  given: Readonly<Record<string, unknown>>,
) {
  const words = `coop ${path.join(" ")}`;
  const meant = flagOfWord(token, args);
  const main = Object.keys(args).find((key) => args[key]!.text?.edit);
  const several = Object.keys(args).find(
    (key) => args[key]!.list && args[key]!.ref !== undefined && Array.isArray(given[key]),
  );
  const [record, ...others] = Object.values(args);
  const takesText = others.some(({ type }) => type === "positional");
  const hint = () => {
    if (token === "-" && main) return `--${flagName(main)} - reads standard input`;
    if (meant) return `did you mean ${meant}?`;
    if (several && looksLikeRef(token))
      return `several go with commas: --${flagName(several)} ${shellWord([given[several], token].flat().join(","))}`;
    if (record?.ref !== undefined && !takesText && looksLikeRef(token))
      return "one record a command";
    if (!main) return `${words} --help`;
    const whom = args["to"] ? ", and whom it is for into --to" : "";
    return `put text of several words into quotes, or into --${flagName(main)}${whom}`;
  };
  return usage(`'${token}' is a word too much for \`${words}\``, hint());
}

/** The flag that a word alone is the value of, or stands for, where it can hardly be anything else. */
function flagOfWord(token: string, args: Args): string | undefined {
  const { count, limit, status, mine, to, from } = args;
  const word = token.toLowerCase();
  if (/^\d+$/.test(word)) return count ? `--count ${word}` : limit && `--limit ${word}`;
  if (status?.list) {
    if (mine && isLikeMe(word)) return "--mine";
    if (word === "mine" || word === "nobody") return args[word] && `--${word}`;
    const isState = v.safeParse(status.schema, [word]).success;
    return isState ? `--status ${word}` : undefined;
  }
  // What has no text of its own is about a record, and of what else it needs a word could be the value.
  const isText = Object.values(args).some(({ text, alsoFlag }) => text?.edit || alsoFlag);
  return to && !to.list && !from && !isText ? `--to ${shellWord(token)}` : undefined;
}
