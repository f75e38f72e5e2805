import { Database } from "bun:sqlite";
import { join } from "node:path";
import { SURFACES } from "../../src/ref";
import { take } from "../../src/surfaces/queue/store";
import { fill, inBulk } from "./fill";
import { openCoop, PAYLOAD, writing } from "./inside";
import { compared, inTurn, requireEqual, type Row, type Scale } from "./measure";
import type { Home, Place } from "./place";

/** A command for each way that a store is read, by an id that has little in it and one that has much. */
const READING = [
  "letter read",
  "letter read L500",
  "letter show L500",
  "letter list",
  "letter list --all-scopes",
  "letter list --to brain-3",
  "letter list --mine",
  "letter list --from brain-3 --status done",
  "letter list --since 1d",
  "request show R500",
  "request list",
  "request list --all-scopes",
  "request list --waiting-on brain-3",
  "request list --waiting-on me",
  "request list --from nobody --status all",
  "request list --kind kind-1",
  "todo show T500",
  "todo list",
  "todo list --all-scopes",
  "todo list --mine",
  "todo list --from brain-3",
  "todo list --priority 0",
  "todo list --status all",
  "todo list --since 1d",
  "todo ready",
  "todo ready --all-scopes",
  "todo ready --mine",
  "history show H500",
  "history list",
  "history list --all-scopes",
  "history list --from brain-3",
  "history pending",
  "queue show Q500",
  "queue replies Q500",
  "queue list",
  "queue list jobs-1",
  "queue list --mine",
  "queue list --to brain-3",
  "queue list --from brain-3",
  "queue list --scope nowhere",
  "queue list --taken-by brain-3",
  "queue list --status all",
  "queue list --since 1d",
  "queue stats",
  "queue stale --older 1h",
  "show T500",
  "log",
  "log T500",
  "log --since 1d",
  "log --by brain-3",
  "who",
  "whoami",
];

/** Every listing and reading verb where there is much, against where there is little: a row each. */
export async function readingRows({ home }: Place, { runs, large, small }: Scale): Promise<Row[]> {
  const much = filled(home("large"), large);
  const little = filled(home("small"), small);
  const rows: Row[] = [];
  for (const command of READING) {
    const words = ["--scope", "project-3", ...command.split(" ")];
    // Queues span projects unless one is named, and the last name wins over none.
    const named =
      command.startsWith("queue") ||
      command.includes("--scope") ||
      command.includes("--all-scopes");
    const given = named ? command.split(" ") : words;
    const times = await inTurn(Math.max(10, Math.round(runs / 4)), {
      much: () => much.run(given),
      little: () => little.run(given),
    });
    const lines = [much, little].map((at) => at.run(given).trim().split("\n").length);
    const note = lines[0] === lines[1] ? {} : { note: `${lines[0]} lines against ${lines[1]}` };
    rows.push(
      compared(
        { what: command, against: `the same with ${small}`, goal: 1.3, ...note },
        times.much,
        times.little,
      ),
    );
  }
  return rows;
}

function filled(at: Home, records: number): Home {
  at.init();
  fill(at.store, Object.fromEntries(SURFACES.map((surface) => [surface, records])), Date.now());
  settings(at.store);
  for (const table of ["letters", "requests", "todos", "history_entries", "queue_items"])
    requireEqual(table, at.count(`select count(*) as found from ${table}`), records);
  requireEqual("events", at.count("select count(*) as found from events"), 5 * records);
  at.run(["letter", "write", "Where I stopped", "--body", "The parser is done."]);
  at.run(["letter", "read"]);
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
  const [few, others, anyone] = await Promise.all([
    queueOf(join(folder, "take-few.db"), { waiting: small, to: "", done: 0 }),
    queueOf(join(folder, "take-others.db"), {
      waiting: large,
      to: "somebody",
      done: large,
      mine: small,
    }),
    queueOf(join(folder, "take-anyone.db"), { waiting: large, to: "", done: large }),
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
  const against = `take with ${small} waiting`;
  const what = `take with ${large} waiting`;
  return [
    compared(
      { what: `${what} for others, ${large} done`, against, goal: 1.3 },
      times.others,
      times.few,
    ),
    compared(
      { what: `${what} for anyone, ${large} done`, against, goal: 1.3 },
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
