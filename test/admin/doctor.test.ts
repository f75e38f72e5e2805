import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { check, failed, ok, warn, worst } from "../../src/admin/doctor/check";
import { locks, mount, sqliteOf } from "../../src/admin/doctor/file";
import { size } from "../../src/admin/size";
import { CoopError } from "../../src/errors";
import { Wait } from "../../src/store/wait";
import { clock } from "../engines";

const HERE = join(tmpdir(), "coop.db");
/** Where nothing can be locked and no database is made. */
const THERE = "/proc/coop.db";
const NEW = "3.54.1";
const OLD = "3.43.2";
const kept = { journal: undefined, oneHost: false };
const hosts = ["studio", "laptop"];

test("a journal that its mount does not bear fails, and one that it bears is ok", async () => {
  const at = (path: string, actual: "wal" | "rollback", more: object = {}) =>
    check("mount", () => mount(path, { actual, kept: { ...kept, ...more }, sqlite: NEW, hosts }));
  expect(await at(HERE, "wal")).toMatchObject({ status: "ok" });
  expect(await at(HERE, "rollback")).toMatchObject({ status: "ok" });
  expect(await at(HERE, "wal", { journal: "rollback" })).toMatchObject({
    status: "fail",
    fix: "coop init --journal rollback",
  });
  expect(await at(HERE, "rollback", { journal: "wal" })).toMatchObject({
    status: "warn",
    fix: "coop init --journal wal",
  });
  expect(await at(THERE, "wal")).toMatchObject({
    status: "fail",
    message: expect.stringContaining("proc"),
    fix: expect.stringContaining("--one-host"),
  });
  expect(await at(THERE, "wal", { oneHost: true })).toMatchObject({
    status: "fail",
    fix: "coop init --journal rollback --one-host",
  });
  expect(await at(THERE, "rollback", { oneHost: true })).toMatchObject({
    status: "warn",
    message: expect.stringContaining("one host alone, and studio, laptop wrote to the store"),
  });
});

test("a SQLite that can damage a write-ahead log fails where there is one", async () => {
  expect(sqliteOf({ sqlite: NEW, actual: "wal", kept, hosts }).status).toBe("ok");
  expect(sqliteOf({ sqlite: OLD, actual: "rollback", kept, hosts }).status).toBe("ok");
  expect(sqliteOf({ sqlite: OLD, actual: "wal", kept, hosts })).toMatchObject({
    status: "fail",
    fix: "coop init --journal rollback",
  });
  expect(await mount(HERE, { sqlite: OLD, actual: "wal", kept, hosts })).toMatchObject({
    status: "ok",
  });
});

test("locks that do not work fail, and the probe leaves nothing", async () => {
  const folder = await mkdtemp(join(tmpdir(), "coop-doctor-"));
  const wait = new Wait(0, clock);
  expect(await locks(join(folder, "coop.db"), "wal", wait)).toMatchObject({ status: "ok" });
  expect(Array.from(new Bun.Glob("**").scanSync({ cwd: folder, dot: true }))).toEqual([]);
  await rm(folder, { recursive: true });
  expect(await check("locks", () => locks(THERE, "wal", wait))).toMatchObject({
    status: "fail",
  });
});

test("whatever stops a check is what it found", async () => {
  const refused = new CoopError("unavailable", "no", { reason: "access", hint: "do" });
  expect(await check("x", () => Promise.reject(refused))).toEqual({
    name: "x",
    status: "fail",
    message: "no",
    fix: "do",
  });
  expect(failed(new CoopError("busy", "locked", { hint: "wait" })).status).toBe("warn");
  expect(failed(new RangeError("odd"))).toMatchObject({
    status: "fail",
    message: "RangeError: odd",
  });
});

test("of several findings the worst is told", () => {
  const good = ok("good");
  expect(worst([], good)).toBe(good);
  expect(worst([warn("one", "a"), warn("two", "a"), ok("three")], good)).toEqual({
    status: "warn",
    message: "one; two",
    fix: "a",
  });
  expect(worst([warn("one", "a"), failed(new Error("two"))], good).status).toBe("fail");
});

test("sizes read as people say them", () => {
  for (const [bytes, text] of [
    [0, "0 bytes"],
    [999, "999 bytes"],
    [1000, "1.0 kB"],
    [237_568, "238 kB"],
    [999_499, "999 kB"],
    [999_999, "1.0 MB"],
    [1_250_000, "1.3 MB"],
    [999.6e6, "1.0 GB"],
    [1.004e9, "1.0 GB"],
    [48e9, "48 GB"],
    [5e15, "5000 TB"],
  ] as const)
    expect(size(bytes)).toBe(text);
});
