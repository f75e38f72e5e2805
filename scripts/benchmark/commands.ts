import { allRounds, compared, inTurn, requireCount, type Row, type Scale } from "./measure";
import type { Place } from "./place";

const HELLO = "hello world, compiled";

/** What each command may cost, in hello worlds; undefined where it only tells. */
const GOALS = {
  "queue push": 1.5,
  "todo add": 1.5,
  "history add": 1.5,
  "letter write": 1.5,
  "letter read, one open": 1.4,
  "letter read, one unread": undefined,
  "todo list of 20": 1.4,
  "--help": 1.4,
  "a usage error": 1.4,
};

/** Whole commands, as brains run them, against a compiled hello world. */
export async function commandRows({ hello, byHand, home }: Place, { runs }: Scale): Promise<Row[]> {
  const [writing, reading, marking] = [home("writes"), home("reads"), home("marks")];
  const writingByHand = home("writes-by-hand");
  for (const at of [writing, reading, marking, writingByHand]) at.init();
  const letter = ["letter", "write", "Where I stopped", "--body", "The parser is done."];
  const inFull = /The parser is done\.\n```\n$/;
  reading.run(letter);
  reading.run(["letter", "read"]);
  for (let made = 0; made < 20; made++) reading.run(["todo", "add", `Do ${made}`]);
  let letters = 0;
  const twenty = /^(T\d+ open .*\n){20}$/;
  const slug = () => Bun.randomUUIDv7();
  const times = await inTurn(
    runs,
    {
      hello: () => writing.runOther([hello], { says: /^hello world\n$/ }),
      "a write by hand": () =>
        writingByHand.runOther([byHand, "write", writingByHand.store], {
          says: /^Q\d+ waiting\n$/,
        }),
      "a read by hand": () => reading.runOther([byHand, "read", reading.store], { says: twenty }),
      "queue push": () => writing.run(["queue", "push", "jobs", '{"pr":17}']),
      "todo add": () => writing.run(["todo", "add", "Fix the parser"]),
      "history add": () =>
        writing.run(["history", "add", "Split the parser", "--slug", slug(), "--body", "why"]),
      "letter write": () => writing.run(letter),
      "letter read, one open": () => reading.run(["letter", "read"], { says: inFull }),
      "letter read, one unread": () => marking.run(["letter", "read"], { says: inFull }),
      "todo list of 20": () => reading.run(["todo", "list"], { says: twenty }),
      "--help": () => reading.run(["--help"], { says: /^coop: [^]*\n {2}--version / }),
      "a usage error": () =>
        reading.run(["todo", "nope"], { exit: 2, says: /^coop: there is no `coop todo nope`/ }),
    },
    {
      "letter read, one unread": () =>
        marking.run([...letter, ...(letters++ === 0 ? [] : ["--supersedes", `L${letters - 1}`])]),
    },
  );
  const all = allRounds(runs);
  for (const at of [writing, writingByHand]) {
    requireCount(at.store, "queue_items", all);
    requireCount(at.store, "events where surface = 'queue'", all);
  }
  for (const table of ["todos", "history_entries", "letters"])
    requireCount(writing.store, table, all);
  requireCount(writing.store, "events", 4 * all);
  requireCount(marking.store, "events where verb = 'read'", all);

  const byHandIs = (what: "queue push" | "todo list of 20", other: number) =>
    compared({ what, against: "the same by hand, compiled" }, times[what], other);
  return [
    ...(Object.keys(GOALS) as (keyof typeof GOALS)[]).map((what) =>
      compared({ what, against: HELLO, goal: GOALS[what] }, times[what], times.hello),
    ),
    byHandIs("queue push", times["a write by hand"]),
    byHandIs("todo list of 20", times["a read by hand"]),
  ];
}

const PROCESSES = 8;

/** Eight that write at once, against eight hello worlds. */
export async function concurrencyRows(
  { hello, byHand, coop, home }: Place,
  { runs }: Scale,
): Promise<Row[]> {
  const writes = 50;
  const [at, atByHand] = [home("concurrent"), home("concurrent-by-hand")];
  for (const one of [at, atByHand]) one.init();
  const each = async (command: readonly string[], says: RegExp) => {
    for (let done = 0; done < writes; done++) {
      const child = Bun.spawn([...command], {
        env: at.env,
        cwd: at.folder,
        stdio: ["ignore", "pipe", "pipe"],
      });
      const said = await child.stdout.text();
      if ((await child.exited) !== 0 || !says.test(said))
        throw new Error(`${command.join(" ")}: ${said}${await child.stderr.text()}`);
    }
  };
  const together = (commandOf: (process: number) => readonly string[], says: RegExp) => () =>
    Promise.all(Array.from({ length: PROCESSES }, (_, process) => each(commandOf(process), says)));
  const add = (process: number) => [coop, "--as", `brain-${process}`, "todo", "add", "Fix it"];
  const rounds = runs > 100 ? 5 : 2;
  const times = await inTurn(rounds, {
    coop: together(add, /^T\d+ open /),
    hello: together(() => [hello], /^hello world\n$/),
    byHand: together(() => [byHand, "write", atByHand.store], /^Q\d+ waiting\n$/),
  });
  const written = allRounds(rounds) * PROCESSES * writes;
  requireCount(at.store, "todos", written);
  requireCount(atByHand.store, "queue_items", written);
  for (const { store } of [at, atByHand]) requireCount(store, "events", written);
  const what = `${PROCESSES} processes × ${writes} writes, none failed`;
  return [
    compared({ what, against: `as many ${HELLO}`, goal: 2 }, times.coop, times.hello),
    compared({ what, against: "as many by hand, compiled" }, times.coop, times.byHand),
  ];
}
