import { Database } from "bun:sqlite";
import { join } from "node:path";
import { SURFACES } from "../../src/ref";
import { take } from "../../src/surfaces/queue/store";
import { fill, inBulk } from "./fill";
import { openCoop, PAYLOAD, writing } from "./inside";
import {
  allRounds,
  compared,
  inTurn,
  isMet,
  requireCount,
  requireEqual,
  type Row,
  type Scale,
} from "./measure";
import type { Home, Place } from "./place";

const GOAL = 1.3;

/** Who asks, and in which project: one of the ten ids and one of the twenty projects that all records are spread over. */
export const ASKED_BY = { PIPPA_COOP_ID: "brain-3", PIPPA_COOP_SCOPE: "project-3" };

/** A command for each way that a store is read. */
const READING = [
  // Of one that has a single letter: how many there are to be printed in full would be all that counts.
  "--as reader letter read",
  "letter read L500",
  "letter show L500",
  "letter list",
  "letter list --all-scopes",
  "letter list --to brain-3",
  "letter list --mine",
  "letter list --from brain-3 --status done",
  "letter list --since 30d",
  "request show R500",
  "request list",
  "request list --all-scopes",
  "todo show T500",
  "todo list",
  "todo list --all-scopes",
  "todo list --status all",
  "todo ready",
  "todo ready --all-scopes",
  "history show H500",
  "history list",
  "history list --all-scopes",
  "history list --from brain-3",
  "history pending",
  "queue show Q500",
  "queue replies Q500",
  "queue list",
  "queue list jobs-1",
  "queue list --status all",
  "queue stats",
  "queue stale --older 1h",
  "show T500",
  "log",
  "log T500",
  "log --since 1d",
  "log --by brain-3",
  "who",
  "who me",
  "whoami",
];

/** The same, where the small store has too few records for one of them to be what is asked for. */
const READING_FEW = [
  "request list --waiting-on brain-3",
  "request list --waiting-on me",
  "request list --kind kind-1",
  "todo list --mine",
  "todo list --from brain-3",
  "todo list --priority 0",
  "todo list --since 30d",
  "todo ready --mine",
  "queue list --mine",
  "queue list --to brain-3",
  "queue list --from brain-3",
  "queue list --taken-by brain-3",
  "queue list --since 1d",
];

/** The same, where nothing is what is asked for, however large the store is. */
const READING_NOTHING = ["request list --from nobody --status all", "queue list --scope nowhere"];

const NOTHING = /^(no|nothing) /;

/** Every listing and reading verb where there is much, against where there is little: a row each, and one of them all. */
export async function readingRows({ home }: Place, { runs, large, small }: Scale): Promise<Row[]> {
  const much = filled(home("large", ASKED_BY), large);
  const little = filled(home("small", ASKED_BY), small);
  const rows: Row[] = [];
  for (const command of [...READING, ...READING_FEW, ...READING_NOTHING]) {
    const asked = command.split(" ");
    const [most, least] = [much.run(asked), little.run(asked)];
    requireEqual(
      `${command} prints nothing`,
      NOTHING.test(most),
      READING_NOTHING.includes(command),
    );
    if (READING.includes(command))
      requireEqual(`${command} prints nothing`, NOTHING.test(least), false);
    // As many of each: to print fifty instead of three costs the same in any store. `who` has a line a kind of them.
    const isPaged = linesOf(most) !== linesOf(least) && asked[0] !== "who";
    const page = isPaged ? ["--limit", `${listed(little, asked)}`] : [];
    const words = [...asked, ...page];
    const times = await inTurn(Math.max(10, Math.round(runs / 4)), {
      much: () => much.run(words),
      little: () => little.run(words),
    });
    const about = { what: words.join(" "), against: `the same with ${small}`, goal: GOAL };
    rows.push(compared(about, times.much, times.little));
  }
  const worst = rows.reduce((one, other) => (other.ratio > one.ratio ? other : one));
  const all = {
    ...worst,
    what: `${rows.length} ways to read, ${large} records a surface`,
    note: `${rows.filter(isMet).length} of ${rows.length} within it; the worst, which is shown: ${worst.what}`,
  };
  return [...rows, all];
}

