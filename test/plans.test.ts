import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fill } from "../scripts/benchmark/fill";
import { flagName } from "../src/cli/define";
import { SURFACES, type Surface } from "../src/ref";
import { openStore, type Store } from "../src/store/open";
import { SQLITE } from "../src/store/sqlite/connection";
import { createSqliteStore } from "../src/store/sqlite/create";
import { raw, type Fragment } from "../src/store/sql";
import { Wait } from "../src/store/wait";
import { clock } from "./engines";
import { inside, type Inside } from "./inside";
import { planOf, statementsOf, type Step } from "./plans";
import { everyVerb } from "./tree";

/** More than counting goes to, so that what depends on many or few being there meets both. */
const RECORDS = 10_500;
const SCOPE = "project-3";

/** Which lists there are, their states, and their filters beside those of every list. */
const LISTS: Record<string, { states: string[]; filters: string[] }> = {
  "letter list": {
    states: ["unread", "read", "working", "done", "abandoned", "superseded"],
    filters: ["--to brain-1", "--mine", "--to brain-1,brain-2"],
  },
  "request list": {
    states: ["open", "accepted", "done", "declined", "cancelled"],
    filters: [
      "--to brain-1",
      "--mine",
      "--to brain-1,brain-2",
      "--waiting-on brain-1",
      "--waiting-on brain-1,me",
      "--kind kind-1",
      "--kind kind-1,kind-2",
    ],
  },
  "todo list": {
    states: ["open", "doing", "blocked", "done", "dropped"],
    filters: [
      "--to brain-1",
      "--mine",
      "--to brain-1,brain-2",
      "--nobody",
      "--mine --nobody",
      "--priority 0",
      "--priority 1,2",
      "--mine --priority 1",
    ],
  },
  "history list": { states: ["pending", "committed"], filters: [] },
  "queue list": {
    states: ["waiting", "taken", "done", "dropped"],
    filters: [
      "--to brain-1",
      "--mine",
      "--to brain-1,brain-2",
      "--priority 0",
      "--priority 1,2",
      "--mine --priority 1",
      "--taken-by brain-1",
      "--taken-by brain-1,brain-2",
    ],
  },
  "queue list jobs-1": {
    states: ["waiting", "taken", "done", "dropped"],
    filters: ["--to brain-1", "--mine", "--priority 0", "--taken-by brain-1"],
  },
};

/** The filters that every list has. */
const FILTERS = [
  "",
  "--from brain-1",
  "--from brain-1,brain-2",
  "--since 1h",
  "--since 999d",
  "--before 2000",
  "--before 2000 --from brain-1",
];
const SCOPES = ["", "--scope elsewhere", "--all-scopes"];

function* lists(): Generator<string> {
  for (const [verb, { states, filters }] of Object.entries(LISTS)) {
    const statuses = ["", ...states, "all", states.slice(0, 2).join(",")];
    for (const status of statuses)
      for (const filter of [...FILTERS, ...filters])
        for (const scope of SCOPES)
          yield [verb, status && `--status ${status}`, filter, scope].filter(Boolean).join(" ");
  }
}

