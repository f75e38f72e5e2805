import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fill } from "../scripts/benchmark/fill";
import { SURFACES, type Surface } from "../src/ref";
import { openStore, type Store } from "../src/store/open";
import { SQLITE } from "../src/store/sqlite/connection";
import { createSqliteStore } from "../src/store/sqlite/create";
import type { Fragment } from "../src/store/sql";
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
history add --slug new --body text
history commit new abc1234
history edit new --title other
history show new
--as ann history add --slug pending --body text
--as ann history commit abc1234
history pending
history pending --from brain-1
history pending --all-scopes
queue push new text
queue push new text --to brain-1,brain-2 --re Q10490
queue take new
queue take jobs-1 --count 3 --scope elsewhere
queue take
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
log --since 1h
log --since 999d
log --by brain-1
log --by brain-1 --since 999d --before 5000
log --by brain-1 T3
log --before 2000
who
whoami
`
  .trim()
  .split("\n");

/** Verbs about the store as a whole, or that read what they move: what they cost may grow with it. */
const EXEMPT =
  /^(init|doctor|backup|restore|redact|copy|help|shim|queue archive)\b|^(shim|completion)/;

let folder: string;
let store: Store;
let coop: Inside;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "coop-plans-"));
  const path = join(folder, "coop.db");
  const wait = new Wait(10, clock);
  await createSqliteStore(path, wait);
  const sizes = Object.fromEntries(SURFACES.map((surface) => [surface, RECORDS]));
  fill(path, sizes as Record<Surface, number>, clock.now());
  store = await openStore({ engine: "sqlite", path }, wait);
  coop = await inside(store);
});

afterAll(async () => {
  await coop[Symbol.asyncDispose]();
  await store.close();
  await rm(folder, { recursive: true });
});

/** What a command's statements do that costs more the more the store holds. */
async function growing(commands: Iterable<string>): Promise<string[]> {
  const statements = await statementsOf(async () => {
    for (const command of commands) {
      const { exit, err } = await coop.run(command.split(" "), {
        ...(command.startsWith("--as") ? {} : { as: "brain-1" }),
        env: { PIPPA_COOP_SCOPE: SCOPE },
      });
      if (exit !== 0 && exit !== 5) throw new Error(`coop ${command}: exit ${exit}: ${err}`);
    }
  });
  const found: string[] = [];
  for (const statement of statements) {
    const { text } = statement.render(SQLITE.placeholder);
    for (const problem of problems(await planOf(store, statement), statement))
      found.push(`${problem}\n  in ${text.replace(/\s+/g, " ").slice(0, 400)}`);
  }
  expect(statements.length).toBeGreaterThan(100);
  return found;
}

/** Made by the statement itself, by as many rows as it has parts or as a limit allows. */
const MADE =
  /^(SCAN|SEARCH) (head|heads|own|recent|changes|found|names|reached|counted|CONSTANT|\d+-ROW)\b/;

/** Of these there are as many as settings, surfaces, or what was said about one record. */
const SMALL =
  /^(SCAN|SEARCH) (meta|counters|link|replies|request_messages)\b|\b(events_of_record|queue_fan_out|queue_re) \(/;

/**
 * A table, or those of its rows that an index is of, in the order of their numbers up to a limit: what is not narrowed
 * at all, or only to what was changed since a time after which much was.
 */
const IN_ORDER =
  /where (1 = 1|commit_sha is (not )?null|(number|id) < \?|at >= \?)( and \+updated_at >= \?)?( and number < \?)? *(order by (number|id) desc )?limit/;

function problems(steps: readonly Step[], statement: Fragment): string[] {
  const { text } = statement.render(() => "?");
  const sources = steps.filter(({ detail }) => /^(SCAN|SEARCH) /.test(detail));
  const own = steps.flatMap(({ detail }) => {
    if (detail.startsWith("SCAN ") && !MADE.test(detail) && !SMALL.test(detail))
      return IN_ORDER.test(text.replace(/\s+/g, " ")) ? [] : [detail];
    if (!detail.startsWith("USE TEMP B-TREE")) return [];
    const bounded = sources.some(
      ({ detail: from }) => MADE.test(from) || SMALL.test(from) || /rowid=\?/.test(from),
    );
    return bounded ? [] : [`${detail} of ${sources.map((source) => source.detail).join(", ")}`];
  });
  return [...own, ...steps.flatMap((step) => problems(step.steps, statement))];
}

describe("what a command costs does not grow with the store", () => {
  test("for any list, however it is narrowed", async () => {
    expect(await growing(lists())).toEqual([]);
  });

  test("for any other verb", async () => {
    expect(await growing(OTHERS)).toEqual([]);
  });

  test("is looked at for every verb", async () => {
    const tried = [...Object.keys(LISTS), ...OTHERS];
    const missing = (await everyVerb())
      .map(({ words }) => words.join(" "))
      .filter(
        (verb) => !EXEMPT.test(verb) && !tried.some((line) => `${line} `.startsWith(`${verb} `)),
      );
    expect(missing).toEqual([]);
  });
});
