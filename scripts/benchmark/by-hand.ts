import { Database } from "bun:sqlite";

// The least that one would write by hand for a whole command: one insert with its event, or one list of twenty.

const [what, path] = process.argv.slice(2) as [string, string];
const database = new Database(path, { readwrite: true, strict: true });
database.run("pragma synchronous = full");
if (what === "write") {
  const now = Date.now();
  database.run("begin immediate");
  const { number } = database
    .query<{ number: number }, [number, string]>(
      "insert into items (at, author, state, queue, priority, payload) values (?1, 'reader', 'waiting', 'jobs', 2, ?2) returning number",
    )
    .get(now, '{"pr":17}')!;
  database
    .query("insert into events (at, author, number, verb) values (?1, 'reader', ?2, 'push')")
    .run(now, number);
  database.run("commit");
  database.close();
  console.log(`Q${number} waiting`);
} else {
  const rows = database
    .query<{ number: number; payload: string }, []>(
      "select * from items where state = 'waiting' order by number desc limit 20",
    )
    .all();
  database.close();
  console.log(rows.map(({ number, payload }) => `Q${number} waiting ${payload}`).join("\n"));
}