/** The commands that read or write in any other way. */
const OTHERS = `
letter read
letter read L10490
letter show L3
letter write title --body text --to brain-2 --supersedes L10495
letter start L10501
letter ack L10501
letter reopen L10501
letter abandon L10501
request open title --to brain-2 --body text
request accept R10501
request assign R10501 --to brain-3
request edit R10501 --title other
request reply R10501 text
request done R10501 --body text
request reopen R10501
request decline R10501
request reopen R10501
request cancel R10501
request show R10501
todo add title --after T1,T2
todo add title --to me --key once
todo start T10501
todo stop T10501
todo block T10501
todo edit T10501 --after T7 --not-after T1
todo assign T10501 --to brain-2
todo done T10501
todo reopen T10501
todo drop T10501
todo show T10501
todo ready
todo ready --mine
todo ready --to brain-1,brain-2 --all-scopes
todo ready --all-scopes
todo ready --all-scopes --mine
todo ready --nobody
todo ready --mine --nobody --all-scopes
history add --slug new --body text
history commit new abc1234
history edit new --title other
history show new
history show 000000000000000000000000000000000000000a
--as ann history add --slug pending --body text
--as ann history commit abc1234
history pending
history pending --from brain-1
history pending --all-scopes
queue push new text
queue push new text --to brain-1,brain-2 --re Q10490
queue push new --jsonl -
queue take new
queue take jobs-1 --count 3
queue take jobs-1 --count 5
queue take jobs-1 --count 3 --scope elsewhere
queue take
queue take --count 3
queue take --count 5
queue take --scope elsewhere
queue release Q10501
queue take Q10501
queue reply Q10501 text
queue done Q10501 --reply text
queue reopen Q10501
queue take Q10501
queue release Q10501
queue drop Q10501
queue replies Q10501
queue replies F1
queue show Q10501
queue show F1
queue stats
queue stats jobs-1 --scope elsewhere
queue stale --older 1h
queue stale jobs-1 --older 1h --scope elsewhere
show T3
log
log T3
log --by brain-1 --since 999d --before 5000
log --by brain-1 T3 --since 999d --before 5000
who
who brain-1
whoami
`
  .trim()
  .split("\n");

/** Values that a flag of a verb that only reads is tried with. */
const VALUES: Record<string, string[]> = {
  from: ["brain-1", "brain-1,brain-2"],
  to: ["brain-1", "brain-1,brain-2"],
  by: ["brain-1"],
  since: ["1h", "999d"],
  before: ["9", "2000"],
  limit: ["5"],
  older: ["1h"],
};

/** The verbs that read, but for the lists above: as {@link OTHERS} calls them, with each one and two flags of theirs. */
async function* readings(): AsyncGenerator<string> {
  for (const { words, verb } of await everyVerb()) {
    const name = words.join(" ");
    if ("key" in verb.args || name in EXEMPT || name in LISTS) continue;
    const lines = OTHERS.filter((line) => `${line} `.startsWith(`${name} `) && !OPTIONS.test(line));
    const scopes = "allScopes" in verb.args ? SCOPES : [""];
    const flags = Object.entries(verb.args).flatMap(([key, { type, required }]) => {
      if (type === "positional" || required || ["allScopes", "raw"].includes(key)) return [];
      const values = type === "boolean" ? [""] : VALUES[key];
      if (!values) throw new Error(`--${flagName(key)} of ${name} is tried with no value`);
      return values.map((value) => ({
        name: key === "mine" ? "to" : key,
        flag: `--${flagName(key)} ${value}`,
      }));
    });
    for (const line of lines)
      for (const scope of scopes)
        for (const one of [undefined, ...flags])
          for (const two of [undefined, ...flags]) {
            // Each one by itself, and each two of different names once.
            if (one && !(two && one.name < two.name)) continue;
            const full = [line, one?.flag, two?.flag, scope].join(" ").replace(/ +/g, " ").trim();
            yield full;
          }
  }
}

/** Flags that a verb can do without. */
const OPTIONS = / --(?!older )/;

/** Verbs whose cost grows with the store, and why. */
const EXEMPT: Record<string, string> = {
  init: "makes a store, or changes all of it",
  doctor: "reads all of the store, to say whether it is whole",
  backup: "copies the store",
  restore: "replaces the store",
  copy: "copies the store",
  "queue archive": "goes through all that is linked, a page at a time, and counts what is old",
  redact: "looks for a text wherever it may be; its statements are in WALKS",
  help: "opens no store",
  "shim python": "opens no store",
};

