import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { insertAlike } from "../../src/store/alike";
import { join, raw, sql, tuples, type Value } from "../../src/store/sql";
import type { Store } from "../../src/store/open";
import { engines, failure } from "../engines";

const numbered = (position: number) => `$${position}`;

describe("a statement", () => {
  test("has its pieces, rows and conditions in place", () => {
    const statement = sql`insert into ${raw("t")} values ${tuples(2, [1, "a", 2, "b"])} ${join([3, raw("x")], "; ")}`;
    expect(statement.render(numbered)).toEqual({
      text: "insert into t values ($1, $2), ($3, $4) $5; x",
      values: [1, "a", 2, "b", 3],
    });
    expect(join([]).render(numbered).text).toBe("");
  });

  test("has the same placeholder for every value where they are alike", () => {
    const statement = sql`values ${tuples(2, [1, "a", 2, "b"])}, (${3}, ${join([4])})`;
    expect(statement.render("?")).toEqual({
      text: "values (?, ?), (?, ?), (?, ?)",
      values: [1, "a", 2, "b", 3, 4],
    });
    expect(tuples(1, [7]).render("?")).toEqual({ text: "(?)", values: [7] });
  });
});

describe.each(engines)("rows that are alike, on $name", ({ openFresh }) => {
  let store: Store;
  let close: () => Promise<void>;
  beforeEach(async () => {
    ({ store, close } = await openFresh());
  });
  afterEach(() => close());

  const inserted = async (columns: Record<string, Value[]>) => {
    await store.transaction((tx) =>
      insertAlike(tx, "keys", { author: "ann", verb: "queue push", fingerprint: "f" }, columns),
    );
    return store.all(sql`select * from keys order by at`);
  };

  test("are inserted with what each has of its own, however many", async () => {
    for (const length of [1, 2, 500, 501]) {
      const of = <V>(make: (index: number) => V) =>
        Array.from({ length }, (_, index) => make(index));
      const rows = await inserted({
        key: of((index) => `${length}-${index}`),
        result: of((index) => (index % 2 === 0 ? '"Q1"' : "'; --")),
        at: of((index) => length * 1000 + index),
      });
      expect(rows.slice(-length)).toEqual(
        of((index) => ({
          author: "ann",
          verb: "queue push",
          key: `${length}-${index}`,
          fingerprint: "f",
          at: length * 1000 + index,
          result: index % 2 === 0 ? '"Q1"' : "'; --",
        })),
      );
    }
  });

  test("may have columns that turn out to be the same in all of them", async () => {
    const rows = await inserted({ key: ["a", "b"], result: ["1", "1"], at: [2 ** 53 - 1, 1] });
    expect(rows.map(({ key, result, at }) => [key, result, at])).toEqual([
      ["b", "1", 1],
      ["a", "1", 2 ** 53 - 1],
    ]);
  });
});

test.each(engines)(
  "a row that names a record that is not there is refused in $name",
  async (engine) => {
    const { store, close } = await engine.openFresh();
    await failure(store.all(sql`insert into todo_after (todo, after) values (${1}, ${2})`));
    expect(await store.all(sql`select * from todo_after`)).toEqual([]);
    await close();
  },
);