const linesOf = (text: string) => text.split("\n").length;

/** How many records a command lists, but at least one: a limit of none asks for all. */
function listed(at: Home, words: readonly string[]): number {
  const { data } = JSON.parse(at.run([...words, "--json"]));
  const records = [data, ...Object.values(data)].find(Array.isArray)!;
  return Math.max(1, records.length);
}

function filled(at: Home, records: number): Home {
  at.init();
  fill(at.store, Object.fromEntries(SURFACES.map((surface) => [surface, records])), Date.now());
  settings(at.store);
  for (const table of ["letters", "requests", "todos", "history_entries", "queue_items"])
    requireCount(at.store, table, records);
  requireCount(at.store, "events", 5 * records);
  at.run(["--as", "reader", "letter", "write", "Where I stopped", "--body", "The parser is done."]);
  at.run(["--as", "reader", "letter", "read"]);
  return at;
}

/** No snapshot is taken while something else is measured: they come once an hour. */
export function settings(store: string): void {
  using database = new Database(store);
  database.run("insert into meta (name, value) values ('snapshot_every', '0')");
}

/** Taking one item where very many wait and very many are done, against where a thousand wait. */
export async function takeRows(
  { folder }: Place,
  { operations, large, small }: Scale,
): Promise<Row[]> {
  const rounds = Math.min(operations, small) / 2;
  const path = (name: string) => join(folder, `take-${name}.db`);
  const [few, others, anyone] = await Promise.all([
    queueOf(path("few"), { waiting: small, to: "", done: 0 }),
    queueOf(path("others"), { waiting: large, to: "somebody", done: large, mine: small }),
    queueOf(path("anyone"), { waiting: large, to: "", done: large }),
  ]);
  const takeFrom = (store: typeof few) => () =>
    writing(store, "reader", async (at) => {
      const items = await take(at, { queue: "jobs" }, 1);
      if (items.length !== 1) throw new Error("nothing was taken");
    });
  const times = await inTurn(rounds, {
    few: takeFrom(few),
    others: takeFrom(others),
    anyone: takeFrom(anyone),
  });
  for (const store of [few, others, anyone]) await store.close();
  for (const name of Object.keys(times)) {
    requireCount(path(name), "queue_items where state = 'taken'", allRounds(rounds));
    requireCount(path(name), "events where verb = 'take'", allRounds(rounds));
  }
  const against = `take with ${small} waiting`;
  const what = `take with ${large} waiting`;
  return [
    compared(
      { what: `${what} for others, ${large} done`, against, goal: GOAL },
      times.others,
      times.few,
    ),
    compared(
      { what: `${what} for anyone, ${large} done`, against, goal: GOAL },
      times.anyone,
      times.few,
    ),
  ];
}

async function queueOf(
  path: string,
  { waiting, to, done, mine = 0 }: { waiting: number; to: string; done: number; mine?: number },
) {
  await (await openCoop(path)).close();
  inBulk(path, (database) => {
    const insert = (count: number, state: string, addressee: string) =>
      database.run(
        `insert into queue_items (scope, version, created_at, updated_at, author, state, queue, addressee, priority, payload, payload_type)
          with recursive numbers (i) as (select 1 union all select i + 1 from numbers where i < ${count})
          select '', 1, ${Date.now()}, ${Date.now()}, 'site', '${state}', 'jobs', '${addressee}', i % 5, '${PAYLOAD}', 'json'
          from numbers where ${count} > 0`,
      );
    insert(done, "done", to);
    insert(waiting, "waiting", to);
    insert(mine, "waiting", "reader");
    database.run("insert into counters (name, value) select 'Q', max(number) from queue_items");
  });
  return openCoop(path);
}
