import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmod, copyFile, mkdir, readdir, rm, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { COOP } from "../binary";
import { killedInCommit } from "../killed";
import { story, type Story } from "../story";

const SECRET = "hunter2-correct-horse";
const NOBODY = 65534;

let coop: Story;
let folder: string;
beforeEach(async () => {
  coop = await story();
  folder = dirname(coop.store);
});
afterEach(() => coop[Symbol.asyncDispose]());

const ann = (...words: string[]) => coop.data(words, { as: "ann" });
const redact = (...words: string[]) => coop.run(["--json", "redact", ...words], { as: "ann" });

/** The files in the store's folder whose bytes hold the secret. */
async function holders(): Promise<string[]> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = names
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  const held = await Promise.all(
    files.map(async (file) => Buffer.from(await Bun.file(file).bytes()).includes(SECRET)),
  );
  return files.filter((_, index) => held[index]).sort();
}

/** Keeps the secret in a record, its events and answers, among others that are changed and moved about. */
async function keepSecret(): Promise<void> {
  const filler = (n: number) => `${SECRET} ${"filler ".repeat(n % 700)}`;
  await ann("letter", "write", "title", "--body", filler(600), "--key", "k");
  for (let n = 0; n < 12; n++) {
    await ann("letter", "write", "--body", "other ".repeat(n * 97));
    await ann("letter", "abandon", "L1", "--body", filler(n * 131));
    await ann("letter", "reopen", "L1", "--body", filler(n * 17));
  }
}

test("a copy whose log alone holds the text is named too", async () => {
  const store = new Database(coop.store);
  store.query("select * from letters").all();
  await ann("letter", "write", "--body", SECRET);
  const raw = join(dirname(coop.store), "raw.db");
  await copyFile(coop.store, raw);
  await copyFile(`${coop.store}-wal`, `${raw}-wal`);
  store.close();
  const { json } = await redact("L1");
  expect(json().data.still_in).toEqual([raw]);
});

test("copies that cannot be looked into are named, by whatever they are damaged", async () => {
  await ann("letter", "write", "--body", SECRET);
  const names = ["coop.before-restore.db", "coop.latest.db.0192.snapshot", "notes.db"];
  await mkdir(join(folder, "backups"), { recursive: true });
  for (const name of names) await Bun.write(join(folder, "backups", name), `x ${SECRET}`);
  const { json } = await redact("L1");
  const lookedAt = json().warnings.map(({ message }: { message: string }) => message);
  expect(lookedAt.sort()).toEqual(
    names.slice(0, 2).map((name) => `${join(folder, "backups", name)} could not be looked into`),
  );
});

test("a snapshot in which a text was redacted too has nothing that the store has not", async () => {
  await ann("letter", "write", "--body", SECRET);
  await coop.data(["backup"]);
  const published = join(folder, "backups/coop.latest.db");
  await coop.data(["--db", published, "redact", "L1"], { as: "ann" });
  const { checks } = await coop.data(["doctor"]);
  const found = checks.find(({ name }: { name: string }) => name === "published");
  expect(found).toMatchObject({ status: "ok" });
});

test("a folder of backups that is not mounted is named", async () => {
  await ann("letter", "write", "--body", SECRET);
  await rm(join(folder, "backups"), { recursive: true });
  await symlink("/nowhere/backups", join(folder, "backups"));
  const { json } = await redact("L1");
  expect(json().warnings).toEqual([
    { code: "not_looked_into", message: `${join(folder, "backups")} could not be looked into` },
  ]);
});

