import { Database } from "bun:sqlite";
import { afterEach, beforeEach, expect, test } from "bun:test";
import { truncate } from "node:fs/promises";
import { dirname, join } from "node:path";
import { build } from "../../scripts/build.ts";
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
  /** What was renamed to it. */
  from?: string;
}

const WRITES = ["fsync", "fdatasync", "pwrite64", "write", "writev"];
const CALLS = ["openat", "open", ...WRITES, "rename", "renameat", "renameat2", "unlink"];

/** Runs a command that must succeed without a word, and gives its calls that open, write, sync or rename a file, in their order. */
async function callsOf(...words: string[]): Promise<Call[]> {
  const { calls, err } = await traced(COOP, words);
  expect(err).toBe("");
  return calls;
}

/** The same of one that may warn, by any coop. */
async function traced(program: string, words: string[]): Promise<{ calls: Call[]; err: string }> {
  const file = join(coop.folder, "calls");
  const by = tracing(CALLS, file);
  const { exit, err } = await coop.run([...by.slice(1), program, ...words], { program: by[0]! });
  expect({ exit, err }).toEqual({ exit: 0, err });
  const lines = (await Bun.file(file).text()).split("\n");
  return { calls: callsIn(lines), err };
}

function callsIn(lines: readonly string[]): Call[] {
  return lines.flatMap((line) => {
    const [, opened] = /^\d+ +(?:<\.\.\. )?open(?:at)?\b.* = \d+<(.*)>$/.exec(line) ?? [];
    if (opened) return { call: "open", file: opened };
    const [, from, to] =
      /^\d+ +rename\w*\((?:AT_FDCWD[^,]*, )?"(.*?)", (?:AT_FDCWD[^,]*, )?"(.*?)"/.exec(line) ?? [];
    if (to !== undefined) return { call: "rename", file: to, from: from! };
    const [, removed] = /^\d+ +unlink\("(.*?)"/.exec(line) ?? [];
    if (removed !== undefined) return { call: "unlink", file: removed };
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

test("a commit by a rollback journal is on the disk before it is told of, also that the journal is gone", async () => {
  other.close();
  await coop.data(["init", "--journal", "rollback"]);
  const archive = join(coop.folder, "archive.db");
  await coop.data(["queue", "push", "jobs", "x"], { as: "ann" });
  await coop.data(["queue", "drop", "Q1"], { as: "ann" });
  for (const [file, words] of [
    [coop.store, ["todo", "add", "x"]],
    [archive, ["queue", "archive", "--older", "0s", "--to", archive]],
  ] as const) {
    const calls = await callsOf("--as", "ann", ...words);
    const gone = calls.findLastIndex(
      ({ call, file: of }) => call === "unlink" && of === `${file}-journal`,
    );
    expect(gone).toBeGreaterThanOrEqual(0);
    const told = calls.findIndex(({ call, file: of }) => call === "write" && of === "stdout");
    expect(calls.slice(gone, told)).toContainEqual({ call: "sync", file: dirname(file) });
  }
});

test("what is answered again is on the disk by then, whatever became of the first that wrote it", async () => {
  const commands = [
    ["todo", "add", "x", "--key", "k"],
    ["history", "add", "x", "--slug", "s", "--body", "y"],
    ["history", "commit", "s", "abc1234"],
    ["redact", "T1", "--text", "nowhere"],
  ];
  for (const words of commands) await coop.data(words, { as: "ann" });
  const lines = join(coop.folder, "lines");
  await Bun.write(lines, '{"payload":1,"key":"l"}\n');
  const push = ["queue", "push", "jobs", "--jsonl", lines];
  await coop.data(push, { as: "ann" });
  for (const words of [...commands, push]) {
    const calls = await callsOf("--as", "ann", ...words);
    const log = `${coop.store}-wal`;
    const at = (call: string) =>
      calls.findLastIndex((each) => each.call === call && each.file === log);
    expect({ words, written: at("write") >= 0, synced: at("sync") > at("write") }).toEqual({
      words,
      written: true,
      synced: true,
    });
  }
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

/** Holds calls to a file that is on the disk before it has its name, and has that on the disk before anything else is written. */
function requireDurable(calls: readonly Call[], file: string): void {
  const named = calls.findIndex((each) => each.call === "rename" && each.file === file);
  const made = calls[named]?.from;
  const before = calls.slice(0, Math.max(0, named)).filter((each) => each.file === made);
  expect(before.findLast(({ call }) => call !== "open")).toEqual({ call: "sync", file: made! });
  const after = calls.slice(named + 1);
  // Threads wake each other by a write too, to what is no file.
  const next = after.findIndex(
    ({ call, file: of }) => call === "write" && (of === "stdout" || of.startsWith("/")),
  );
  expect(after.slice(0, next)).toContainEqual({ call: "sync", file: dirname(file) });
  expect(after).toContainEqual({ call: "write", file: "stdout" });
}

test("a backup is on the disk before it has its name, and with its name before it is told of", async () => {
  const file = join(coop.folder, "copy.db");
  requireDurable(await callsOf("backup", "--to", file), file);
});

test("what a store was before its schema is changed is on the disk by then", async () => {
  const next = join(coop.folder, "next");
  await build({ entry: join(import.meta.dir, "../fixtures/next.ts"), outfile: next });
  const version = other.query("pragma user_version").values()[0]![0];
  const { calls } = await traced(next, ["todo", "list"]);
  requireDurable(calls, `${coop.store}.schema-${version}`);
});

test("a store that is put in the place of one that cannot be opened is there on the disk before it is told of", async () => {
  const file = join(coop.folder, "copy.db");
  await coop.data(["backup", "--to", file]);
  other.close();
  await truncate(coop.store, 5000);
  const { calls, err } = await traced(COOP, ["--as", "dad", "restore", file]);
  expect(err).toContain("could not be opened, and was replaced");
  requireDurable(calls, coop.store);
});
