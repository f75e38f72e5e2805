import { Database } from "bun:sqlite";
import { join } from "node:path";
import { compared, inTurn, requireEqual, type Row, type Scale } from "./measure";
import { runOther, type Place } from "./place";

const HELLO = "hello world, compiled";

/** Whole commands, as brains run them, against a compiled hello world. */
export async function commandRows(
  { hello, byHand, folder, home }: Place,
  { runs }: Scale,
): Promise<Row[]> {
  const writing = home("writes");
  writing.init();
  const reading = home("reads");
  reading.init();
  reading.run(["letter", "write", "Where I stopped", "--body", "The parser is done.\n"]);
  reading.run(["letter", "read"]);
  for (let made = 0; made < 20; made++) reading.run(["todo", "add", `Do ${made}`]);

  const [write, read] = [join(folder, "by-hand-write.db"), join(folder, "by-hand-read.db")];
  byHandStore(write, 0);
  byHandStore(read, 20);

  const times = await inTurn(runs, {
    hello: () => runOther([hello], "^hello world\n$"),
    "a write by hand": () => runOther([byHand, "write", write], /^Q\d+ waiting\n$/),
    "a read by hand": () => runOther([byHand, "read", read], /^(Q\d+ waiting .*\n){20}$/),
    "queue push": () => writing.run(["queue", "push", "jobs", '{"pr":17}']),
    "todo add": () => writing.run(["todo", "add", "Fix the parser"]),
    "history add": () => {
      writing.run([
        "history",
        "add",
        "Split the parser",
        "--slug",
        Bun.randomUUIDv7(),
        "--body",
        "why",
      ]);
    },
    "letter write": () =>
      writing.run(["letter", "write", "Where I stopped", "--body", "tests next"]),
    "letter read, one open": () => reading.run(["letter", "read"]),
    "todo list of 20": () => reading.run(["todo", "list"]),
    "--help": () => reading.run(["--help"]),
    "a usage error": () => reading.run(["todo", "nope"], { exits: [2] }),
  });
  const written = runs + Math.ceil(runs / 10);
  for (const table of ["queue_items", "todos", "history_entries", "letters"])
    requireEqual(table, writing.count(`select count(*) as found from ${table}`), written);
  requireEqual("events", writing.count("select count(*) as found from events"), 4 * written);
  requireEqual("todos listed", reading.run(["todo", "list", "--quiet"]).split("\n").length - 1, 20);

  const goals = {
    "queue push": 1.5,
    "todo add": 1.5,
    "history add": 1.5,
    "letter write": 1.5,
    "letter read, one open": 1.4,
    "todo list of 20": 1.4,
    "--help": 1.4,
    "a usage error": 1.4,
  } as const;
  return [
    ...Object.entries(goals).map(([what, goal]) =>
      compared({ what, against: HELLO, goal }, times[what as keyof typeof goals], times.hello),
    ),
    compared(
      { what: "queue push", against: BY_HAND },
      times["queue push"],
      times["a write by hand"],
    ),
    compared(
      { what: "todo list of 20", against: BY_HAND },
      times["todo list of 20"],
      times["a read by hand"],
    ),
  ];
}

const BY_HAND = "the same by hand, compiled";

/** Makes the store of the program by hand, with so many items. */
function byHandStore(path: string, items: number): void {
  using database = new Database(path, { create: true, strict: true });
  for (const statement of [
    "pragma journal_mode = wal",
    "create table items (number integer primary key, at integer, author text, state text, queue text, priority integer, payload text)",
    "create index waiting on items (queue, priority, number) where state = 'waiting'",
    "create table events (id integer primary key, at integer, author text, number integer, verb text)",
    `insert into items (state, queue, priority, payload)
      select 'waiting', 'jobs', 2, '{"pr":17}' from json_each('[${Array(items).fill(0).join()}]')`,
  ])
    database.run(statement);
}

const PROCESSES = 8;

/** Eight that write at once, against eight hello worlds. */
export async function concurrencyRow(
  { hello, coop, home, folder }: Place,
  { runs }: Scale,
): Promise<Row> {
  const writes = 50;
  const at = home("concurrent");
  at.init();
  const env = { HOME: `${folder}/concurrent`, PATH: process.env["PATH"] };
  const each = async (command: readonly string[]) => {
    for (let done = 0; done < writes; done++) {
      const child = Bun.spawn([...command], {
        env,
        cwd: env.HOME,
        stdio: ["ignore", "ignore", "pipe"],
      });
      if ((await child.exited) !== 0) throw new Error(await new Response(child.stderr).text());
    }
  };
  const together = (commandOf: (process: number) => readonly string[]) => () =>
    Promise.all(Array.from({ length: PROCESSES }, (_, process) => each(commandOf(process))));
  const rounds = runs > 100 ? 5 : 2;
  const times = await inTurn(rounds, {
    coop: together((process) => [
      coop,
      "--as",
      `brain-${process}`,
      "todo",
      "add",
      "Fix the parser",
    ]),
    hello: together(() => [hello]),
  });
  const expected = (rounds + 1) * PROCESSES * writes;
  requireEqual("todos", at.count("select count(*) as found from todos"), expected);
  return compared(
    {
      what: `${PROCESSES} processes × ${writes} writes, none failed`,
      against: `as many ${HELLO}`,
      goal: 2,
    },
    times.coop,
    times.hello,
  );
}
