import { usage } from "../../errors";
import { distance, ENOUGH, slip } from "../../nearest";
import { looksLikeRef, parseRef, SIGILS, type Surface } from "../../ref";
import { ACTS, canonical, type Act, type Group } from "../define";

/** What other programs call what a verb does: of the verbs, the first that a group has is meant. */
const CALLED: readonly [verbs: readonly string[], words: string][] = [
  [["take", "ready", "todo ready"], "next"],
  [["take", "show"], "get fetch pop pull receive dequeue consume"],
  [["show"], "view info cat display details describe print"],
  [["list"], "ls lst all log"],
  [["edit"], "update change rename set modify amend correct retitle depend depends prioritize"],
  [["commit"], "link attach sha"],
  [["reply"], "comment answer respond say append"],
  [["done", "ack"], "acknowledge resolve fulfil fulfill resolved finished completed end"],
  [["reopen"], "undo unclose undone"],
  [["start"], "resume continue unblock work"],
  [["assign"], "give delegate unassign reassign handoff"],
  [["release", "stop", "reopen"], "nack nak retry fail unclaim requeued pause"],
  [["cancel", "drop", "abandon"], "withdraw revoke retract"],
  [["drop", "cancel", "abandon"], "delete remove rm del trash discard purge clear"],
  [
    ["push", "open", "write", "add"],
    "enqueue put emit post submit ask make insert publish handoff",
  ],
  [["ready"], "available unblocked"],
  [["stats"], "count summary status"],
  [["letter read"], "inbox mail mails messages"],
  [["who"], "status overview summary board dashboard mine users ids"],
  [["todo"], "task tasks"],
  [["log"], "events audit"],
  [["help"], "man usage"],
];

/** What cannot be had back is only guessed where hardly anything else can be meant: one letter is wrong, or some left out. */
const DRASTIC = new Set([
  "redact",
  "restore",
  "copy",
  "init",
  "drop",
  "abandon",
  "decline",
  "cancel",
]);

/** What would look for a text, which nothing does. */
const SEARCHES = ["search", "find", "grep", "query"];

/** The error for a word where a verb of a group belongs; `next` comes after it. */
export async function unknownVerb(group: Group, token: string, path: readonly string[], next = "") {
  if (looksLikeRef(token)) return refAsVerb(token, path);
  const words = ["coop", ...path].join(" ");
  const says = `there is no \`${words} ${token}\``;
  if (SEARCHES.includes(token) && Object.hasOwn(group.commands, "list"))
    return usage(
      says,
      `nothing searches texts; \`${words} list --status all --all-scopes --json --limit 0\` gives them all`,
    );
  if (path.length === 0 && token === "version")
    return usage(says, "did you mean `coop --version`?");
  // The record that it is about says whose verb it is.
  const surface = parseRef(next)?.surface;
  const all = await deeper(group, token);
  const its = all.filter((each) => each.startsWith(`${surface} `));
  const guesses = its.length > 0 ? its : all;
  const guess = guesses.length > 0 ? undefined : (called(group, token) ?? misspelt(group, token));
  if (guess !== undefined) guesses.push(guess);
  const help = `\`${words} --help\``;
  return usage(
    says,
    guesses.length > 0
      ? `did you mean ${guesses.map((each) => `\`${words} ${each}\``).join(" or ")}? ${help} lists all`
      : `one of ${Object.keys(group.commands).join(", ")}: ${help}`,
  );
}

/** What a word does that is a verb of the group's own groups: `letter read`, for one who left out the surface. */
async function deeper(group: Group, token: string): Promise<string[]> {
  const found: string[] = [];
  for (const [name, load] of Object.entries(group.commands)) {
    // What is no group is loaded for nothing.
    if (!Object.hasOwn(SIGILS, name)) continue;
    const command = (await load()).default;
    const verb = command.kind === "group" ? canonical(command, token) : undefined;
    if (verb !== undefined) found.push(`${name} ${verb}`);
  }
  return found;
}

/** The command that other programs call so. */
function called(group: Group, token: string): string | undefined {
  const isThere = (verb: string) => Object.hasOwn(group.commands, verb.split(" ")[0]!);
  for (const [verbs, words] of CALLED) {
    const verb = words.split(" ").includes(token.toLowerCase()) && verbs.find(isThere);
    if (verb) return verb;
  }
  return undefined;
}

function misspelt(group: Group, token: string): string | undefined {
  const known = Object.keys(group.commands);
  for (const act in group.acts) known.push(...ACTS[act as Act]);
  const safe = known.filter(
    (each) =>
      !DRASTIC.has(canonical(group, each)!) ||
      distance(token, each) === 1 ||
      (token.length >= ENOUGH && each.startsWith(token)),
  );
  const meant = slip(token, safe);
  return meant === undefined ? undefined : canonical(group, meant);
}

/** `coop letter L12` and `coop T12`: a ref where a verb belongs. */
function refAsVerb(token: string, path: readonly string[]) {
  const parsed = parseRef(token);
  const place = path[0] ?? "";
  const surface = Object.hasOwn(SIGILS, place) ? (place as Surface) : undefined;
  // A shell takes what begins with # for a comment.
  const name = parsed ? `${SIGILS[parsed.surface]}${parsed.number}` : token.replace("#", "");
  const other = parsed && parsed.surface !== surface;
  if (surface === "history" && other && parsed.surface !== "fan-out") {
    return usage(
      `\`coop history\` is the why of commits, not the changes of ${name}`,
      `coop log ${name}`,
    );
  }
  const says = `'${token}' is a ref where a verb belongs`;
  if (!parsed && !surface)
    return usage(says, `a ref begins with its surface's letter, as in \`coop show T${name}\``);
  const show = surface && !other ? `coop ${surface} show ${name}` : `coop show ${name}`;
  return usage(says, `did you mean \`${show}\`?`);
}
