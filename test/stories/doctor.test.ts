import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  chmod,
  copyFile,
  link,
  mkdir,
  readdir,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Check } from "../../src/admin/doctor/check";
import { COOP } from "../binary";
import { story, type RunOptions, type Story } from "../story";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const NOBODY = 65534;

let coop: Story;
let folder: string;
let backups: string;
beforeEach(async () => {
  coop = await story();
  folder = dirname(coop.store);
  backups = join(folder, "backups");
});
afterEach(() => coop[Symbol.asyncDispose]());

/** What the doctor finds, by the names of the checks. Its exit must fit. */
async function doctor(options: RunOptions = {}): Promise<Record<string, Check>> {
  const { exit, out, err } = await coop.run(["--json", "doctor"], options);
  expect(err).toBe("");
  const { checks } = JSON.parse(out).data as { checks: Check[] };
  expect(exit).toBe(checks.some(({ status }) => status === "fail") ? 6 : 0);
  for (const { status, message, fix } of checks) {
    expect(["ok", "warn", "fail"]).toContain(status);
    expect(message).not.toMatch(/\n|^$/);
    if (status === "ok") expect(fix).toBeNull();
    else expect(fix).toMatch(/./);
  }
  return Object.fromEntries(checks.map((check) => [check.name, check]));
}

/** The findings that are not ok. */
const troubles = async (options?: RunOptions) =>
  Object.values(await doctor(options)).filter(({ status }) => status !== "ok");

/** What is said of a published snapshot beside a store that cannot be used. */
const canBeRestored = () => ({
  status: "ok",
  message: expect.stringMatching(
    new RegExp(
      `${join(backups, "coop.latest.db")}: whole, last changed .* ago; coop restore takes it`,
    ),
  ),
});

const onStore = <T>(work: (database: Database) => T, path = coop.store): T => {
  using database = new Database(path);
  return work(database);
};
const setMeta = (name: string, value: unknown) =>
  onStore((database) =>
    database.run("insert or replace into meta (name, value) values (?, ?)", [name, String(value)]),
  );

const writeLetter = (body = "a body", as = "ann") =>
  coop.data(["letter", "write", "--body", body], { as });

async function command(...words: string[]): Promise<void> {
  const child = Bun.spawn(words, { stdout: "ignore", stderr: "pipe" });
  const talk = await new Response(child.stderr).text();
  if ((await child.exited) !== 0) throw new Error(`${words.join(" ")} (needs root): ${talk}`);
}

/** An ordinary user, who must keep to permissions, with an executable within reach. */
async function ordinary(): Promise<RunOptions> {
  const program = join(coop.folder, "coop");
  await copyFile(COOP, program);
  for (const each of [coop.folder, coop.home, dirname(coop.home)]) await chmod(each, 0o755);
  return { user: NOBODY, program };
}

describe("a healthy store", () => {
  test("is ok in every check, changes nothing and needs no id", async () => {
    expect(await troubles()).toEqual([]);
    await writeLetter();
    await coop.data(["backup"]);
    const bytes = await Bun.file(coop.store).bytes();
    const files = (await readdir(folder, { recursive: true })).sort();

    const { exit, out, err } = await coop.run(["doctor"]);

    expect({ exit, err }).toEqual({ exit: 0, err: "" });
    const names = out.trimEnd().split("\n");
    expect(names.map((line) => /^ok (\w+): ./.exec(line)?.[1])).toEqual([
      "store",
      "mount",
      "locks",
      "permissions",
      "space",
      "interrupted",
      "log",
      "integrity",
      "references",
      "schema",
      "sqlite",
      "clock",
      "ids",
      "published",
      "leftovers",
      "strays",
      "backup",
    ]);
    expect(await Bun.file(coop.store).bytes()).toEqual(bytes);
    expect((await readdir(folder, { recursive: true })).sort()).toEqual(files);
  });

  test("with a rollback journal is ok too", async () => {
    onStore((database) => database.run("pragma journal_mode = delete"));
    setMeta("journal", "rollback");
    expect(await troubles()).toEqual([]);
    expect((await doctor())["mount"]!.message).toContain("rollback journal");
  });
});