/** What those of them that change records may go through as a whole, and why. */
const WALKS: [statement: RegExp, why: string][] = [
  [
    /^select author, verb, key, fingerprint, result from keys where result like /,
    "any answer can tell of any record",
  ],
  [
    /^select distinct number from \(select number from \w+ where replace\(/,
    "a text that should never have been kept can stand anywhere",
  ],
];

/** The indexes that no plan names, and what each is for. */
const UNSEEN: Record<string, string> = {
  letters_superseded: "finds what refers to a letter, which SQLite does without a plan",
};

/**
 * Every index, by its name: one that is gone would not be missed otherwise, since there is always another by which to
 * search, and to pass over what is not meant.
 */
const INDEXES = `
events_by_author events_of_record history_by_commit history_by_update history_by_update_in history_committed
history_committed_in history_committed_of history_committed_of_in history_pending history_pending_in
history_pending_of history_pending_of_in letters_by_addressee letters_by_addressee_in letters_by_author
letters_by_author_in letters_by_state letters_by_state_in letters_by_update letters_by_update_in
letters_superseded queue_by_addressee queue_by_author queue_by_name queue_by_state queue_by_state_in
queue_by_update queue_fan_out queue_re queue_taken queue_taken_by queue_waiting replies_of request_messages_of
requests_by_addressee requests_by_addressee_in requests_by_author requests_by_author_in requests_by_kind
requests_by_kind_in requests_by_state requests_by_state_in requests_by_update requests_by_update_in
requests_waiting todo_after_from todos_by_addressee todos_by_addressee_in todos_by_author todos_by_author_in todos_by_priority
todos_by_priority_in todos_by_state todos_by_state_in todos_by_update todos_by_update_in todos_ready_of
`
  .trim()
  .split(/\s+/);

let folder: string;
let store: Store;
let coop: Inside;
/** What the commands do that costs more the more the store holds. */
const growing: Record<"lists" | "others" | "readings" | "walks", string[]> = {
  lists: [],
  others: [],
  readings: [],
  walks: [],
};
/** The indexes that any of them uses. */
const used = new Set<string>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "coop-plans-"));
  const path = join(folder, "coop.db");
  const wait = new Wait(10, clock);
  await createSqliteStore(path, wait);
  const sizes = Object.fromEntries(SURFACES.map((surface) => [surface, RECORDS]));
  fill(path, sizes as Record<Surface, number>, clock.now());
  fillDetails(path);
  store = await openStore({ engine: "sqlite", path }, wait);
  coop = await inside(store);
  for (const line of lists()) await look("lists", line);
  for (const line of OTHERS) await look("others", line);
  for await (const line of readings()) await look("readings", line);
  const archive = `--to ${join(folder, "archive.db")}`;
  for (const line of [
    `queue archive --older 30d --limit 3 ${archive}`,
    `queue archive jobs-1 --older 30d --limit 3 ${archive} --scope elsewhere`,
    "redact L7",
    "redact L8 --text tests",
    "redact R8 --text tests",
    "redact F1",
  ])
    await look("walks", line);
}, 120_000);

afterAll(async () => {
  await coop[Symbol.asyncDispose]();
  await store.close();
  await rm(folder, { recursive: true });
});

/** Fills the tables of what is said of a record. */
function fillDetails(path: string): void {
  using database = new Database(path, { readwrite: true, strict: true });
  database.run(`insert into request_messages (request, at, author, verb, body)
    select number, created_at, author, 'reply', 'text' from requests`);
  database.run(`insert into replies (item, at, author, body)
    select number, created_at, author, 'text' from queue_items`);
}

const LINES = '{"payload":1,"key":"a"}\n{"payload":2,"to":"brain-2","key":"b"}';

const looked = new Set<string>();

/** Runs a command, and adds to `growing` and `used` what its statements do. */
async function look(part: keyof typeof growing, command: string): Promise<void> {
  const statements = await statementsOf(async () => {
    const { exit, err } = await coop.run(command.split(" "), {
      ...(command.startsWith("--as") ? {} : { as: "brain-1" }),
      env: { PIPPA_COOP_SCOPE: SCOPE },
      ...(command.endsWith("--jsonl -") && { stdin: LINES }),
    });
    if (exit !== 0 && exit !== 5) throw new Error(`coop ${command}: exit ${exit}: ${err}`);
  });
  // Where most were changed since then, the newest records are soon some of them.
  const allowed = command.includes("--since 999d") ? [...IN_ORDER, ...SINCE_LONG_AGO] : IN_ORDER;
  for (const statement of statements) {
    const text = statement.render(SQLITE.placeholder).text.replace(/\s+/g, " ");
    const key = `${part === "walks"} ${allowed.length} ${text}`;
    // What makes a new archive has no plan.
    if (looked.has(key) || /^(create|alter) /.test(text)) continue;
    looked.add(key);
    const steps = await planOf(store, statement);
    for (const { detail } of all(steps))
      for (const [, name] of detail.matchAll(/ INDEX (\w+)/g)) used.add(name!);
    for (const problem of problems(steps, statement, allowed))
      growing[part].push(`${problem}\n  in ${text.slice(0, 400)}\n  of coop ${command}`);
  }
}