describe("what was redacted", () => {
  test("is in no byte of the store, its log and the published snapshot", async () => {
    await keepSecret();
    await coop.data(["backup"]);
    const dated = (await readdir(join(folder, "backups"))).find(
      (name) => name !== "coop.latest.db",
    )!;
    const backup = join(folder, "backups", dated);
    const published = join(folder, "backups/coop.latest.db");
    expect(await holders()).toEqual([published, backup, coop.store].sort());
    const before = await Bun.file(backup).bytes();

    const { exit, err, json } = await redact("L1", "--text", SECRET);

    expect({ exit, err }).toEqual({ exit: 0, err: "" });
    expect(json().data).toMatchObject({ snapshot: published, still_in: [backup], also_in: [] });
    expect(json().data.searched).toEqual([folder, join(folder, "backups")]);
    expect(await holders()).toEqual([backup]);
    expect(await Bun.file(backup).bytes()).toEqual(before);
    using database = new Database(published);
    expect(database.query("select title from letters where number = 1").get()).toEqual({
      title: "title",
    });
  });

  test("is in no byte of a store with a rollback journal", async () => {
    await coop.data(["init", "--journal", "rollback"]);
    await keepSecret();
    expect((await redact("L1")).exit).toBe(0);
    expect((await holders()).filter((file) => !file.includes("/backups/"))).toEqual([]);
  });

  test("is told to be in each older copy that lies beside the store, and only there", async () => {
    await ann("letter", "write", "--body", "nothing");
    await coop.data(["backup", "--to", join(folder, "before.db")]);
    await keepSecret();
    const { ref } = await ann("letter", "write", "--body", SECRET);
    const held = [
      "coop.db.schema-5",
      "coop (conflicted copy).db",
      "backups/coop.before-restore.x.db",
    ];
    for (const name of held) await coop.data(["backup", "--to", join(folder, name)]);
    await Bun.write(join(folder, "notes.txt"), SECRET);
    await Bun.write(join(folder, "other.db"), "");
    // Of another store, whose records have the same refs.
    await using other = await story();
    await other.data(["letter", "write", "--body", SECRET], { as: "ann" });
    await other.data(["backup", "--to", join(other.home, "other.db")]);
    await copyFile(join(other.home, "other.db"), join(folder, "another.db"));

    const { data, warnings } = (await redact(ref, "--text", SECRET)).json();

    expect(data.still_in).toEqual(
      held.map((name) => join(folder, name)).sort((a, b) => inFolderFirst(a, b)),
    );
    expect(warnings).toBeUndefined();
  });

  const inFolderFirst = (a: string, b: string) =>
    a.split("/").length - b.split("/").length || (a < b ? -1 : 1);

  test("says which copies it could not look into", async () => {
    await keepSecret();
    const copy = join(folder, "broken.db");
    await coop.data(["backup", "--to", copy]);
    await Bun.write(copy, (await Bun.file(copy).bytes()).fill(0xa5, 4096));
    const { data, warnings } = (await redact("L1")).json();
    expect(data.still_in).toEqual([]);
    expect(warnings).toEqual([
      { code: "not_looked_into", message: `${copy} could not be looked into` },
    ]);
  });

  test("says of a copy that it holds a write which was cut off, and that it looked into no such", async () => {
    await keepSecret();
    const copy = join(folder, "cut-off.db");
    await coop.data(["backup", "--to", copy]);
    await killedInCommit(copy);
    const { data, warnings } = (await redact("L1")).json();
    expect(data.still_in).toEqual([]);
    expect(warnings).toEqual([
      { code: "not_looked_into", message: `${copy} could not be looked into` },
    ]);
  });

  test("may be left in the bytes while another reads the store as it was, and says so; a repeat takes it out", async () => {
    await keepSecret();
    const reader = new Database(coop.store);
    reader.run("begin");
    reader.query("select count(*) from letters").get();

    const { exit, json } = await redact("L1", "--wait", "0.3");

    expect({ exit, codes: json().warnings.map(({ code }: { code: string }) => code) }).toEqual({
      exit: 0,
      codes: ["not_erased"],
    });
    expect((await coop.data(["show", "L1"])).body).toStartWith("[redacted by ann ");
    reader.close();
    const again = await redact("L1");
    expect(again.json().data.replaced).toEqual({ record: 0, events: 0, keys: 0 });
    expect(again.json().warnings).toBeUndefined();
    expect(await holders()).toEqual([]);
  });

  test("is in no byte of the store that its item was archived from", async () => {
    await ann("queue", "push", "jobs", SECRET);
    await ann("queue", "drop", "Q1");
    const archive = join(coop.home, "archive.db");
    await ann("queue", "archive", "--older", "0s", "--to", archive);
    expect(await holders()).toEqual([join(folder, "backups/coop.latest.db"), coop.store]);
    expect((await redact("Q1", "--text", SECRET)).exit).toBe(0);
    expect(await holders()).toEqual([]);
  });

  test("is out of the bytes after a repeat, wherever the first command was killed", async () => {
    for (let round = 0; round < 8; round++) {
      const { ref } = await ann("letter", "write", "--body", SECRET);
      const command = ["redact", ref, "--key", `round ${round}`];
      const child = Bun.spawn([COOP, "--as", "dad", ...command], {
        cwd: coop.folder,
        env: { HOME: coop.home },
        stdio: ["ignore", "ignore", "ignore"],
      });
      await Bun.sleep(8 + 7 * round);
      child.kill("SIGKILL");
      await child.exited;

      expect((await redact(ref, "--key", `round ${round}`)).exit).toBe(0);

      expect((await holders()).filter((file) => !file.endsWith(".snapshot"))).toEqual([]);
      expect(await coop.data(["show", ref])).toMatchObject({ version: 2 });
      using database = new Database(coop.store);
      expect(database.query("pragma integrity_check").all()).toEqual([{ integrity_check: "ok" }]);
    }
  });

  test("is named as still there where the published snapshot can be neither renewed nor removed", async () => {
    await keepSecret();
    await coop.data(["backup"]);
    const backups = join(folder, "backups");
    for (const name of (await readdir(backups)).filter((each) => each !== "coop.latest.db"))
      await Bun.file(join(backups, name)).delete();
    const published = join(backups, "coop.latest.db");
    for (const path of [dirname(coop.home), coop.home, coop.folder, backups])
      await chmod(path, 0o755);
    await chmod(published, 0o644);
    const { exited } = Bun.spawn(["chown", String(NOBODY), folder, coop.store]);
    expect(await exited).toBe(0);

    const { exit, json } = await coop.run(["--json", "redact", "L1"], { as: "dad", user: NOBODY });

    expect(exit).toBe(0);
    const { data, warnings } = json();
    expect(warnings.map(({ code }: { code: string }) => code)).toContain("not_published");
    expect(data).toMatchObject({ snapshot: null, still_in: [published] });
  });
});