describe("no store", () => {
  test("is a failed check, never a hint to make one", async () => {
    await rm(folder, { recursive: true });
    const { exit, out, err } = await coop.run(["doctor"]);
    expect({ exit, err }).toEqual({ exit: 6, err: "" });
    expect(out).toBe(
      `fail store: no store at ${coop.store}; is the folder mounted? ask the person\n`,
    );
    expect(await readdir(coop.home)).toEqual([]);
  });

  test("says what lies beside its place", async () => {
    await writeLetter();
    const { file } = await coop.data(["backup"]);
    for (const suffix of ["", "-wal", "-shm"]) await rm(coop.store + suffix, { force: true });
    const found = await doctor();
    expect(found["store"]!.status).toBe("fail");
    expect(found["backup"]!.message).toContain(basename(file));
    expect(found["published"]).toMatchObject(canBeRestored());
  });

  test("by a link says where it leads", async () => {
    await rename(coop.store, join(coop.home, "gone.db"));
    await symlink(join(coop.home, "nowhere.db"), coop.store);
    expect((await doctor())["store"]).toMatchObject({
      status: "fail",
      message: expect.stringContaining("nowhere.db"),
    });
  });

  test("but something else in its place is named and left", async () => {
    const places: [RegExp, () => Promise<unknown>][] = [
      [/is a folder/, () => mkdir(coop.store)],
      [/is an empty file/, () => writeFile(coop.store, "")],
      [/is not a database/, () => writeFile(coop.store, "some text, and long enough\n".repeat(99))],
      [
        /another program/,
        async () => onStore((database) => database.run("create table notes (text)")),
      ],
    ];
    for (const [says, put] of places) {
      await rm(folder, { recursive: true, force: true });
      await mkdir(folder);
      if (says.source.includes("another")) await writeFile(coop.store, "");
      await put();
      expect((await doctor())["store"]).toMatchObject({
        status: "fail",
        message: expect.stringMatching(says),
      });
    }
  });
});

describe("a damaged store", () => {
  beforeEach(async () => {
    for (let n = 0; n < 20; n++) await writeLetter("x".repeat(3000));
    await coop.data(["backup"]);
  });

  test("fails by its integrity, and says how to get a backup back", async () => {
    const bytes = await Bun.file(coop.store).bytes();
    bytes.fill(0xa5, bytes.length - 4096 * 3);
    await writeFile(coop.store, bytes);
    expect((await doctor())["integrity"]).toMatchObject({
      status: "fail",
      fix: expect.stringContaining("coop restore"),
    });
  });

  test.each([2, 10])("cut short to %d pages fails, and nothing crashes", async (pages) => {
    await truncate(coop.store, 4096 * pages);
    const found = await doctor();
    expect(found["store"]).toMatchObject({
      status: "fail",
      message: expect.stringContaining("damaged"),
    });
    expect(found["backup"]!.status).toBe("ok");
    expect(found["published"]).toMatchObject(canBeRestored());
  });

  test("that opens, and cannot tell of its snapshot, names that all the same", async () => {
    const [[page, size]] = onStore((database) =>
      database
        .query(
          "select rootpage, page_size from sqlite_schema, pragma_page_size where name = 'meta'",
        )
        .values(),
    ) as [[number, number]];
    const bytes = await Bun.file(coop.store).bytes();
    await writeFile(coop.store, bytes.fill(0xa5, size * (page - 1), size * page));
    const found = await doctor();
    expect(found["integrity"]!.status).toBe("fail");
    expect(found["published"]).toMatchObject(canBeRestored());
  });

  test("of garbage behind the header, or with a header of garbage, fails", async () => {
    const bytes = await Bun.file(coop.store).bytes();
    await writeFile(coop.store, bytes.slice().fill(0xa5, 100));
    expect((await troubles()).some(({ status }) => status === "fail")).toBe(true);
    await writeFile(coop.store, bytes.slice().fill(0xa5, 0, 100));
    expect((await doctor())["store"]!.status).toBe("fail");
  });

  test("with records that name others that are not there fails by its references", async () => {
    onStore((database) => {
      database.run("pragma foreign_keys = off");
      database.run("insert into todo_after (todo, after) values (77, 78)");
    });
    expect(await troubles()).toMatchObject([
      { name: "references", status: "fail", message: expect.stringContaining("todo_after") },
    ]);
  });
});

