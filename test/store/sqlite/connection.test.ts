import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtemp, readdir, readlink, rm, writeFile } from "node:fs/promises";
import { platform, tmpdir } from "node:os";
import { join } from "node:path";
import { SqliteConnection } from "../../../src/store/sqlite/connection";
import { plainPath, withoutHost, type Opening } from "../../../src/store/sqlite/open-file";
import { createSqliteStore } from "../../../src/store/sqlite/create";
import { Wait } from "../../../src/store/wait";
import { clock } from "../../engines";
import { command } from "../../mounts";

const wait = new Wait(1, clock);

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "coop-connection-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** Runs `work` on a connection to a store that was just made. */
async function withStore(
  work: (connection: SqliteConnection, path: string) => Promise<void>,
): Promise<void> {
  const path = join(folder, "coop.db");
  await createSqliteStore(path, wait);
  const connection = await SqliteConnection.open(path, wait);
  try {
    await work(connection, path);
  } finally {
    await connection.close();
  }
}

/** The files that this process has open. */
async function opened(): Promise<(string | undefined)[]> {
  const handles = await readdir("/proc/self/fd");
  return Promise.all(
    handles.map((handle) => readlink(`/proc/self/fd/${handle}`).catch(() => undefined)),
  );
}

test.if(platform() === "linux")("a file that is no database is let go of", async () => {
  const path = join(folder, "notes.txt");
  await writeFile(path, "no database\n".repeat(1000));
  for (const opening of ["existing", "read-only", "unchanging"] as Opening[])
    await expect(SqliteConnection.open(path, wait, opening)).rejects.toMatchObject({
      details: { reason: "foreign" },
    });
  expect(await opened()).not.toContain(path);
});

test("a path of Windows is opened by a URI that SQLite takes", () => {
  expect(plainPath("\\\\?\\C:\\coop\\coop.db")).toBe("C:\\coop\\coop.db");
  expect(plainPath("\\\\?\\UNC\\nas\\coop\\coop.db")).toBe("\\\\nas\\coop\\coop.db");
  for (const path of ["\\\\nas\\coop\\coop.db", "C:\\coop\\coop.db", "/home/ann/coop.db"])
    expect(plainPath(path)).toBe(path);
  expect(withoutHost("file://nas/coop/coop.db")).toBe("file:////nas/coop/coop.db");
  expect(withoutHost("file:///C:/coop/coop.db")).toBe("file:///C:/coop/coop.db");
});

test("every connection waits for the disk, also as macOS wants it asked, and is strict", () =>
  withStore(async (connection) => {
    for (const [setting, value] of [
      // Extra: a rollback journal that is gone commits, so also that is made durable.
      ["synchronous", 3],
      ["fullfsync", 1],
      ["checkpoint_fullfsync", 1],
      ["foreign_keys", 1],
      ["temp_store", 2],
    ] as const)
      expect(await connection.run(`pragma ${setting}`)).toEqual([{ [setting]: value }]);
  }));

test("a statement that SQLite does not know names its version, which is the system's on macOS", () =>
  withStore(async (connection) => {
    const failed = await connection.run("select of_tomorrow(1)").catch((thrown: unknown) => thrown);
    expect(failed).toMatchObject({
      code: "unavailable",
      message: expect.stringMatching(/^this system's SQLite is 3\.\d+\.\d+, and coop needs 3\.43$/),
    });
  }));

test("a store that is gone when its connection comes back to it is told as no store", () =>
  withStore(async (connection, path) => {
    const gone = await connection.aside(() => rm(path)).catch((thrown: unknown) => thrown);
    expect(gone).toMatchObject({ code: "unavailable", message: `no store at ${path}` });
  }));

test("a store that cannot be made on a full disk is named as it was asked for", async () => {
  await command("mount", "-t", "tmpfs", "-o", "size=96k", "tmpfs", folder);
  try {
    const path = join(folder, "a$&b.db");
    const error = await createSqliteStore(path, wait).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      details: { reason: "full" },
      message: expect.stringContaining(`the store ${path} could not grow`),
    });
    expect(await readdir(folder)).toEqual([]);
  } finally {
    await command("umount", folder);
  }
});