test("a folder that may not be read is said to be one, and not to be searched", async () => {
  await ann("letter", "write", "--body", SECRET);
  const backups = join(folder, "backups");
  for (const path of [dirname(coop.home), coop.home, coop.folder]) await chmod(path, 0o755);
  await chmod(backups, 0o700);
  const { exited } = Bun.spawn(["chown", String(NOBODY), folder, coop.store]);
  expect(await exited).toBe(0);

  const { exit, json } = await coop.run(["--json", "redact", "L1"], { as: "dad", user: NOBODY });

  expect(exit).toBe(0);
  expect(json().data.searched).toEqual([folder]);
  expect(json().warnings).toContainEqual({
    code: "not_looked_into",
    message: `${backups} could not be looked into`,
  });
});

describe("a store that is named by a link to its file", () => {
  let link: string;
  beforeEach(async () => {
    await mkdir(join(coop.home, "links"));
    link = join(coop.home, "links/work.db");
    await symlink(coop.store, link);
  });

  test("is published beside the store itself", async () => {
    await ann("--db", link, "letter", "write", "--body", "x");
    expect(await readdir(join(folder, "backups"))).toEqual(["coop.latest.db"]);
    await ann("--db", link, "backup");
    expect(await readdir(join(folder, "backups"))).toHaveLength(2);
    expect(await readdir(dirname(link))).toEqual(["work.db"]);
  });

  test("has its own snapshot renewed, and its own copies looked into", async () => {
    await keepSecret();
    await coop.data(["backup"]);
    const backups = join(folder, "backups");
    const published = join(backups, "coop.latest.db");
    const kept = (await holders()).filter((file) => ![coop.store, published].includes(file));
    expect(kept).toHaveLength(1);
    const { data } = (await redact("L1", "--db", link, "--text", SECRET)).json();
    expect(data).toMatchObject({
      snapshot: published,
      still_in: kept,
      searched: [folder, backups],
    });
    expect(await holders()).toEqual(kept);
  });
});

describe("the snapshot in its place", () => {
  let published: string;
  let bytes: Uint8Array<ArrayBuffer>;
  beforeEach(() => {
    published = join(folder, "backups/coop.latest.db");
  });
  const isKept = async (file: string) => expect(await Bun.file(file).bytes()).toEqual(bytes);

  test("of a backup is its store's, which may be newer, and stays", async () => {
    await ann("letter", "write", "--body", SECRET);
    const { file } = await coop.data(["backup", "--to", join(coop.home, "old.db")]);
    await ann("todo", "add", "since");
    await coop.data(["backup"]);
    bytes = await Bun.file(published).bytes();
    await copyFile(file, coop.store);
    const { data } = (await redact("L1", "--text", SECRET)).json();
    expect(data).toMatchObject({ snapshot: null, still_in: expect.arrayContaining([published]) });
    await isKept(published);
  });

  test("is kept where it is another store's", async () => {
    await ann("letter", "write", "--body", SECRET);
    await using other = await story();
    await other.data(["todo", "add", "theirs"], { as: "ben" });
    await copyFile(join(dirname(other.store), "backups/coop.latest.db"), published);
    bytes = await Bun.file(published).bytes();
    expect((await redact("L1")).json().data.snapshot).toBe(published);
    const others = (await readdir(dirname(published))).filter((name) => name !== "coop.latest.db");
    expect(others).toHaveLength(1);
    await isKept(join(dirname(published), others[0]!));
  });
});