test("a log that another store left beside it fails, and is not taken in", async () => {
  await writeLetter();
  await using other = await story();
  const add = (database: Database, from: number) => {
    for (let n = from; n < from + 300; n++)
      database.run("insert into counters (name, value) values (?, ?)", [`${n}`.repeat(50), n]);
  };
  onStore((database) => add(database, 0), other.store);
  using writer = new Database(other.store);
  add(writer, 300);
  await copyFile(`${other.store}-wal`, `${coop.store}-wal`);
  await command("touch", "-d", "1 hour ago", `${coop.store}-wal`);
  const bytes = await Bun.file(coop.store).bytes();
  expect((await doctor())["store"]).toMatchObject({
    status: "fail",
    message: expect.stringContaining("left by another store"),
  });
  expect(await Bun.file(coop.store).bytes()).toEqual(bytes);
});

test("what is in the place of a store's file or log, and is no file, is told of as that", async () => {
  await mkdir(`${coop.store}-wal`);
  expect((await doctor())["log"]).toMatchObject({
    status: "fail",
    message: expect.stringContaining("(EISDIR)"),
    fix: "ask the person",
  });
  await rm(`${coop.store}-wal`, { recursive: true });
  await rm(coop.store);
  await symlink(coop.store, coop.store);
  const found = Object.values(await doctor());
  expect(found.filter(({ message }) => message.includes("(ELOOP)"))).not.toEqual([]);
  expect(found.filter(({ fix }) => fix?.includes("report"))).toEqual([]);
});

describe("a log that was left by a command that was killed", () => {
  const log = () => `${coop.store}-wal`;

  beforeEach(async () => {
    {
      using holder = new Database(coop.store);
      holder.query("select * from meta").all();
      await writeLetter();
      for (const file of [coop.store, log()]) await copyFile(file, `${file}.kept`);
    }
    for (const file of [coop.store, log()]) await rename(`${file}.kept`, file);
  });

  const damage = async (from: number, to: number, value: number) => {
    const bytes = await Bun.file(log()).bytes();
    await writeFile(log(), bytes.fill(value, from, to));
  };

  /** SQLite passes over such a log, and what was written into it is in the snapshot alone. */
  const passedOver = { name: "published", message: expect.stringContaining("the store has not") };

  test("is ok, and what it holds is there", async () => {
    expect((await doctor())["log"]).toMatchObject({ status: "ok", message: "can be read" });
    expect(await coop.data(["letter", "list"])).toHaveLength(1);
  });

  test.each([
    ["whose first bytes", 0, 8],
    ["whose page size", 8, 12],
    ["whose checksum", 24, 32],
  ])("%s are damaged is a warning, and stays as it is", async (_, from, to) => {
    await damage(from, to, 0xa5);
    const bytes = await Bun.file(log()).bytes();
    expect(await troubles()).toMatchObject([
      { name: "log", status: "warn", message: expect.stringContaining("header is damaged") },
      passedOver,
    ]);
    expect(await Bun.file(log()).bytes()).toEqual(bytes);
  });

  test("is found by a link to the store too, which the log is not beside", async () => {
    await damage(0, 8, 0xa5);
    const named = join(coop.home, "link.db");
    await symlink(coop.store, named);
    expect(await troubles({ env: { PIPPA_COOP_DB: named } })).toMatchObject([
      { name: "log", status: "warn", message: expect.stringContaining(log()) },
      passedOver,
    ]);
  });

  test("whose header is blank is a warning that tells of both causes", async () => {
    await damage(0, 32, 0);
    expect(await troubles()).toMatchObject([
      { name: "log", status: "warn", message: expect.stringMatching(/crash.*but after damage/) },
      passedOver,
    ]);
  });

  test.each([0, 32])("that has %d bytes holds nothing, and is ok", async (bytes) => {
    await damage(0, 32, 0);
    await truncate(log(), bytes);
    expect((await doctor())["log"]).toMatchObject({ status: "ok", message: "empty" });
  });
});

