import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { link, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { COOP } from "../binary";
import { command } from "../mounts";
import { story, type Story } from "../story";

let coop: Story;
beforeEach(async () => {
  coop = await story();
  await add();
});
afterEach(() => coop[Symbol.asyncDispose]());

const add = (db = coop.store) => coop.data(["todo", "add", "x", "--db", db], { as: "ann" });
const refusal = async (db: string) => {
  const outcome = await coop.run(["--json", "todo", "add", "x", "--db", db], { as: "ann" });
  return { exit: outcome.exit, ...outcome.json().error };
};

describe("a store of two names", () => {
  test("is read by both with a warning, and written and backed up by neither, since each has a log of its own", async () => {
    const other = join(dirname(coop.store), "other.db");
    await link(coop.store, other);
    for (const [db, beside] of [
      [coop.store, other],
      [other, coop.store],
    ] as const) {
      expect(await refusal(db)).toMatchObject({
        exit: 6,
        reason: "access",
        message: `${db} is a file of 2 names, also ${beside}: what is written by one is lost to the other`,
      });
      const listed = (await coop.run(["--json", "todo", "list", "--db", db])).json();
      expect(listed).toMatchObject({
        data: [{ title: "x" }],
        warnings: [{ code: "names", message: expect.stringContaining(`also ${beside}`) }],
      });
    }
    const target = join(coop.folder, "new.db");
    await coop.data(["init", "--db", target]);
    for (const words of [
      ["copy", "--from", other, "--to", target],
      ["copy", "--from", target, "--to", other],
      ["init", "--journal", "rollback"],
      ["backup"],
    ]) {
      const { exit, err } = await coop.run(words);
      expect({ exit, err }).toMatchObject({ exit: 6, err: expect.stringContaining("of 2 names") });
    }
    await rm(other);
    expect((await add()).ref).toBe("T2");
  });

  test("is fine where it is a backup, to which nothing is written", async () => {
    const copy = join(coop.folder, "copy.db");
    await coop.data(["backup", "--to", copy]);
    await link(copy, join(coop.folder, "other.db"));
    const { out, err } = await coop.run(["todo", "list", "--db", copy]);
    expect({ out, err }).toEqual({ out: expect.stringMatching(/^T1 /), err: "" });
  });

  test("of which one is elsewhere is not written either", async () => {
    const folder = join(coop.home, "elsewhere");
    await mkdir(folder);
    await link(coop.store, join(folder, "coop.db"));
    expect((await refusal(coop.store)).message).toContain("is a file of 2 names: what is");
  });

  test("of which one was left by a killed init loses that one by itself", async () => {
    await link(coop.store, `${coop.store}.init-01977f6e-0000-7000-8000-000000000000`);
    expect((await add()).ref).toBe("T2");
    expect((await readdir(dirname(coop.store))).sort()).toEqual(["backups", "coop.db"]);
  });
});

describe("a store whose file alone is mounted", () => {
  test("is not written from another host, and doctor says so on the same", async () => {
    const folder = join(coop.home, "mounted");
    const mounted = join(folder, "coop.db");
    await mkdir(folder);
    await writeFile(mounted, "");
    await command("mount", "--bind", coop.store, mounted);
    try {
      const container = `hostname elsewhere; exec "$COOP" --as ann --json todo add x`;
      const outcome = await coop.run(["--uts", "sh", "-c", container], {
        program: "unshare",
        env: { COOP, PIPPA_COOP_DB: mounted },
      });
      expect(outcome.exit).toBe(6);
      expect(outcome.json().error).toMatchObject({
        reason: "access",
        hint: "mount the folder that the store is in, not the file",
      });
      const { exit, out } = await coop.run(["doctor", "--db", mounted]);
      expect(exit).toBe(6);
      expect(out).toContain("fail mount: the store's file is a mount of its own");
    } finally {
      await command("umount", mounted);
    }
    expect((await add()).ref).toBe("T2");
  });

  test("is not written where its folder is on another disk, as in a container", async () => {
    const folder = join(coop.home, "container");
    const mounted = join(folder, "coop.db");
    await mkdir(folder);
    await command("mount", "-t", "tmpfs", "tmpfs", folder);
    await writeFile(mounted, "");
    await command("mount", "--bind", coop.store, mounted);
    try {
      expect(await refusal(mounted)).toMatchObject({
        exit: 6,
        message: expect.stringContaining("is a mount of its own"),
      });
      expect(await coop.data(["todo", "list", "--db", mounted])).toHaveLength(1);
    } finally {
      await command("umount", mounted);
      await command("umount", folder);
    }
  });
});