test("an archive that is beside its store is named with it by the other's redaction", async () => {
  await ann("queue", "push", "jobs", SECRET);
  await ann("queue", "take", "jobs", "--key", "k");
  await ann("queue", "done", "Q1");
  const archive = join(folder, "archive.db");
  await ann("queue", "archive", "--older", "0s", "--to", archive);
  await coop.data(["backup"]);
  const inStore = (await holders()).filter((file) => file !== archive);
  const first = (await redact("Q1", "--db", archive)).json().data;
  expect(first.still_in).toEqual(expect.arrayContaining(inStore));
  const second = (await redact("Q1", "--text", SECRET)).json().data;
  expect(second.still_in).toEqual(inStore.filter((file) => /\.\d{4}-/.test(file)));
});

test("a backup of an archive names the archive and the store as what may still hold it", async () => {
  await ann("queue", "push", "jobs", SECRET);
  await ann("queue", "drop", "Q1");
  const archive = join(coop.home, "archive.db");
  await ann("queue", "archive", "--older", "0s", "--to", archive);
  const { file } = await ann("backup", "--db", archive, "--to", join(coop.home, "copy.db"));
  const { warnings } = (await redact("Q1", "--db", file)).json();
  expect(warnings.map(({ message }: { message: string }) => message)).toEqual([
    expect.stringMatching(/^this is a backup of an archive, which may still hold it/),
    expect.stringMatching(/^the store that this archive is of may still hold it/),
  ]);
});

describe("a store that cannot be written", () => {
  test("is busy after the wait, and keeps the text", async () => {
    await ann("letter", "write", "--body", SECRET);
    using holder = new Database(coop.store);
    holder.run("begin immediate");
    const refused = await redact("L1", "--wait", "0.2");
    expect({ exit: refused.exit, ...refused.json().error }).toMatchObject({
      exit: 7,
      code: "busy",
    });
    holder.run("rollback");
    expect((await coop.data(["show", "L1"])).body).toBe(SECRET);
  });

  test("is read-only: nothing is redacted, and the error says so", async () => {
    await ann("letter", "write", "--body", SECRET);
    for (const path of [dirname(coop.home), coop.home, coop.folder, folder])
      await chmod(path, 0o755);
    await chmod(coop.store, 0o644);
    const refused = await coop.run(["--json", "redact", "L1"], { as: "dad", user: NOBODY });
    expect({ exit: refused.exit, ...refused.json().error }).toMatchObject({
      exit: 6,
      reason: "read_only",
    });
    expect((await coop.data(["show", "L1"])).body).toBe(SECRET);
  });
});

test("is told to be done where that cannot be printed, also in a store that was moved", async () => {
  await ann("todo", "add", SECRET);
  const other = join(coop.home, "other.db");
  await coop.data(["init", "--db", other]);
  await coop.data(["copy", "--from", coop.store, "--to", other]);
  const script = `exec "$COOP" --as ann redact T1 >/dev/full`;
  const run = await coop.run(["-c", script], { program: "sh", env: { COOP } });
  expect(run.exit).toBe(8);
  expect(run.err).toContain("it was written, but");
  expect((await coop.data(["todo", "show", "T1"])).title).not.toContain(SECRET);
});

test("says in few words what it did and where the text is still", async () => {
  await ann("letter", "write", "--body", `${SECRET} here`, "--key", "k");
  await ann("todo", "add", SECRET);
  await coop.data(["backup", "--to", join(folder, "older.db")]);
  const first = await coop.run(["redact", "L1", "--text", SECRET], { as: "ann" });
  expect(first).toMatchObject({ exit: 0, err: "" });
  expect(first.out).toBe(`L1 redacted: 1 of its texts, 1 of the answers kept for keys
it also stands in T1
still holds it: ${folder}/older.db
to redact it there too: the same command with --db FILE
looked for copies in ${folder} and ${folder}/backups, not elsewhere
`);
  const again = await coop.run(["redact", "T1"], { as: "ann" });
  expect(again.out).toContain("T1 redacted: 1 of its texts");
  expect((await coop.run(["redact", "T1"], { as: "ann" })).out).toStartWith(
    "nothing to redact in T1",
  );
});