describe("a locked store", () => {
  test("is a warning: another command is at work", async () => {
    onStore((database) => database.run("pragma journal_mode = delete"));
    using holder = new Database(coop.store);
    holder.run("begin exclusive");
    const { exit, out } = await coop.run(["--wait", "0.1", "--json", "doctor"]);
    expect(exit).toBe(0);
    expect(JSON.parse(out).data.checks[0]).toMatchObject({
      name: "store",
      status: "warn",
      message: expect.stringContaining("0.1 s"),
    });
  });
});

describe("the schema", () => {
  test("fails where a table of it is not there, which no other check sees", async () => {
    await writeLetter();
    onStore((database) => database.run("drop table keys"));
    const [found, ...more] = await troubles();
    expect(more).toEqual([]);
    expect(found).toMatchObject({ name: "schema", status: "fail" });
    expect(found!.message).toEndWith("not there: keys");
  });

  test("of a newer coop fails where this one may not read or write, and is ok where it may", async () => {
    onStore((database) => database.run("pragma user_version = 99"));
    expect(await troubles()).toEqual([]);
    for (const name of ["min_writer", "min_reader"]) {
      setMeta(name, 99);
      expect(await troubles()).toMatchObject([
        { name: "schema", status: "fail", fix: "copy the newest coop binary here" },
      ]);
    }
  });

  test("of an older one is not brought up by looking", async () => {
    onStore((database) => database.run("pragma user_version = 5"));
    expect(await troubles()).toMatchObject([
      { name: "schema", status: "fail", fix: expect.stringContaining("init --upgrade") },
    ]);
    expect(onStore((database) => database.query("pragma user_version").get())).toEqual({
      user_version: 5,
    });
  });
});

describe("permissions", () => {
  test("that let others in are a warning, with the command that shuts them out", async () => {
    await writeLetter();
    await chmod(coop.store, 0o644);
    expect(await troubles()).toMatchObject([
      {
        name: "permissions",
        status: "warn",
        message: expect.stringContaining("every user may read"),
        fix: expect.stringContaining(`chmod 0600 '${coop.store}'`),
      },
    ]);
    await chmod(coop.store, 0o600);
    await chmod(folder, 0o770);
    expect(await troubles()).toMatchObject([
      { name: "permissions", status: "warn", fix: `chmod 0700 '${folder}'` },
    ]);
    await chmod(folder, 0o700);
    await chmod(join(backups, "coop.latest.db"), 0o604);
    expect(await troubles()).toMatchObject([{ name: "permissions", status: "warn" }]);
  });

  test("of a folder that is everybody's are no advice to shut everybody out of it", async () => {
    await chmod(folder, 0o1777);
    expect(await troubles()).toMatchObject([
      { name: "permissions", status: "warn", fix: "give the store a folder of its own" },
    ]);
  });

  test("are told by a command that can be typed, whatever the folder is called", async () => {
    const at = join(coop.home, "it's here/coop.db");
    await coop.data(["init", "--db", at]);
    await chmod(at, 0o644);
    const { out } = await coop.run(["doctor", "--db", at]);
    const fix = /chmod 0600 [^;]*/.exec(out)![0];
    expect(Bun.spawnSync(["sh", "-c", fix]).exitCode).toBe(0);
    expect((await stat(at)).mode & 0o777).toBe(0o600);
  });

  test("are those of the group that was let in", async () => {
    setMeta("group", "staff");
    expect(await troubles()).toMatchObject([
      { name: "permissions", status: "fail", fix: expect.stringContaining("init --group staff") },
    ]);
    await chmod(folder, 0o2770);
    await chmod(coop.store, 0o660);
    expect(await troubles()).toEqual([]);
    await chmod(coop.store, 0o666);
    expect(await troubles()).toMatchObject([{ name: "permissions", status: "warn" }]);
  });

  test("that keep the speaker from writing are a warning, from reading a failure", async () => {
    await writeLetter();
    const user = await ordinary();
    await chmod(folder, 0o755);
    await chmod(coop.store, 0o644);
    const found = await doctor(user);
    expect(found["store"]!.status).toBe("ok");
    expect(found["integrity"]!.status).toBe("ok");
    expect(found["permissions"]).toMatchObject({
      status: "warn",
      message: expect.stringContaining("cannot be written"),
    });
    expect(found["locks"]!.status).toBe("warn");
    await chmod(coop.store, 0o600);
    expect((await doctor(user))["store"]).toMatchObject({
      status: "fail",
      message: expect.stringContaining("0600"),
    });
  });
});

