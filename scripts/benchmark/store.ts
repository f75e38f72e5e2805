import { join } from "node:path";
import { addEntry } from "../../src/surfaces/history/store";
import { fill, inBulk } from "./fill";
import { ASKED_BY, settings } from "./growth";
import { openCoop, writing } from "./inside";
import { compared, requireCount, type Row, type Scale } from "./measure";
import type { Place } from "./place";

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
  await store.close();
  requireCount(path, "history_entries", entries);
  requireCount(path, "events", entries);
  const what = `the store's size for ${entries} history entries of 2 KB`;
  return compared(
    { what, against: "the text itself", unit: "MiB", goal: 1.5 },
    Bun.file(path).size / MIB,
    (entries * ENTRY_BYTES) / MIB,
  );
}

/** A look can miss the end of a command, where it has most. */
const LOOKS = 30;

const ORDINARY = [
  "history list",
  "history list --all-scopes --status all",
  "letter read",
  "letter list --status all",
  "todo list",
  "log",
  "who",
  "todo add Fix",
  "history add Split --body why",
  "queue push jobs text",
  "queue push jobs --jsonl lines",
];

/** What looks at the whole store, or writes it anew. The restored backup is the one made here. */
const MAINTENANCE = [
  "doctor",
  "backup --to backup.db",
  "queue archive --older 90d --to archive.db",
  "redact H5 --text secret-5.",
  "restore backup.db",
];

/** The records of each surface but history beside the large texts. */
const RECORDS = 20_000;

/** What a command may have more than a hello world. */
const ALLOWED_MIB = 16;

/** The memory of commands on a large store, over that of a hello world. */
export async function memoryRows(
  { home, hello, coop }: Place,
  { bytes, items }: Scale,
): Promise<Row[]> {
  if (process.platform !== "linux") return [];
  const at = home("memory", ASKED_BY);
  at.init();
  const body = 4000;
  fill(at.store, { letter: RECORDS, request: RECORDS, todo: RECORDS, queue: items }, Date.now());
  inBulk(at.store, (database) => {
    database.run(
      `insert into history_entries (scope, version, created_at, updated_at, author, slug, title, body)
        with recursive numbers (i) as (select 1 union all select i + 1 from numbers where i < ${Math.ceil(bytes / body)})
        select 'project-3', 1, i, i, 'brain-3', 'entry-' || i, '', 'secret-' || i || '. ' || printf('%.${body}c', 'x') from numbers`,
    );
    database.run("insert into counters (name, value) select 'H', max(number) from history_entries");
  });
  settings(at.store);
  await Bun.write(join(at.folder, "lines"), '{"payload":{"pr":17}}\n'.repeat(1000));
  const size = (Bun.file(at.store).size / 1e9).toFixed(1);

  const most = async (command: readonly string[], looks: number) => {
    let memory = 0;
    for (let look = 0; look < looks; look++) memory = Math.max(memory, await at.memoryOf(command));
    return memory / MIB;
  };
  const plain = await most([hello], LOOKS);
  const worst = async (what: string, commands: readonly string[], looks: number) => {
    let [memory, name] = [0, ""];
    for (const command of commands) {
      const used = await most([coop, ...command.split(" ")], looks);
      if (used > memory) [memory, name] = [used, command];
    }
    return compared(
      {
        what: `peak memory of ${what}, store of ${size} GB`,
        against: `hello world's + ${ALLOWED_MIB} MiB`,
        unit: "MiB",
        goal: 1,
        note: `the most: ${name}, ${(memory - plain).toFixed(1)} MiB over hello world's`,
      },
      memory,
      plain + ALLOWED_MIB,
    );
  };
  return [
    await worst("a command", ORDINARY, LOOKS),
    // One look each: they take long, and what a look misses is less than a millisecond.
    await worst("maintenance", MAINTENANCE, 1),
  ];
}
