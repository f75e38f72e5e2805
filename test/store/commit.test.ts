import { Database } from "bun:sqlite";
import { expect, spyOn, test } from "bun:test";
import { renameSync } from "node:fs";
import { setMeta } from "../../src/store/schema";
import { raw } from "../../src/store/sql";
import { addTodo } from "../../src/surfaces/todo/store";
import { engines, failure, writingAs } from "../engines";
import { inside, nameOf } from "../inside";

/** SQLite's error when the disk fails while a commit is being made durable. */
const ioError = Object.assign(new Error("disk I/O error"), { code: "SQLITE_IOERR_FSYNC" });

test("letters are shown where the commit of their mark is not answered, with a warning that says so", async () => {
  const { store, close } = await engines.find(({ name }) => name === "SQLite")!.openFresh();
  await using coop = await inside(store);
  await coop.data(["letter", "write", "--body", "hello"], { as: "ann" });

  const run = Database.prototype.run;
  const broken = spyOn(Database.prototype, "run").mockImplementation(function (
    this: Database,
    sql,
    ...rest
  ) {
    if (sql === "commit") throw ioError;
    return run.call(this, sql, ...rest);
  });
  const read = await coop.run(["--json", "letter", "read"], { as: "ann" });
  broken.mockRestore();

  expect(read.exit).toBe(0);
  expect(read.json()).toMatchObject({
    data: [{ body: "hello", marked: false }],
    warnings: [
      { code: "not_marked", message: expect.stringContaining("it may have been written") },
    ],
  });
  await close();
});

test("a commit that is not answered is never a success: exit 8, and the repeat with its key is right", async () => {
  const { store, close } = await engines.find(({ name }) => name === "SQLite")!.openFresh();
  await using coop = await inside(store);
  const add = ["--json", "todo", "add", "Fix the parser", "--key", "k"];

  const run = Database.prototype.run;
  const broken = spyOn(Database.prototype, "run").mockImplementation(function (
    this: Database,
    sql,
    ...rest
  ) {
    const result = run.call(this, sql, ...rest);
    // The disk fails after the log was written: the transaction is in, and nobody heard of it.
    if (sql === "commit") throw ioError;
    return result;
  });
  const unanswered = await coop.run(add, { as: "ann" });
  broken.mockRestore();

  expect(unanswered.exit).toBe(8);
  expect(unanswered.out).toBe("");
  expect(unanswered.json().error).toMatchObject({
    code: "unknown",
    hint: expect.stringContaining("--key"),
  });
  expect((await coop.run(add, { as: "ann" })).json()).toMatchObject({
    data: { ref: "T1" },
    replayed: true,
  });
  expect(await coop.data(["todo", "list"])).toHaveLength(1);
  await close();
});

test("a commit into a file that is moved away at that moment is no success: exit 8", async () => {
  const { store, close } = await engines.find(({ name }) => name === "SQLite")!.openFresh();
  await using coop = await inside(store);
  const path = nameOf(store);

  const run = Database.prototype.run;
  const moving = spyOn(Database.prototype, "run").mockImplementation(function (
    this: Database,
    sql,
    ...rest
  ) {
    const result = run.call(this, sql, ...rest);
    if (sql === "commit") renameSync(path, `${path}.away`);
    return result;
  });
  const { exit, json } = await coop.run(["--json", "todo", "add", "x"], { as: "ann" });
  moving.mockRestore();
  renameSync(`${path}.away`, path);

  expect(exit).toBe(8);
  expect(json().error).toMatchObject({
    code: "unknown",
    message: expect.stringContaining("was moved or replaced at that moment"),
  });
  await close();
});

test.each(engines)(
  "a store that a newer coop closed to this one while it waited is not written to, on $name",
  async ({ openFresh }) => {
    const { store, close } = await openFresh();
    await store.transaction((tx) => setMeta(tx, "min_writer", "99"));
    const refused = await failure(
      writingAs(store, "ann", (writing) =>
        addTodo(writing, { scope: "", title: "x", body: "", to: null, priority: 2, after: [] }),
      ),
    );
    expect(refused).toMatchObject({ code: "unavailable", details: { reason: "newer" } });
    expect(await store.all(raw("select * from todos"))).toEqual([]);
    await close();
  },
);