describe("the disk", () => {
  test("that is nearly full is a warning, a full one a failure", async () => {
    const disk = join(coop.home, "disk");
    await mkdir(disk);
    await command("mount", "-t", "tmpfs", "-o", "size=16m,mode=700", "tmpfs", disk);
    try {
      const env = { PIPPA_COOP_DB: join(disk, "coop.db") };
      await coop.data(["init"], { env });
      expect(await troubles({ env })).toMatchObject([{ name: "space", status: "warn" }]);
      await writeFile(join(disk, "filler"), Buffer.alloc(15_800_000));
      expect(await doctor({ env })).toMatchObject({ space: { status: "fail" } });
    } finally {
      await command("umount", disk);
    }
  });
});

describe("what is left over", () => {
  test("is named with its size and age, and not removed", async () => {
    await writeLetter();
    const names = [
      "coop.db.init-0192",
      "coop.db.init-0192-journal",
      "coop.db.probe-0192-wal",
      "coop.db.restore-0192",
      "coop.db.schema-5.0192",
      "backups/coop.latest.db.0192.snapshot",
      "backups/coop.latest.db.0192.snapshot-journal",
    ];
    for (const name of names) await writeFile(join(folder, name), "x");
    // A copy from before a change of the schema is kept on purpose, for a month.
    await writeFile(join(folder, "coop.db.schema-5"), "x");
    const [found, ...more] = await troubles();
    expect(more).toEqual([]);
    expect(found).toMatchObject({ name: "leftovers", status: "warn" });
    for (const name of names) {
      expect(found!.message).toContain(`${join(folder, name)} (1 bytes, `);
      expect(await Bun.file(join(folder, name)).exists()).toBe(true);
      await rm(join(folder, name));
    }
    expect(await troubles()).toEqual([]);
    await command("touch", "-d", "2 months ago", join(folder, "coop.db.schema-5"));
    expect(await troubles()).toMatchObject([{ name: "leftovers" }]);
  });

  test("by a write that was cut off is for the next command to undo", async () => {
    await writeLetter();
    await writeFile(`${coop.store}-journal`, "x");
    expect(await troubles()).toEqual([]);
    await writeFile(`${coop.store}-journal`, "x");
    await command("touch", "-d", "1 hour ago", `${coop.store}-journal`);
    expect(await troubles()).toMatchObject([
      { name: "interrupted", status: "warn", fix: expect.stringContaining("leave it there") },
    ]);
  });
});

describe("second stores", () => {
  test("beside the store are named", async () => {
    await writeLetter();
    const names = [
      "coop (1).db",
      "coop 2.db",
      "coop.db.bak",
      "coop.db~",
      "coop (ann's conflicted copy 2026-11-22).db",
      "coop.sync-conflict-20261122-093000-ABCDEF.db",
      "Copy of coop.db",
    ];
    for (const name of names) await writeFile(join(folder, name), "x");
    await writeFile(join(folder, "notes.txt"), "mine");
    await writeFile(join(folder, "cooperation.md"), "mine");
    const [found, ...more] = await troubles();
    expect(more).toEqual([]);
    expect(found).toMatchObject({ name: "strays", status: "warn" });
    for (const name of names) expect(found!.message).toContain(join(folder, name));
    expect(found!.message).not.toContain("notes.txt");
    expect(found!.message).not.toContain("cooperation.md");
  });

  test("are no archives of the store, whatever they are called", async () => {
    await coop.data(["queue", "push", "jobs", "x"], { as: "ann" });
    await coop.data(["queue", "drop", "Q1"], { as: "ann" });
    const to = join(folder, "coop-2026.db");
    await coop.data(["queue", "archive", "--older", "0s", "--to", to], { as: "ann" });
    expect(await troubles()).toEqual([]);
  });

  test("of the same file are other names of it, each with a log of its own", async () => {
    await writeLetter();
    const beside = join(folder, "hard.db");
    await link(coop.store, beside);
    await symlink(coop.store, join(folder, "soft.db"));
    const [found, ...more] = await troubles();
    expect(more).toEqual([]);
    expect(found).toMatchObject({ name: "strays", status: "warn" });
    expect(found!.message).toContain(`${coop.store} is a file of 2 names, also ${beside}:`);
    await rename(beside, join(coop.home, "elsewhere.db"));
    expect(await troubles()).toMatchObject([
      { name: "strays", message: expect.stringContaining("is a file of 2 names:") },
    ]);
    await rm(join(coop.home, "elsewhere.db"));
    expect(await troubles()).toEqual([]);
  });

  test("are found by what is in them; another store is none, and no backup", async () => {
    await writeLetter();
    await coop.data(["init", "--db", join(folder, "other.db")]);
    await coop.data(["backup", "--to", join(folder, "coop copy.db")]);
    expect(await troubles()).toEqual([]);
    const file = join(folder, "quest.db");
    await copyFile(coop.store, file);
    expect(await troubles()).toMatchObject([
      { name: "strays", message: expect.stringContaining(file) },
    ]);
  });
});

