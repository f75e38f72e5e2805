import { Database } from "bun:sqlite";
import { afterEach, beforeEach, expect, test } from "bun:test";
import { dirname, join } from "node:path";
import { COOP } from "../binary";
import { story, type Story } from "../story";
import { tracing } from "../torture/tracing";

let coop: Story;
/** Another that has the store open, so that the command is not the last to close it, which would move the log. */
let other: Database;
beforeEach(async () => {
  coop = await story();
  await coop.data(["todo", "add", "first"], { as: "ann" });
  other = new Database(coop.store);
  other.query("select * from todos").all();
});
afterEach(async () => {
  other.close();
  await coop[Symbol.asyncDispose]();
});

/** A call to the system that a command made, and the file that it was about. */
interface Call {
  call: string;
  file: string;
}

/** Runs a command that must succeed, and gives its calls that open, write or sync a file, in their order. */
async function callsOf(...words: string[]): Promise<Call[]> {
  const file = join(coop.folder, "calls");
  const by = tracing(["openat", "open", "fsync", "fdatasync", "pwrite64", "write", "writev"], file);
  const { exit, err } = await coop.run([...by.slice(1), COOP, ...words], { program: by[0]! });
  expect({ exit, err }).toEqual({ exit: 0, err: "" });
  const lines = (await Bun.file(file).text()).split("\n");
  return lines.flatMap((line) => {
    const [, opened] = /^\d+ +(?:<\.\.\. )?open(?:at)?\b.* = \d+<(.*)>$/.exec(line) ?? [];
    if (opened) return { call: "open", file: opened };
    const [, done, handle, path] = /^\d+ +(\w+)\((\d+)<([^>]*)>/.exec(line) ?? [];
    if (!done) return [];
    const what = done.includes("sync") ? "sync" : "write";
    return { call: what, file: handle === "1" ? "stdout" : path! };
  });
}

test("what a command says that it wrote is on the disk before it says so", async () => {
  const calls = await callsOf("--as", "ann", "todo", "add", "x");
  const log = `${coop.store}-wal`;
  const at = (call: string, file: string) =>
    calls.findLastIndex((each) => each.call === call && each.file === file);
  expect(at("write", log)).toBeGreaterThanOrEqual(0);
  expect(at("sync", log)).toBeGreaterThan(at("write", log));
  const said = calls.findIndex(({ call, file }) => call === "write" && file === "stdout");
  expect(said).toBeGreaterThan(at("sync", log));
});

test("a command opens the store and its log once, and nothing else of the person's", async () => {
  const { store, home } = coop;
  // The folder itself is synced with a log that is new to the command.
  const isFile = (path: string) => path.startsWith(home) && path !== dirname(store);
  const own = [store, `${store}-shm`, `${store}-wal`];
  for (const words of [
    ["--as", "ann", "todo", "add", "x"],
    ["todo", "list"],
  ]) {
    const calls = await callsOf(...words);
    const opened = calls.filter(({ call, file }) => call === "open" && isFile(file));
    expect(opened.map(({ file }) => file).toSorted()).toEqual(own);
  }
});

test("a command that only reads writes and syncs nothing", async () => {
  const calls = await callsOf("todo", "list");
  expect(calls.filter(({ call }) => call === "sync")).toEqual([]);
  const folder = dirname(coop.store);
  const written = calls.filter(({ call, file }) => call === "write" && file.startsWith(folder));
  expect(written).toEqual([]);
  expect(calls).toContainEqual({ call: "write", file: "stdout" });
});
