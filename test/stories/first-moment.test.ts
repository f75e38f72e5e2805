import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { story, times } from "../story";

const PROCESSES = 16;
const WRITES = 15;

/** The nth write of a program, on each surface in turn. */
const writeOf = (who: string, n: number): string[] => {
  const title = `${who} ${n}`;
  const kinds = [
    ["letter", "write", title, "--body", "x"],
    ["request", "open", title, "--to", "dad", "--body", "x"],
    ["todo", "add", title],
    ["history", "add", title, "--body", "x"],
    ["queue", "push", "inbox", title],
  ];
  return kinds[n % kinds.length]!;
};

const TABLES = ["letters", "requests", "todos", "history_entries", "queue_items"];

test("sixteen programs that begin at once on no store lose no write", async () => {
  await using coop = await story({ init: false });
  const programs = await times(PROCESSES, async (index) => {
    const as = `brain-${index}`;
    const { created } = await coop.data(["init"]);
    const refs: string[] = [];
    // The default is to wait 10 s for a turn: none of these needs more.
    for (let n = 0; n < WRITES; n++) refs.push((await coop.data(writeOf(as, n), { as })).ref);
    return { created, refs };
  });

  expect(programs.filter(({ created }) => created)).toHaveLength(1);
  const refs = programs.flatMap((each) => each.refs);
  expect(new Set(refs).size).toBe(PROCESSES * WRITES);

  const store = new Database(coop.store, { readonly: true });
  const count = (what: string) => store.query(`select count(*) as count from ${what}`).get();
  for (const table of TABLES)
    expect(count(table)).toEqual({ count: (PROCESSES * WRITES) / TABLES.length });
  expect(count("events")).toEqual({ count: PROCESSES * WRITES });
  expect(count("(select distinct surface, number, version from events)")).toEqual({
    count: PROCESSES * WRITES,
  });
  expect(store.query("pragma integrity_check").all()).toEqual([{ integrity_check: "ok" }]);
  expect(store.query("pragma foreign_key_check").all()).toEqual([]);
  store.close();
});