describe("clocks", () => {
  const shift = (id: number, milliseconds: number) =>
    onStore((database) =>
      database.run("update events set at = at + ? where id = ?", [milliseconds, id]),
    );

  test("that are ahead are a warning", async () => {
    await writeLetter();
    await writeLetter();
    shift(2, 30_000);
    expect(await troubles()).toEqual([]);
    shift(2, 3 * HOUR_MS + 60_000);
    expect(await troubles()).toMatchObject([
      { name: "clock", status: "warn", message: expect.stringContaining("3h in the future") },
    ]);
    await coop.data(["letter", "write", "--body", "x"], { as: "ben" });
    expect((await doctor())["clock"]).toMatchObject({ status: "warn" });
  });

  test("that are right are none where a restore put what is of the store as a whole behind later events", async () => {
    await writeLetter();
    const { file } = await coop.data(["backup"]);
    await coop.data(["restore", file], { as: "dad" });
    shift(2, -2 * DAY_MS);
    onStore((database) => database.run("update events set id = id + 10 where surface = 'store'"));
    shift(1, -3 * DAY_MS);
    await writeLetter();
    expect((await doctor())["clock"]).toMatchObject({ status: "ok" });
  });

  test("that were ahead or behind for one event are a warning, however far that is from now", async () => {
    for (let n = 0; n < 3; n++) await writeLetter();
    shift(2, -40 * DAY_MS);
    expect(await troubles()).toMatchObject([
      { name: "clock", message: expect.stringContaining("set back by 39d at event 2") },
    ]);
    shift(2, 80 * DAY_MS);
    expect(await troubles()).toMatchObject([
      { name: "clock", message: expect.stringMatching(/^event 2 is (39|40)d in the future/) },
    ]);
  });

  test("that were ahead when a backup was made are a warning, which says what the newest other is", async () => {
    await writeLetter();
    const { file } = await coop.data(["backup"]);
    const ahead = join(dirname(file), "coop.2999-01-01T00-00-00.000Z.db");
    await rename(file, ahead);
    const said = () => troubles().then((found) => found.map(({ message }) => message));
    const says = "coop.2999-01-01T00-00-00.000Z.db has a date that is still to come: ";
    expect(await said()).toEqual([`${says}none has one that is not`]);
    const { file: now } = await coop.data(["backup"]);
    expect(await said()).toEqual([
      expect.stringContaining(`${says}the newest that has not is ${basename(now)}, `),
    ]);
  });

  test("that were set back are a warning, and a little apart they may be", async () => {
    for (let n = 0; n < 3; n++) await writeLetter();
    shift(2, -30_000);
    expect(await troubles()).toEqual([]);
    shift(2, -2 * DAY_MS);
    expect(await troubles()).toMatchObject([
      {
        name: "clock",
        status: "warn",
        message: expect.stringMatching(/set back by 2d at event 2/),
      },
    ]);
    // What was long ago is not to be mended any more.
    for (const id of [1, 2]) shift(id, -31 * DAY_MS);
    expect((await doctor())["clock"]).toMatchObject({ status: "ok" });
  });
});

