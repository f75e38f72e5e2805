import { Database } from "bun:sqlite";

// The least that one would write by hand for a whole command in a store of coop's: an item with its event, or a list.

const [what, path] = process.argv.slice(2) as [string, string];
const database = new Database(path, { readwrite: true, strict: true });
database.run("pragma busy_timeout = 10000");
database.run("pragma synchronous = full");
if (what === "write") {
  const now = Date.now();
  database.run("begin immediate");
  const { number } = database
    .query<{ number: number }, []>(
      `insert into counters (name, value) values ('Q', 1)
        on conflict (name) do update set value = counters.value + 1 returning value as number`,
    )
    .get()!;
  database
    .query(
      `insert into queue_items (number, scope, version, created_at, updated_at, author, state, queue, addressee, priority,
        payload, payload_type) values (?1, '', 1, ?2, ?2, 'reader', 'waiting', 'jobs', '', 2, '{"pr":17}', 'json')`,
    )
    .run(number, now);
  database
    .query(
      `insert into events (at, author, host, pid, folder, surface, number, verb, version, state)
        values (?1, 'reader', 'studio', ?2, '/', 'queue', ?3, 'push', 1, 'waiting')`,
    )
    .run(now, process.pid, number);
  database.run("commit");
  database.close();
  console.log(`Q${number} waiting`);
} else {
  const rows = database
    .query<{ number: number; title: string }, []>(
      "select * from todos where state = 'open' order by number desc limit 50",
    )
    .all();
  database.close();
  console.log(rows.map(({ number, title }) => `T${number} open ${title}`).join("\n"));
}
