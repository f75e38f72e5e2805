import { join } from "node:path";
import { first, sql } from "../../src/store/sql";
import { addEntry } from "../../src/surfaces/history/store";
import { inBulk } from "./fill";
import { settings } from "./growth";
import { openCoop, writing } from "./inside";
import { requireEqual, type Row, type Scale } from "./measure";
import { memoryOf, type Place } from "./place";

const ENTRY_BYTES = 2048;
const ENTRIES_A_TRANSACTION = 500;
const MIB = 1024 * 1024;

/** The store's size for many history entries, against the text in them. */
export async function sizeRow({ folder }: Place, { entries }: Scale): Promise<Row> {
  const path = join(folder, "size.db");
  const store = await openCoop(path);
  const body = "The parser did two things: reading and checking. ".repeat(50).slice(0, ENTRY_BYTES);
  for (let made = 0; made < entries; made += ENTRIES_A_TRANSACTION)
    await writing(store, "reader", async (at) => {
      for (let number = made; number < made + ENTRIES_A_TRANSACTION; number++)
        await addEntry(at, {
          scope: "project",
          slug: `entry-${number}`,
          title: "",
          body,
          commitSha: null,
        });
    });
  const there = await first<{ found: number }>(
    store,
    sql`select count(*) as found from history_entries`,
  );
  requireEqual("entries", there!.found, entries);
  await store.close();
  const [size, text] = [Bun.file(path).size / MIB, (entries * ENTRY_BYTES) / MIB];
  return {
    what: `the store's size for ${entries} history entries of 2 KB`,
    against: "the text itself",
    coop: size,
    other: text,
    unit: "MiB",
    ratio: size / text,
    goal: 1.5,
  };
}

/** A look can miss the end of a command, where it has most. */
const LOOKS = 30;

const COMMANDS = [
  ["history", "list"],
  ["history", "list", "--all-scopes", "--status", "all"],
  ["letter", "read"],
  ["todo", "add", "Fix the parser"],
  ["queue", "push", "jobs", "text"],
  ["history", "add", "Split", "--body", "why"],
  ["log"],
  ["who"],
];

/** The memory of commands on a large store, over that of a hello world. */
export function memoryRow({ home, hello }: Place, { bytes }: Scale): Row[] {
  if (process.platform !== "linux") return [];
  const at = home("memory");
  at.init();
  const body = 4000;
  inBulk(at.store, (database) => {
    database.run(
      `insert into history_entries (scope, version, created_at, updated_at, author, slug, title, body)
        with recursive numbers (i) as (select 1 union all select i + 1 from numbers where i < ${Math.ceil(bytes / body)})
        select '', 1, i, i, 'reader', 'entry-' || i, '', printf('%.${body}c', 'x') from numbers`,
    );
    database.run("insert into counters (name, value) select 'H', max(number) from history_entries");
  });
  settings(at.store);
  const most = (look: () => number) => Math.max(...Array.from({ length: LOOKS }, look)) / MIB;
  const plain = most(() => memoryOf([hello]));
  const used = COMMANDS.map((words) => ({ words, memory: most(() => at.memoryOf(words)) }));
  const worst = used.reduce((one, other) => (other.memory > one.memory ? other : one));
  const size = Bun.file(at.store).size;
  const row = {
    what: `peak memory of a command, store of ${(size / 1e9).toFixed(1)} GB`,
    against: "hello world's",
    coop: worst.memory,
    other: plain,
    unit: "MiB",
    ratio: worst.memory - plain,
    goal: 16,
    note: `the most: ${worst.words.join(" ")}; the figure is the difference in MiB`,
  };
  return [row];
}