describe("ids", () => {
  test("that look like misspellings of one another are a warning", async () => {
    for (let n = 0; n < 5; n++) {
      await writeLetter("x", "codex-pippa");
      await writeLetter("x", "worker-1");
      await writeLetter("x", "ann");
      await writeLetter("x", "a");
    }
    for (const id of ["worker-2", "bob", "claude", "b", "an"]) await writeLetter("x", id);
    expect(await troubles()).toEqual([]);
    // Also those of which the archive alone has the events.
    await coop.data(["queue", "push", "jobs"], { as: "zoe-pippa" });
    await coop.data(["queue", "drop", "1"], { as: "zoe-pippa" });
    const archive = ["queue", "archive", "--older", "0s", "--to", join(coop.home, "archive.db")];
    await coop.data(archive, { as: "ann" });
    expect((await doctor())["ids"]).toMatchObject({ status: "ok", message: "10 known" });
    await writeLetter("x", "zoe-pipa");
    expect((await doctor())["ids"]!.message).toBe(
      "'zoe-pipa' (1 event) looks like 'zoe-pippa' (archived events)",
    );

    await writeLetter("x", "codx-pipa");
    await coop.data(["todo", "add", "x", "--to", "Codex-pippa"], { as: "claude" });
    const [found] = await troubles();
    expect(found).toMatchObject({ name: "ids", status: "warn" });
    expect(found!.message.split("; ").sort()).toEqual([
      "'Codex-pippa' (0 events) looks like 'codex-pippa' (5 events)",
      "'codx-pipa' (1 event) looks like 'codex-pippa' (5 events)",
      "'zoe-pipa' (1 event) looks like 'zoe-pippa' (archived events)",
    ]);
  });

  test("are named only in part where they are many, and of very many none", async () => {
    const add = (ids: readonly string[], each: number) =>
      onStore((database) => {
        const event = database.query(
          "insert into events (at, author, host, pid, folder, surface, number, verb, version) select at, ?, host, pid, folder, surface, number, verb, version from events limit 1",
        );
        for (const id of ids) for (let n = 0; n < each; n++) event.run(id);
      });
    const row = (length: number, end: string) =>
      Array.from(
        { length },
        (_, n) => `brain-${String(n).padStart(4, "0")}-${"abcdefghij"[n % 10]}${end}`,
      );
    await writeLetter("x", "ann");
    add(["session-pippa"], 100);
    add(
      Array.from({ length: 13 }, (_, n) => `session-pipp${"bcdefghijklmn"[n]}`),
      1,
    );
    const [found] = await troubles();
    expect(found!.message.split("; ")).toHaveLength(11);
    expect(found!.message).toEndWith("; and 3 more");
    add(row(500, "x"), 1);
    expect((await doctor())["ids"]).toMatchObject({
      status: "ok",
      message: "515 known, too many to find those that are slips for another",
    });
  });
});