function* all(steps: readonly Step[]): Generator<Step> {
  for (const step of steps) {
    yield step;
    yield* all(step.steps);
  }
}

/** Made by the statement itself, by as many rows as it has parts or as a limit allows. */
const MADE =
  /^(SCAN|SEARCH) (head|heads|own|recent|changes|found|names|reached|counted|CONSTANT|\d+-ROW|\d+ CONSTANT ROWS)\b/;

/** Of these there are as many as settings or surfaces; or as what was said about one record, or comes before one. */
const SMALL =
  /^(SCAN|SEARCH) (meta|counters)\b|^SEARCH (link|replies|request_messages)\b|\b(events_of_record|queue_fan_out|queue_re) \(/;

/** A table, or those of its rows that an index is of, in the order of their numbers up to a limit, not narrowed at all. */
const IN_ORDER = [
  /where (1 = 1|commit_sha is (not )?null|(number|id) < \?)( and number < \?)? *(order by (number|id) desc )?limit/,
];

/** The same, narrowed to what was changed since a time after which much was. */
const SINCE_LONG_AGO = [
  /where (1 = 1|commit_sha is (not )?null) and \+updated_at >= \?( and number < \?)? *order by number desc limit/,
  /where at >= \?( and id < \?)? *order by id desc limit/,
];

function problems(
  steps: readonly Step[],
  statement: Fragment,
  allowed: readonly RegExp[],
): string[] {
  const text = statement.render(() => "?").text.replace(/\s+/g, " ");
  const sources = steps.filter(({ detail }) => /^(SCAN|SEARCH) /.test(detail));
  const own = steps.flatMap(({ detail }) => {
    if (detail.startsWith("SCAN ") && !MADE.test(detail) && !SMALL.test(detail))
      return allowed.some((form) => form.test(text)) ? [] : [detail];
    if (!detail.startsWith("USE TEMP B-TREE")) return [];
    const bounded = sources.some(
      ({ detail: from }) => MADE.test(from) || SMALL.test(from) || /rowid=\?/.test(from),
    );
    return bounded ? [] : [`${detail} of ${sources.map((source) => source.detail).join(", ")}`];
  });
  return [...own, ...steps.flatMap((step) => problems(step.steps, statement, allowed))];
}

describe("what a command costs does not grow with the store", () => {
  test("for any list, however it is narrowed", () => {
    expect(growing.lists).toEqual([]);
  });

  test("for any other verb", () => {
    expect(growing.others).toEqual([]);
  });

  test("for any flag of a verb that reads", () => {
    expect(growing.readings).toEqual([]);
  });

  test("but for what a few verbs have to go through", () => {
    const statements = growing.walks.map((problem) => /\n  in (.*)/.exec(problem)![1]!);
    const others = statements.filter((text) => !WALKS.some(([form]) => form.test(text)));
    expect(others).toEqual([]);
    const unused = WALKS.filter(([form]) => !statements.some((text) => form.test(text)));
    expect(unused).toEqual([]);
  });

  test("is looked at for every verb", async () => {
    const tried = [...Object.keys(LISTS), ...OTHERS];
    const verbs = (await everyVerb()).map(({ words }) => words.join(" "));
    const missing = verbs.filter(
      (verb) => !(verb in EXEMPT) && !tried.some((line) => `${line} `.startsWith(`${verb} `)),
    );
    expect(missing).toEqual([]);
    expect(Object.keys(EXEMPT).filter((verb) => !verbs.includes(verb))).toEqual([]);
  });

  test("thanks to indexes of which each earns its place", async () => {
    const named = await store.all<{ name: string }>(
      raw("select name from sqlite_schema where type = 'index' and sql is not null order by name"),
    );
    expect(named.map(({ name }) => name)).toEqual(INDEXES);
    expect(INDEXES.filter((name) => !used.has(name))).toEqual(Object.keys(UNSEEN));
  });
});
