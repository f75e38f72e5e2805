import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmod, copyFile, mkdir, readdir, rm, truncate } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Check } from "../../src/admin/doctor/check";
import { killedInCommit } from "../killed";
import { readOnly } from "../mounts";
import { ordinary } from "../ordinary";
import { story, type RunOptions, type Story } from "../story";

let coop: Story;
let folder: string;
let backups: string;
let published: string;
beforeEach(async () => {
  coop = await story();
  folder = dirname(coop.store);
  backups = join(folder, "backups");
  published = join(backups, "coop.latest.db");
  await coop.data(["letter", "write", "--body", "one"], { as: "ann" });
});
afterEach(() => coop[Symbol.asyncDispose]());

/** What the doctor finds, each as the line that it prints, by the names of the checks. */
async function doctor(options: RunOptions): Promise<Record<string, string>> {
  const { out, err } = await coop.run(["--json", "doctor"], options);
  expect(err).toBe("");
  const { checks } = JSON.parse(out).data as { checks: Check[] };
  return Object.fromEntries(
    checks.map(({ name, status, message, fix }) => [
      name,
      `${status}: ${message}${fix === null ? "" : `; ${fix}`}`,
    ]),
  );
}

describe("where the store's file system is read-only", () => {
  let at: string;
  let mount: AsyncDisposable;
  let there: RunOptions;
  beforeEach(async () => {
    at = join(coop.home, "read-only");
    mount = await readOnly(folder, at);
    there = { as: "dad", env: { PIPPA_COOP_DB: join(at, "coop.db") } };
  });
  afterEach(() => mount[Symbol.asyncDispose]());

  test("a restore says so, of a store that is whole and of one that is empty", async () => {
    const refused = async () => {
      const { exit, out, json } = await coop.run(["--json", "restore", published], there);
      expect(out).toBe("");
      return { exit, reason: json().error.reason, says: json().error.message };
    };
    const readOnlyThere = { exit: 6, reason: "read_only", says: expect.stringContaining(at) };
    expect(await refused()).toEqual(readOnlyThere);
    for (const suffix of ["-wal", "-shm"]) await rm(coop.store + suffix, { force: true });
    await truncate(coop.store);
    expect(await refused()).toEqual(readOnlyThere);
    expect((await readdir(folder)).sort()).toEqual(["backups", "coop.db"]);
  });

  test("the doctor and a backup know that the store keeps a write-ahead log", async () => {
    const found = await doctor(there);
    expect(found["mount"]).toMatch(/^ok: \w+, write-ahead log$/);
    await coop.data(["letter", "write", "--body", "two"], { as: "ann" });
    using database = new Database(coop.store);
    database.run("update meta set value = value - 3 * 3600000 where name glob 'snapshot_*at'");
    database.close();
    expect((await doctor(there))["published"]).toBe(
      "ok: whole, 3h old; the next command that writes renews it",
    );
    const { exit, json } = await coop.run(["--json", "backup", "--to", "copy.db"], there);
    expect({ exit, warnings: json().warnings }).toEqual({ exit: 0, warnings: undefined });
  });
});

test("the doctor knows that a store keeps a rollback journal where it can only be read", async () => {
  await coop.data(["init", "--journal", "rollback"]);
  await using _mount = await readOnly(folder, join(coop.home, "read-only"));
  const env = { PIPPA_COOP_DB: join(coop.home, "read-only/coop.db") };
  expect((await doctor({ env }))["mount"]).toMatch(/^ok: \w+, rollback journal$/);
});

describe("the doctor, as a user who may not look everywhere,", () => {
  let theirs: RunOptions;
  beforeEach(async () => {
    await coop.data(["backup"]);
    theirs = await ordinary(coop);
    await chmod(folder, 0o755);
    await chmod(coop.store, 0o644);
  });

  const notLookedAt = (path: string) =>
    `warn: not looked at: ${path} may not be read here (EACCES); run coop doctor where it may be`;

  test("says so of the folder of backups", async () => {
    const found = await doctor(theirs);
    expect(found["published"]).toBe(notLookedAt(published));
    for (const name of ["backup", "leftovers"]) expect(found[name]).toBe(notLookedAt(backups));
    expect(found["strays"]).toBe("ok: none");
    expect(found["mount"]).toMatch(/^ok: .* write-ahead log$/);
  });

  const datedBackups = async () =>
    (await readdir(backups)).filter((name) => name !== basename(published));

  test("says so of snapshots, and does not have them moved away", async () => {
    await chmod(backups, 0o755);
    const [dated] = await datedBackups();
    const found = await doctor(theirs);
    expect(found["published"]).toBe(notLookedAt(published));
    expect(found["backup"]).toBe(notLookedAt(join(backups, dated!)));
    expect(found["leftovers"]).toBe("ok: none");
  });

  test("says that reading goes on where it does", async () => {
    const says = async () => (await doctor(theirs))["permissions"];
    expect(await says()).toContain("cannot be written");
    expect(await says()).toContain("reading goes on");
    await chmod(coop.store, 0o600);
    expect(await says()).toContain("cannot be read");
    expect(await says()).not.toContain("goes on");
  });

  test("takes a write that was cut off for no damage, which is not to be undone from there", async () => {
    for (let n = 0; n < 20; n++)
      await coop.data(["letter", "write", "--body", "x".repeat(3000)], { as: "ann" });
    await coop.data(["init", "--journal", "rollback"]);
    await killedInCommit(coop.store);
    await chmod(`${coop.store}-journal`, 0o644);

    const found = await doctor(theirs);
    expect(found["store"]).toStartWith(`warn: ${coop.store} is being written, or a write`);
    expect(found["integrity"]).toBeUndefined();
    const where = await doctor({ as: "ann" });
    expect(where["integrity"]).toBe("ok: whole");
  });

  test("says so of the store's folder", async () => {
    await chmod(folder, 0o700);
    const found = await doctor(theirs);
    expect(found["store"]).toContain(`${folder} is root's with mode 0700`);
    for (const name of ["interrupted", "leftovers", "strays"])
      expect(found[name]).toStartWith(`warn: not looked at: ${folder}`);
  });

  test("goes on telling what it finds where it may", async () => {
    const left = join(folder, "coop.db.probe-0192");
    await copyFile(coop.store, left);
    const found = (await doctor(theirs))["leftovers"];
    expect(found).toContain(left);
    expect(found).toContain(`${backups} may not be read here`);
  });
});

test("a store in a folder that others may look into has its backups to itself", async () => {
  await rm(backups, { recursive: true });
  await chmod(folder, 0o755);
  await mkdir(join(coop.home, "elsewhere"));
  const file = join(coop.home, "elsewhere/copy.db");
  await coop.data(["backup", "--to", file]);
  await coop.data(["backup"]);
  expect((await doctor({}))["permissions"]).not.toContain(backups);

  await truncate(coop.store);
  await coop.data(["restore", file], { as: "dad" });
  expect((await doctor({}))["permissions"]).not.toContain(coop.store);
});