describe("backups", () => {
  const age = (milliseconds: number) => {
    for (const name of ["snapshot_claimed_at", "snapshot_at"])
      setMeta(name, Date.now() - milliseconds);
  };

  test("that are published too seldom are a warning that says why", async () => {
    await writeLetter();
    setMeta("snapshot_took", 1200);
    age(3 * HOUR_MS);
    expect(await troubles()).toEqual([]);
    await writeLetter();
    expect(await troubles()).toMatchObject([
      { name: "published", status: "warn", message: expect.stringMatching(/^3h old.*second/) },
    ]);
    setMeta("snapshot_took", 12);
    expect(await troubles()).toEqual([]);
    setMeta("snapshot_claimed_at", Date.now() - 600_000);
    expect(await troubles()).toMatchObject([
      { name: "published", status: "warn", message: expect.stringMatching(/10m ago, failed/) },
    ]);
    await coop.data(["backup"]);
    expect(await troubles()).toEqual([]);
  });

  test("are left to the person where the store keeps a rollback journal", async () => {
    onStore((database) => database.run("pragma journal_mode = delete"));
    setMeta("journal", "rollback");
    await writeLetter();
    expect(await troubles()).toMatchObject([
      { name: "published", status: "warn", message: expect.stringContaining("is not there") },
    ]);
    await coop.data(["backup"]);
    await writeLetter();
    expect(await troubles()).toEqual([]);
    age(2 * HOUR_MS);
    expect(await troubles()).toMatchObject([
      { name: "published", message: expect.stringContaining("hold writers up") },
    ]);
  });

  test("fail where their folder is a link to a disk that is not mounted", async () => {
    await writeLetter();
    await rm(backups, { recursive: true });
    await symlink(join(coop.home, "nas"), backups);
    expect(await troubles()).toEqual([
      {
        name: "published",
        status: "fail",
        message: `${backups} is there, but is no folder`,
        fix: expect.stringContaining("not mounted? ask the person"),
      },
    ]);
  });

  test("that are another store's are a warning, until this one's are made", async () => {
    await writeLetter();
    await using other = await story();
    await other.data(["todo", "add", "theirs"], { as: "ben" });
    const published = join(backups, "coop.latest.db");
    await copyFile(join(dirname(other.store), "backups/coop.latest.db"), published);
    expect(await troubles()).toEqual([
      {
        name: "published",
        status: "warn",
        message: `${published} is of another store`,
        fix: expect.stringContaining("coop backup"),
      },
    ]);
    await coop.data(["backup"]);
    expect(await troubles()).toEqual([]);
  });

  test("from before another store's file was restored have nothing that is missing", async () => {
    await using other = await story();
    for (let n = 0; n < 5; n++) await other.data(["todo", "add", "theirs"], { as: "ben" });
    const { file } = await other.data(["backup", "--to", join(coop.home, "theirs.db")]);
    await writeLetter();
    await writeLetter();
    await coop.data(["backup"]);
    await coop.data(["restore", file], { as: "ann" });
    for (const name of ["published", "backup"])
      expect((await doctor())[name]).toMatchObject({ status: "ok" });
  });

  test("that are not wanted are not missed", async () => {
    setMeta("snapshot_every", 0);
    await writeLetter();
    expect(await troubles()).toEqual([]);
  });

  test("that do not open fail", async () => {
    await writeLetter();
    const { file } = await coop.data(["backup"]);
    for (const [path, name] of [
      [file, "backup"],
      [join(backups, "coop.latest.db"), "published"],
    ] as const) {
      const { size } = await stat(path);
      await truncate(path, size - 4096 * 3);
      expect(await troubles()).toMatchObject([
        { name, status: "fail", message: expect.stringContaining(path) },
      ]);
      await writeFile(path, "no database at all, and yet so long\n".repeat(999));
      expect(await troubles()).toMatchObject([{ name, status: "fail" }]);
      await rm(path);
    }
  });

  test("that were never finished are named", async () => {
    await writeLetter();
    await mkdir(backups, { recursive: true });
    await writeFile(join(backups, "coop.2026-01-01T00-00-00.000Z.db.0192.snapshot"), "half");
    expect(await troubles()).toMatchObject([{ name: "leftovers", status: "warn" }]);
  });
});

test("a backup that is looked at as a store is a warning that says what it is", async () => {
  await writeLetter();
  const { file } = await coop.data(["backup"]);
  const { exit, out } = await coop.run(["doctor", "--db", file]);
  expect(exit).toBe(0);
  expect(out.split("\n").filter((line) => /^(warn|fail)/.test(line))).toEqual([
    expect.stringMatching(
      /^warn store: .* a backup that is only for reading; .*coop --db STORE restore/,
    ),
  ]);
});

test("an archive that is looked at as a store is ok, and no snapshot of it is missed", async () => {
  await coop.data(["queue", "push", "jobs", "x"], { as: "ann" });
  await coop.data(["queue", "drop", "Q1"], { as: "ann" });
  const archive = join(coop.home, "archive.db");
  await chmod(coop.home, 0o700);
  await coop.data(["queue", "archive", "--older", "0s", "--to", archive], { as: "ann" });
  const found = await doctor({ env: { PIPPA_COOP_DB: archive } });
  expect(found["store"]!.message).toEndWith("an archive of finished queue items");
  expect(Object.values(found).filter(({ status }) => status !== "ok")).toEqual([]);
});

test("a store that was moved is a warning that says where to", async () => {
  setMeta("moved_to", "postgres://ann@host/coop");
  expect(await troubles()).toMatchObject([
    { name: "store", status: "warn", message: expect.stringContaining("postgres://ann@host/coop") },
  ]);
});
