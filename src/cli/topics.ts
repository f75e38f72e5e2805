import * as v from "valibot";
import { EXITS, REASONS, usage } from "../errors";
import { slip } from "../nearest";
import root from "../root";
import { help } from "./about";
import { answer } from "./answer";
import { defineVerb, optionalWord } from "./define";
import { route } from "./route";

const MEANING: Record<keyof typeof EXITS, string> = {
  ok: "done; also nothing to read, and a repeat of a command with its --key",
  failed: "a defect in coop",
  usage: "a wrong flag, value, word or ref, or a text that cannot be kept",
  not_found: "no such record",
  conflict: `not as things are: ${REASONS.conflict.join(", ")}`,
  empty: "queue take found nothing waiting",
  unavailable: `the store: ${REASONS.unavailable.join(", ")}`,
  busy: "the lock was not had within --wait: try again",
  unknown: "it may have been written: repeat with the same --key, or look",
};

const TOPICS: Record<string, () => string> = {
  exits: () =>
    Object.entries(EXITS)
      .map(([code, exit]) => `${exit} ${code}: ${MEANING[code as keyof typeof EXITS]}`)
      .join("\n"),
  environment: () => `PIPPA_COOP_ID     who speaks, where --as is not given
PIPPA_COOP_SCOPE  the project, where --scope is not given; else the name of the git work tree's folder, else none
PIPPA_COOP_DB     the store, where --db is not given; else $HOME/pippa-db/coop.db
VISUAL, EDITOR    the editor of --edit; TMPDIR is where it finds the text
NO_COLOR          no colour, as --no-color
PGPASSWORD        and PGPASSFILE, PGHOST, PGPORT, PGUSER, PGDATABASE, PGSSLMODE, PGSSLROOTCERT, …: complete a postgres://
                  store, as for psql; so does ~/.pgpass
An empty value counts as unset. coop reads no other variable, no .env and no configuration file;
but the Bun that it is made with obeys BUN_OPTIONS and BUN_BE_BUN before it does anything: leave them unset.`,
  output:
    () => `Text: one short line a record, REF STATE AGE …: TITLE; where it was changed since, AGE, changed AGE; [scope] where it is not
the current one, [] where it is of none; a title or payload that ends
in … goes on: show REF; bodies between fences of backticks. Control, escape, bidi-override and zero-width characters are shown as \\u{…}, and
on a line \\n and \\t; show --raw prints the exact text.
--quiet: only the refs; where there are more, stderr says how to get them. What has none, such as who, prints nothing.
Warnings and errors go to stderr, one line each: what is wrong; what to do.
--json: one document {"schema":1,"data":…} with total, total_exact, truncated, finished, elsewhere (in other
projects), also_open (what else is on who reads letters), replayed and warnings where they apply. Counting stops at
10,000: "total_exact":false, in queue stats and who "exact":false.
list, read, take and replies give an array, everything else an object. Times are RFC 3339 UTC in milliseconds.
An error is one document on stderr: {"schema":1,"error":{code,reason,message,hint,ref,current}}.`,
};

export default defineVerb({
  unscoped: "none",
  about: "explain exits, environment or output, or any command",
  examples: ["coop help exits", "coop help letter write"],
  args: {
    topic: optionalWord(v.string(), "TOPIC", "exits, environment, output, or a command"),
    verb: optionalWord(v.string(), "VERB", "a verb of that command"),
  },
  run: async ({ topic, verb }) => {
    const explain = topic !== undefined && Object.hasOwn(TOPICS, topic) ? TOPICS[topic] : undefined;
    if (explain && verb !== undefined)
      throw usage(`'${verb}' is a word too much for \`coop help ${topic}\``);
    const text = explain
      ? explain()
      : await commandHelp([topic, verb].filter((word) => word !== undefined));
    return answer({ topic: [topic, verb].filter(Boolean).join(" "), text }, (data) => data.text);
  },
});

async function commandHelp(words: string[]): Promise<string> {
  const [first] = words;
  if (words.length === 1 && !Object.hasOwn(root.commands, first!)) {
    const known = [...Object.keys(TOPICS), ...Object.keys(root.commands)];
    const guess = slip(first!, known);
    throw usage(
      `there is no help on '${first}'`,
      guess === undefined ? `one of ${known.join(", ")}` : `did you mean \`coop help ${guess}\`?`,
    );
  }
  const { path, command } = await route(root, words);
  return help(root, path, command);
}
