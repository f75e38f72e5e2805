import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { mkdir, mkdtemp, readdir, rm, stat, statfs, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { build } from "../../scripts/build.ts";
import { command } from "../mounts";
import { postgres } from "../postgres";
import { story, times } from "../story";

/** Binaries of two ages on one store: this one, and one whose schema is a step further. */
let folder: string;
let next: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "coop-next-"));
  next = join(folder, "next");
  await build({ entry: join(import.meta.dir, "../fixtures/next.ts"), outfile: next });
});

afterAll(() => rm(folder, { recursive: true }));

const breaking = { COOP_NEXT_BREAKS: "writers" };

const schemaOf = (path: string) => {
  const database = new Database(path, { readonly: true });
  const { user_version: version } = database.query("pragma user_version").get() as {
    user_version: number;
  };
  database.close();
  return version;
};

describe("a newer binary", () => {
  test("migrates by itself what older ones can live with, after a safety copy beside the store", async () => {
    await using coop = await story();
    const before = schemaOf(coop.store);
    await coop.data(["letter", "write", "--body", "from before"], { as: "ann" });

    const read = await coop.run(["letter", "read"], { as: "ann", program: next });

    expect(read.out).toContain("from before");
    expect(schemaOf(coop.store)).toBe(before + 1);
    expect(await coop.data(["init"])).toMatchObject({ created: false, schema: before + 1 });
    const copy = (await readdir(dirname(coop.store))).find((name) =>
      name.startsWith("coop.db.schema-"),
    );
    expect(copy).toBe(`coop.db.schema-${before}`);
    const kept = join(dirname(coop.store), copy!);
    expect(schemaOf(kept)).toBe(before);
    expect((await stat(kept)).mode & 0o777).toBe(0o600);
    expect(await coop.data(["letter", "list"], { as: "ann" })).toHaveLength(1);
  });

  test("leaves no other copy of one that it redacts", async () => {
    await using coop = await story();
    await coop.data(["init", "--snapshot-every", "0"]);
    await coop.data(["letter", "write", "--body", "hunter2"], { as: "ann" });
    const { file: backup } = await coop.data(["backup", "--to", "backup.db"]);
    await coop.run(["letter", "list"], { program: next });
    const beside = dirname(coop.store);
    const copy = (await readdir(beside)).find((name) => name.startsWith("coop.db.schema-"))!;
    for (const db of [backup, join(beside, copy)])
      await coop.run(["--db", db, "redact", "L1"], { as: "ann", program: next });
    expect((await readdir(beside)).filter((name) => name.includes("schema-"))).toEqual([copy]);
    expect((await readdir(coop.folder)).filter((name) => name.includes("schema-"))).toEqual([]);
    for (const db of [backup, join(beside, copy)])
      expect(Buffer.from(await Bun.file(db).bytes()).includes("hunter2")).toBe(false);
  });

  test("migrates once when many of them start at the same moment, and none fails", async () => {
    await using coop = await story();
    const before = schemaOf(coop.store);
    const runs = await times(12, (n) =>
      coop.run(["letter", "write", "--body", `letter ${n}`], { as: "ann", program: next }),
    );
    expect(runs.map(({ err }) => err).join("")).toBe("");
    expect(schemaOf(coop.store)).toBe(before + 1);
    expect(await coop.data(["letter", "list"])).toHaveLength(12);
    expect(
      (await readdir(dirname(coop.store))).filter(
        (name) => !/^(coop\.db(-wal|-shm)?|backups)$/.test(name),
      ),
    ).toEqual([`coop.db.schema-${before}`]);
  });

  test("makes a change that older ones cannot live with only by `init --upgrade`, which names who used the store", async () => {
    await using coop = await story();
    const before = schemaOf(coop.store);
    await coop.data(["letter", "write", "--body", "from before"], { as: "ann" });

    const refused = await coop.run(["--json", "letter", "read"], {
      as: "ann",
      program: next,
      env: breaking,
    });
    expect(refused.exit).toBe(6);
    expect(refused.json().error).toMatchObject({ code: "unavailable", reason: "newer" });
    expect(schemaOf(coop.store)).toBe(before);

    const upgraded = await coop.run(["init", "--upgrade"], { program: next, env: breaking });
    expect(upgraded.exit).toBe(0);
    expect(upgraded.err).toContain("ann on ");
    expect(schemaOf(coop.store)).toBe(before + 1);
  });

  test("names also who used the store where that is archived", async () => {
    await using coop = await story();
    await coop.data(["queue", "push", "jobs", "x"], { as: "site" });
    await coop.data(["queue", "take", "jobs"], { as: "ben" });
    await coop.data(["queue", "done", "Q1"], { as: "ben" });
    const archive = join(coop.folder, "archive.db");
    await coop.data(["queue", "archive", "--older", "0s", "--to", archive], { as: "dad" });
    const upgraded = await coop.run(["init", "--upgrade"], { program: next, env: breaking });
    const named = Array.from(upgraded.err.matchAll(/(\w+) on \S+ used the store/g), ([, id]) => id);
    expect(named.toSorted()).toEqual(["ben", "dad", "site"]);
  });

  test("says what it was about where there is no room for the copy, and leaves the store to older ones", async () => {
    await using coop = await story({ init: false });
    const disk = dirname(coop.store);
    await mkdir(disk);
    await command("mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", disk);
    try {
      await coop.data(["init", "--snapshot-every", "0"]);
      const before = schemaOf(coop.store);
      await coop.data(["letter", "write", "--body", "-"], { as: "ann", stdin: "x".repeat(1e6) });
      const filler = join(disk, "filler");
      const { bavail, bsize } = await statfs(disk);
      await writeFile(filler, new Uint8Array(bavail * bsize - 600_000));

      const refused = await coop.run(["--json", "letter", "list"], { program: next });

      expect({ exit: refused.exit, ...refused.json().error }).toMatchObject({
        exit: 6,
        reason: "full",
        message: expect.stringContaining(
          `the store has schema ${before}, which this coop must first bring to ${before + 1}; but `,
        ),
      });
      expect((await readdir(disk)).sort()).toEqual(["coop.db", "filler"]);
      expect(await coop.data(["letter", "list"])).toHaveLength(1);
      await rm(filler);
      expect((await coop.run(["letter", "list"], { program: next })).exit).toBe(0);
      expect(schemaOf(coop.store)).toBe(before + 1);
    } finally {
      await command("umount", "--lazy", disk);
    }
  });

  test("leaves no copy for good where it was killed while it made one", async () => {
    await using coop = await story();
    const name = (of: string) => `coop.db.schema-3.0192${of}-1111-7111-8111-111111111111.snapshot`;
    const made = [name("aaaa"), `${name("aaaa")}-journal`, name("bbbb")];
    for (const each of made) await writeFile(join(dirname(coop.store), each), "x");
    for (const each of made.slice(0, 2))
      await command("touch", "-d", "2 hours ago", join(dirname(coop.store), each));
    await coop.data(["backup"]);
    expect((await readdir(dirname(coop.store))).filter((each) => made.includes(each))).toEqual([
      name("bbbb"),
    ]);
  });

  test("whose user may not change a server's tables says that it would have to", async () => {
    const server = await postgres();
    const [schema, role] = ["s", "r"].map(
      (of) => `${of}_${Bun.randomUUIDv7("hex").replaceAll("-", "")}`,
    );
    const db = server.url(schema!);
    await using coop = await story({ init: false });
    await coop.data(["init", "--db", db]);
    await server.sql(`create role ${role} login password 'SECRET'`);
    await server.sql(`grant usage on schema "${schema}" to ${role}`);
    await server.sql(`grant select, insert, update on all tables in schema "${schema}" to ${role}`);
    const theirs = db.replace(/\/\/.*@/, `//${role}:SECRET@`);
    expect(await coop.data(["todo", "list", "--db", theirs])).toEqual([]);
    const refused = await coop.run(["--json", "todo", "list", "--db", theirs], { program: next });
    expect({ exit: refused.exit, ...refused.json().error }).toMatchObject({
      exit: 6,
      reason: "access",
      message: expect.stringMatching(
        /^the store has schema \d+, which this coop must first bring to/,
      ),
    });
    await server.sql(`drop schema "${schema}" cascade`);
    await server.sql(`drop role ${role}`);
  });
});

describe("an older binary on a newer store", () => {
  test("reads and writes what was changed in a way it can live with", async () => {
    await using coop = await story();
    await coop.run(["letter", "write", "--body", "from after"], { as: "ann", program: next });
    expect(await coop.data(["letter", "read"], { as: "ann" })).toHaveLength(1);
    await coop.data(["letter", "ack", "L1"], { as: "ann" });
  });

  test("copies none that it does not know all of, and closes nothing", async () => {
    await using coop = await story();
    await coop.run(["todo", "add", "x"], { as: "ann", program: next });
    const target = join(coop.folder, "new.db");
    await coop.data(["init", "--db", target]);
    const copy = await coop.run(["--json", "copy", "--from", coop.store, "--to", target]);
    expect({ exit: copy.exit, ...copy.json().error }).toMatchObject({ exit: 6, reason: "newer" });
    for (const db of [coop.store, target])
      await coop.data(["todo", "add", "y", "--db", db], { as: "ann" });
  });

  test("copies into none either, and closes nothing", async () => {
    await using coop = await story();
    await coop.data(["todo", "add", "x"], { as: "ann" });
    const target = join(coop.folder, "new.db");
    await coop.run(["init", "--db", target], { program: next });
    const copy = await coop.run(["--json", "copy", "--from", coop.store, "--to", target]);
    expect({ exit: copy.exit, ...copy.json().error }).toMatchObject({ exit: 6, reason: "newer" });
    await coop.data(["todo", "add", "y"], { as: "ann" });
  });

  test("backs none on a server up that it does not know all of", async () => {
    const server = await postgres();
    const schema = `s_${Bun.randomUUIDv7("hex").replaceAll("-", "")}`;
    await using coop = await story({ init: false });
    const db = ["--db", server.url(schema)];
    await coop.run([...db, "init"], { program: next });
    const refused = await coop.run([...db, "--json", "backup", "--to", coop.folder]);
    expect({ exit: refused.exit, ...refused.json().error }).toMatchObject({
      exit: 6,
      reason: "newer",
    });
    expect(await readdir(coop.folder)).toEqual([]);
    const backup = await coop.run([...db, "backup", "--to", coop.folder], { program: next });
    expect(backup.exit).toBe(0);
    await server.sql(`drop schema "${schema}" cascade`);
  });

  test("redacts and archives none that it does not know all of", async () => {
    await using coop = await story();
    await coop.run(["queue", "push", "jobs", "x"], { as: "ann", program: next });
    await coop.data(["queue", "drop", "Q1"], { as: "ann" });
    const archive = join(coop.folder, "archive.db");
    for (const words of [
      ["redact", "Q1"],
      ["queue", "archive", "--older", "0s", "--to", archive],
    ]) {
      const { exit, err } = await coop.run(["--json", ...words], { as: "ann" });
      expect({ exit, ...JSON.parse(err).error }).toMatchObject({ exit: 6, reason: "newer" });
    }
    expect(await Bun.file(archive).exists()).toBe(false);
    expect(await coop.data(["queue", "show", "Q1"])).toMatchObject({ payload: "x" });
  });

  test("refuses to write, with exit 6 and nothing changed, what it may only read", async () => {
    await using coop = await story();
    await coop.data(["letter", "write", "--body", "from before"], { as: "ann" });
    await coop.run(["init", "--upgrade"], { program: next, env: breaking });

    const refused = await coop.run(["--json", "letter", "ack", "L1"], { as: "ann" });

    expect(refused.exit).toBe(6);
    expect(refused.json().error).toMatchObject({ code: "unavailable", reason: "newer" });
    const asked = await coop.run(["--json", "init", "--journal", "rollback"]);
    expect(asked.json().error).toMatchObject({ code: "unavailable", reason: "newer" });
    expect((await coop.data(["init"])).journal).toBe("wal");
    expect(await coop.data(["letter", "show", "L1"])).toMatchObject({
      state: "unread",
      version: 1,
    });
  });

  test("refuses even to read what was changed beyond it", async () => {
    await using coop = await story();
    await coop.run(["init", "--upgrade"], { program: next, env: { COOP_NEXT_BREAKS: "readers" } });
    const refused = await coop.run(["--json", "letter", "list"]);
    expect(refused.exit).toBe(6);
    expect(refused.json().error).toMatchObject({ code: "unavailable", reason: "newer" });
  });
});
