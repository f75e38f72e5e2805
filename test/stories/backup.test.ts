import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { watch } from "node:fs";
import {
  chmod,
  chown,
  copyFile,
  lstat,
  mkdir,
  readdir,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { publish } from "../../src/store/publish";
import { COOP } from "../binary";
import { clock } from "../engines";
import { ordinary as ordinaryUser } from "../ordinary";
import { SPECIAL } from "../special";
import { killedInCommit } from "../killed";
import { story, times, type RunOptions, type Story } from "../story";

const DATED = /^coop\.\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z\.db$/;
const HOUR_MS = 3_600_000;
const NOBODY = 65534;

let coop: Story;
let backups: string;
let published: string;
beforeEach(async () => {
  coop = await story();
  backups = join(dirname(coop.store), "backups");
  published = join(backups, "coop.latest.db");
});
afterEach(() => coop[Symbol.asyncDispose]());

const writeLetter = (body: string) => coop.data(["letter", "write", "--body", body], { as: "ann" });

/** The bodies of the letters in a coop file, read by coop, which finds the file sound. */
async function lettersIn(path: string): Promise<string[]> {
  using database = new Database(path);
  expect(database.query("pragma integrity_check").get()).toEqual({ integrity_check: "ok" });
  const letters = await coop.data(["letter", "list", "--limit", "0", "--db", path]);
  return letters.map(({ body }: { body: string }) => body);
}

const onStore = <T>(work: (database: Database) => T): T => {
  using database = new Database(coop.store);
  return work(database);
};
const setMeta = (name: string, value: unknown) =>
  onStore((database) =>
    database.run("insert or replace into meta (name, value) values (?, ?)", [name, String(value)]),
  );
const getMeta = (name: string) =>
  onStore(
    (database) =>
      database.query<{ value: string }, [string]>("select value from meta where name = ?").get(name)
        ?.value,
  );

/** Makes the store so large that a copy of it takes a while. */
function enlarge(bytes: number): void {
  onStore((database) =>
    database.run(
      `insert into keys (author, verb, key, fingerprint, at, result)
        with recursive n (n) as (select 1 union all select n + 1 from n where n < ?)
        select 'ann', 'letter write', n, '', 0, hex(zeroblob(50000)) from n`,
      [Math.ceil(bytes / 100_000)],
    ),
  );
}

const refusal = async (words: string[], options: RunOptions = {}) => {
  const outcome = await coop.run(["--json", ...words], options);
  expect(outcome.out).toBe("");
  return { exit: outcome.exit, ...outcome.json().error };
};

/** Eight processes that write letters until they are told to end; `acknowledged` are the bodies that are surely kept. */
function writers(): { acknowledged: Set<string>; end(): Promise<void> } {
  const acknowledged = new Set<string>();
  const ending = new AbortController();
  const all = times(8, async (writer) => {
    for (let n = 0; !ending.signal.aborted; n++) {
      const body = `${writer}.${n}`;
      const { exit, err } = await coop.run(["letter", "write", "--body", body], { as: "ann" });
      expect({ exit, err }).toEqual({ exit: 0, err: "" });
      acknowledged.add(body);
    }
  });
  const end = async () => {
    ending.abort();
    await all;
  };
  return { acknowledged, end };
}

async function command(...words: string[]): Promise<void> {
  const child = Bun.spawn(words, { stdout: "inherit", stderr: "pipe" });
  const talk = await new Response(child.stderr).text();
  if ((await child.exited) !== 0) throw new Error(`${words.join(" ")} (needs root): ${talk}`);
}

/** The names of all files that come to be in a folder while `work` goes on, however short they are there. */
async function watched(folder: string, work: () => Promise<unknown>): Promise<Set<string>> {
  const names = new Set<string>();
  const end = Promise.withResolvers<void>();
  const last = "the last that is written";
  const watcher = watch(folder, (_, name) => (name === last ? end.resolve() : names.add(name!)));
  await work();
  await writeFile(join(folder, last), "");
  await end.promise;
  watcher.close();
  await rm(join(folder, last));
  return names;
}

/** Kills a command as soon as it writes a snapshot into a folder. */
async function killInTheMiddle(words: string[], folder: string): Promise<string[]> {
  const child = Bun.spawn([COOP, ...words], {
    env: { HOME: coop.home },
    cwd: coop.folder,
    stdio: ["ignore", "ignore", "ignore"],
  });
  const temporaries = async () =>
    (await readdir(folder).catch(() => [])).filter((name) => name.endsWith(".snapshot"));
  while (child.exitCode === null) {
    const [name] = await temporaries();
    if (name !== undefined && (await stat(join(folder, name))).size > 0) break;
    await Bun.sleep(1);
  }
  child.kill("SIGKILL");
  await child.exited;
  expect(child.signalCode).toBe("SIGKILL");
  return temporaries();
}

describe("a backup", () => {
  test("is a dated file beside the store, says what is in it, and is itself a store", async () => {
    await writeLetter("one");
    await coop.data(["todo", "add", "two"], { as: "ann" });

    const made = await coop.data(["backup"]);

    expect(made).toEqual({
      file: join(backups, basename(made.file)),
      bytes: (await stat(made.file)).size,
      schema: expect.any(Number),
      records: { letters: 1, requests: 0, todos: 1, history_entries: 0, queue_items: 0 },
      events: 2,
      took_ms: expect.any(Number),
      removed: [],
    });
    expect(basename(made.file)).toMatch(DATED);
    expect((await stat(made.file)).mode & 0o777).toBe(0o600);
    expect((await stat(backups)).mode & 0o777).toBe(0o700);
    expect(await lettersIn(made.file)).toEqual(["one"]);
    expect((await readdir(backups)).sort()).toEqual([basename(made.file), "coop.latest.db"].sort());
    expect((await coop.run(["backup"])).out).toMatch(
      /^\/.*\.db: \d+ kB, 1 letter, 1 todo, 2 events; checked, \d+ ms\n$/,
    );
  });

  test("is published too, so that the published one is never older", async () => {
    await writeLetter("one");
    expect(await lettersIn(published)).toEqual(["one"]);
    await writeLetter("two");
    expect(await lettersIn(published)).toEqual(["one"]);
    const before = Date.now();
    await coop.data(["backup"]);
    expect(await lettersIn(published)).toEqual(["two", "one"]);
    expect(Number(getMeta("snapshot_at"))).toBeGreaterThanOrEqual(before);
  });

  test("goes to a folder or a file, also by a relative path, and replaces an older one of the store", async () => {
    await writeLetter("one");
    const folder = join(coop.folder, "nas ?#%");
    await mkdir(folder);
    const dated = await coop.data(["backup", "--to", folder]);
    expect(dirname(dated.file)).toBe(folder);
    expect(basename(dated.file)).toMatch(DATED);
    expect(await lettersIn(dated.file)).toEqual(["one"]);

    const { file } = await coop.data(["backup", "--to", "before.db"]);
    expect(file).toBe(join(coop.folder, "before.db"));
    const { ino } = await stat(file);
    await writeLetter("two");
    await coop.data(["backup", "--to", file]);
    expect(await lettersIn(file)).toEqual(["two", "one"]);
    expect((await stat(file)).ino).not.toBe(ino);
  });

  test("needs no id, and only to be able to read the store", async () => {
    await writeLetter("one");
    const program = join(coop.folder, "coop");
    await copyFile(COOP, program);
    await mkdir(join(coop.folder, "mine"), { mode: 0o777 });
    for (const folder of [coop.home, dirname(coop.home), coop.folder, dirname(coop.store)])
      await chmod(folder, 0o755);
    await chmod(join(coop.folder, "mine"), 0o777);
    await chmod(coop.store, 0o444);
    const ordinary = { user: NOBODY, program };

    const { file } = await coop.data(["backup", "--to", "mine"], ordinary);

    expect(await lettersIn(file)).toEqual(["one"]);
    expect(await refusal(["backup"], ordinary)).toMatchObject({
      exit: 6,
      reason: "access",
      message: expect.stringContaining(backups),
      hint: expect.stringContaining("--to"),
    });
  });

  test("is never one of a snapshot, where the store itself cannot be read", async () => {
    await writeLetter("one");
    const program = join(coop.folder, "coop");
    await copyFile(COOP, program);
    await mkdir(join(coop.folder, "mine"));
    await chmod(join(coop.folder, "mine"), 0o777);
    for (const folder of [coop.home, dirname(coop.home), coop.folder, dirname(coop.store), backups])
      await chmod(folder, 0o755);
    for (const file of [coop.store, published]) await chmod(file, 0o644);
    using writer = new Database(coop.store);
    writer.run("insert into counters (name, value) values ('logged', 1)");
    for (const suffix of ["-wal", "-shm"]) await chmod(coop.store + suffix, 0o600);
    const ordinary = { user: NOBODY, program };

    const listed = await coop.run(["--json", "letter", "list"], ordinary);
    expect(JSON.parse(listed.out).warnings).toMatchObject([{ code: "snapshot" }]);
    expect(await refusal(["backup", "--to", "mine"], ordinary)).toMatchObject({
      exit: 6,
      reason: "read_only",
    });
    expect(await readdir(join(coop.folder, "mine"))).toEqual([]);
  });

  test("leaves the newest N of this store and everything that is not one of them", async () => {
    await writeLetter("one");
    const nas = join(coop.folder, "nas");
    await mkdir(nas);
    await using other = await story();
    await other.data(["backup", "--to", nas]);
    const [foreign] = await readdir(nas);
    const old = "coop.2020-01-01T00-00-00.000Z.db";
    await writeFile(join(nas, old), "not coop's, in spite of its name");
    await writeFile(join(nas, "notes.txt"), "mine");
    const made: string[] = [];
    for (let n = 0; n < 4; n++)
      made.push(basename((await coop.data(["backup", "--to", nas])).file));

    const last = await coop.data(["backup", "--to", nas, "--keep", "2"]);

    expect(last.removed.map((path: string) => basename(path)).sort()).toEqual(made.slice(0, 3));
    expect((await readdir(nas)).sort()).toEqual(
      [foreign!, old, "notes.txt", made[3]!, basename(last.file)].sort(),
    );
    expect((await coop.run(["backup", "--to", nas, "--keep", "1"])).out).toContain(
      `removed ${join(nas, made[3]!)}\nremoved ${last.file}\n`,
    );
  });

  test("warns of those that it cannot remove, and has made the new one", async () => {
    await using shared = await story({ init: false });
    await chmod(dirname(shared.home), 0o777);
    await chmod(shared.home, 0o777);
    const user = 65534;
    await shared.data(["init"], { user });
    const nas = join(shared.folder, "nas");
    await mkdir(nas);
    const first = await shared.data(["backup", "--to", nas]);
    // What is in it its owner alone may remove.
    await chmod(nas, 0o1777);
    await chown(first.file, 0, 0);
    await chmod(first.file, 0o644);
    const words = ["--json", "backup", "--to", nas, "--keep", "1"];
    const made = (await shared.run(words, { user })).json();
    expect(made).toMatchObject({
      data: { removed: [] },
      warnings: [
        {
          code: "not_removed",
          message: expect.stringContaining(`could not be removed: ${first.file}`),
        },
      ],
    });
    expect((await readdir(nas)).sort()).toEqual(
      [first.file, made.data.file].map((path) => basename(path)),
    );
  });

  test("leaves one of a time that the store does not have any more, also when it has more events by now", async () => {
    await writeLetter("one");
    const older = await Bun.file(coop.store).bytes();
    await writeLetter("two");
    const { file } = await coop.data(["backup"]);
    await Bun.write(coop.store, older);
    for (let count = 0; count < 5; count++) await writeLetter(`other ${count}`);
    await coop.data(["backup"]);
    const pruned = (await coop.run(["--json", "backup", "--keep", "1"])).json();
    expect(pruned.warnings).toMatchObject([{ code: "has_more" }]);
    expect(await lettersIn(file)).toEqual(["two", "one"]);
  });

  test("warns where one beside it has a later date", async () => {
    const nas = join(coop.folder, "nas");
    await mkdir(nas);
    const { file } = await coop.data(["backup", "--to", nas]);
    const ahead = "coop.2999-01-01T00-00-00.000Z.db";
    await rename(file, join(nas, ahead));
    const made = (await coop.run(["backup", "--to", nas, "--json"])).json();
    expect(made.warnings).toEqual([
      { code: "clock", message: expect.stringContaining(`${ahead} beside it has a later date`) },
    ]);
    // What was just made is not the newest by its name, and is kept all the same.
    const kept = await coop.data(["backup", "--to", nas, "--keep", "1"]);
    expect(kept.removed).toEqual([made.data.file]);
    expect((await readdir(nas)).sort()).toEqual([basename(kept.file), ahead]);
    // That one does not count: of those before it as many are kept as ever.
    const more = await coop.data(["backup", "--to", nas, "--keep", "2"]);
    expect(more.removed).toEqual([]);
    expect(await readdir(nas)).toHaveLength(3);
  });

  test("takes a lock held by a writer for no reason to wait, and holds no writer up", async () => {
    await writeLetter("one");
    enlarge(30e6);
    using writer = new Database(coop.store);
    writer.run("begin immediate");
    writer.run("insert into counters (name, value) values ('uncommitted', 1)");
    const { file } = await coop.data(["backup", "--wait", "0", "--to", "copy.db"]);
    writer.run("rollback");
    expect(await lettersIn(file)).toEqual(["one"]);

    // One that does not wait at all is refused where it would have had to.
    writer.run("pragma busy_timeout = 0");
    const backup = coop.data(["backup", "--to", "copy.db"]);
    let wrote = 0;
    const done = new AbortController();
    void backup.finally(() => done.abort());
    while (!done.signal.aborted) {
      writer.run("insert or replace into counters (name, value) values ('uncommitted', 1)");
      wrote++;
      await Bun.sleep(1);
    }
    expect(await backup).toMatchObject({ file });
    expect(wrote).toBeGreaterThan(1);
  });

  test("says that writers waited, where the store keeps a rollback journal", async () => {
    onStore((database) => {
      database.run("pragma journal_mode = delete");
      database.run("insert or replace into meta (name, value) values ('journal', 'rollback')");
    });
    expect((await coop.run(["backup", "--to", "copy.db"])).err).toMatch(
      /^coop: warning: writers had to wait \d+ ms: the store keeps a rollback journal\n$/,
    );
  });
});

test("each of ten backups under eight writers holds every write acknowledged before it began", async () => {
  const { acknowledged, end } = writers();
  let compared = 0;
  for (let n = 0; n < 10; n++) {
    await Bun.sleep(50);
    const before = [...acknowledged];
    compared += before.length;
    const file = join(coop.folder, `${n}.db`);
    expect(await coop.data(["backup", "--to", file])).toMatchObject({ file });
    const held = new Set(await lettersIn(file));
    expect(before.filter((body) => !held.has(body))).toEqual([]);
  }
  await end();
  expect(compared).toBeGreaterThan(0);
});

test("a backup of a large store says on a terminal what it is doing", async () => {
  enlarge(100e6);
  // A program of its own for a terminal: what it shows is its output.
  const pty = "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)";
  const words = ["-c", pty, COOP, "backup", "--to", "copy.db"];
  const { exit, out } = await coop.run(words, { program: "python3" });
  expect({ exit, out }).toEqual({
    exit: 0,
    out: expect.stringMatching(
      /\r\u001b\[Kcoop: copying \d+ MB ….*coop: checking.*\u001b\[K\/.*copy\.db: /s,
    ),
  });
  const off = await coop.run(["backup", "--to", "copy.db"]);
  expect(off.err).toBe("");
});

test("a backup is made although a folder is where its copy is published, and says so", async () => {
  await writeLetter("one");
  await rm(published, { force: true });
  await mkdir(published, { recursive: true });
  const { exit, out, err } = await coop.run(["backup"]);
  expect({ exit, made: out.includes("checked") }).toEqual({ exit: 0, made: true });
  expect(err).toContain("the backup is made, but not published");
});

test("a pipe that is called like a backup is waited for by nobody", async () => {
  await writeLetter("one");
  const { file } = await coop.data(["backup"]);
  const pipe = join(backups, "coop.2000-01-01T00-00-00.000Z.db");
  await rename(SPECIAL["a pipe"]!(coop.home), pipe);
  expect(await coop.data(["backup", "--keep", "1"])).toMatchObject({ removed: [file] });
  await rm(published, { force: true });
  await rename(pipe, published);
  expect((await coop.run(["doctor"])).out).toContain(`${published} is no regular file`);
});

describe("a backup is only for reading", () => {
  const state = { exit: 4, code: "conflict", reason: "state" };
  /** Every kind of file that coop makes as a copy of the store. */
  const kinds: Record<string, () => Promise<string>> = {
    "a dated one": async () => (await coop.data(["backup"])).file,
    "one with a name": async () => (await coop.data(["backup", "--to", "copy.db"])).file,
    "the published snapshot": async () => published,
    "the store as it was before a restore": async () =>
      (await coop.data(["restore", published], { as: "dad" })).saved_as,
    "a copy of one": async () => {
      await copyFile(published, join(coop.folder, "copy.db"));
      return join(coop.folder, "copy.db");
    },
  };

  test.each(Object.keys(kinds))("%s", async (kind) => {
    await writeLetter("one");
    const file = await kinds[kind]!();
    const before = await Bun.file(file).bytes();
    const beside = await readdir(dirname(file));
    const words = ["letter", "write", "--body", "lost", "--db", file];

    const refused = await refusal(words, { as: "ann" });

    expect(refused).toMatchObject(state);
    expect(refused.message).toBe(`${file} is a backup: it is only for reading`);
    expect(refused.hint).toContain(`coop --db STORE restore ${file}, `);
    expect(await refusal(["backup", "--db", file, "--to", "other.db"])).toMatchObject(state);
    for (const flags of ["--snapshot-every 5m", "--journal wal"])
      expect(await refusal(["init", "--db", file, ...flags.split(" ")])).toMatchObject(state);
    expect(await coop.data(["letter", "list", "--db", file])).toMatchObject([{ body: "one" }]);
    expect(await coop.data(["letter", "read", "--db", file], { as: "ann" })).toMatchObject([
      { body: "one", state: "unread", marked: false },
    ]);
    expect(await Bun.file(file).bytes()).toEqual(before);
    // By itself, with the header of a rollback journal.
    expect(before.slice(18, 20)).toEqual(new Uint8Array([1, 1]));
    expect(await readdir(dirname(file))).toEqual(beside);

    await coop.data(["restore", file], { as: "dad" });
    await writeLetter("two");
    expect(await lettersIn(coop.store)).toEqual(["two", "one"]);
    expect(getMeta("backup_of")).toBeUndefined();
  });

  test("but for a redaction, after which it is still one", async () => {
    await writeLetter("hunter2");
    const { file } = await coop.data(["backup"]);
    await coop.data(["redact", "L1", "--db", file], { as: "ann" });
    expect(await lettersIn(file)).not.toContain("hunter2");
    expect(await refusal(["todo", "add", "x", "--db", file], { as: "ann" })).toMatchObject(state);
  });

  test("also to copy to, and copy takes it for a store to copy from", async () => {
    const { file: empty } = await coop.data(["backup", "--to", "empty.db"]);
    await writeLetter("one");
    const { file } = await coop.data(["backup", "--to", "copy.db"]);
    expect(await refusal(["copy", "--from", coop.store, "--to", empty])).toMatchObject(state);
    await writeLetter("two");
    const other = join(coop.folder, "other.db");
    await coop.data(["init", "--db", other]);
    await coop.data(["copy", "--from", file, "--to", other]);
    await coop.data(["letter", "write", "--body", "three", "--db", other], { as: "ann" });
    expect(await lettersIn(other)).toEqual(["three", "one"]);
  });
});

describe("of two stores, one restored from the other's backup, each leaves alone", () => {
  let other: string;
  const add = (title: string, db: string) =>
    coop.data(["todo", "add", title, "--db", db], { as: "ann" });
  beforeEach(async () => {
    other = join(coop.folder, "other/coop.db");
    await add("one", coop.store);
    await coop.data(["backup"]);
    await coop.data(["init", "--db", other]);
    await coop.data(["restore", published, "--db", other], { as: "dad" });
  });

  test("the other itself, and whatever else is no backup", async () => {
    await add("two", coop.store);
    await copyFile(coop.store, join(coop.folder, "plain.db"));
    for (const [db, to] of [
      [other, coop.store],
      [coop.store, other],
      [coop.store, join(coop.folder, "plain.db")],
    ] as const)
      expect(await refusal(["backup", "--db", db, "--to", to])).toMatchObject({
        exit: 6,
        reason: "foreign",
        message: `${to} is a store`,
      });
    expect(await coop.data(["todo", "list"])).toHaveLength(2);
    expect((await add("three", coop.store)).ref).toBe("T3");
  });

  test("the other's backups", async () => {
    const nas = join(coop.folder, "nas");
    await mkdir(nas);
    const keep = async (db: string) =>
      coop.data(["backup", "--db", db, "--to", nas, "--keep", "1"]);
    const [first, second] = [await keep(coop.store), await keep(other)];
    const there = (await readdir(nas)).map((name) => join(nas, name));
    expect(there.toSorted()).toEqual([first.file, second.file].toSorted());
    expect((await keep(coop.store)).removed).toEqual([first.file]);
    expect((await keep(other)).removed).toEqual([second.file]);
    const { file } = await coop.data(["backup", "--to", join(nas, "fixed.db")]);
    expect(await refusal(["backup", "--db", other, "--to", file])).toMatchObject({
      exit: 6,
      message: `${file} is a backup of another store`,
    });
    // Its own it still knows after a restore of its own.
    await coop.data(["restore", file], { as: "dad" });
    expect(await coop.data(["backup", "--to", file])).toMatchObject({ file });
  });

  test("the other's snapshot, where it comes into its place", async () => {
    await copyFile(published, join(dirname(other), "backups/coop.latest.db"));
    await coop.data(["backup", "--db", other]);
    const kept = (await readdir(join(dirname(other), "backups"))).filter((name) =>
      DATED.test(name),
    );
    const of = kept.map((name) => {
      using database = new Database(join(dirname(other), "backups", name));
      return database.query("select value from meta where name = 'backup_of'").values()[0]![0];
    });
    expect(new Set(of).size).toBe(2);
  });
});

describe("a backup in which a write was cut off", () => {
  const cutOff = async (file: string) => {
    for (let count = 0; count < 20; count++) await writeLetter(`${count} ${"x".repeat(2000)}`);
    await coop.data(["backup", "--to", file]);
    await killedInCommit(file);
    expect(Bun.file(`${file}-journal`).size).toBeGreaterThan(0);
  };

  test("is replaced by one into which nothing of that comes", async () => {
    const file = join(coop.folder, "work.db");
    await cutOff(file);
    await writeLetter("since");
    await coop.data(["backup", "--to", file]);
    expect(await Bun.file(`${file}-journal`).exists()).toBe(false);
    expect(await lettersIn(file)).toHaveLength(21);
    await coop.data(["restore", file], { as: "dad" });
    expect((await lettersIn(coop.store))[0]).toBe("since");
  });

  test("is not touched while somebody writes into it", async () => {
    const file = join(coop.folder, "work.db");
    for (let count = 0; count < 20; count++) await writeLetter(`${count} ${"x".repeat(2000)}`);
    await coop.data(["backup", "--to", file]);
    using writer = new Database(file);
    writer.run("pragma cache_size = 1");
    writer.run("begin immediate");
    writer.run("update letters set body = hex(randomblob(1000))");
    const { exit } = await refusal(["--wait", "0.2", "backup", "--to", file]);
    expect(exit).toBe(7);
    writer.run("commit");
    await coop.data(["backup", "--to", file]);
  });

  test("is told by the doctor, and how to have it undone", async () => {
    await writeLetter("one");
    await cutOff(published);
    const told = async () =>
      (await coop.data(["doctor"])).checks.find(
        ({ name }: { name: string }) => name === "published",
      );
    expect(await told()).toMatchObject({
      status: "warn",
      message: `a write into ${published} was cut off, or is under way`,
      fix: `coop --db ${published} who, which has it undone`,
    });
    await coop.data(["who", "--db", published]);
    expect(await told()).toMatchObject({ status: "ok" });
  });
});

describe("a backup that cannot be made", () => {
  const what: Record<string, () => Promise<string>> = {
    "a text file": async () => {
      await writeFile(join(coop.folder, "notes.txt"), "mine");
      return "notes.txt";
    },
    "an empty file": async () => {
      await writeFile(join(coop.folder, "empty.db"), "");
      return "empty.db";
    },
    "another program's database": async () => {
      using database = new Database(join(coop.folder, "other.db"));
      database.run("create table notes (text)");
      return "other.db";
    },
    "a backup of another store": async () => {
      await using other = await story();
      await other.data(["backup", "--to", join(coop.folder, "theirs.db")]);
      return "theirs.db";
    },
  };

  test.each(Object.keys(what))("never replaces %s", async (name) => {
    const to = await what[name]!();
    const before = await Bun.file(join(coop.folder, to)).bytes();
    expect(await refusal(["backup", "--to", to])).toMatchObject({ exit: 6, reason: "foreign" });
    expect(await Bun.file(join(coop.folder, to)).bytes()).toEqual(before);
    expect(await readdir(coop.folder)).toEqual([to]);
  });

  test("never replaces the store, by whatever name, nor anything that SQLite takes for a part of it", async () => {
    await writeLetter("one");
    await symlink(coop.store, join(coop.folder, "link.db"));
    for (const to of [coop.store, "link.db"])
      expect(await refusal(["backup", "--to", to])).toMatchObject({
        exit: 2,
        message: expect.stringContaining("is the store itself"),
      });
    for (const suffix of ["-wal", "-shm", "-journal"])
      expect((await refusal(["backup", "--to", coop.store + suffix])).exit).toBe(2);
    expect(await lettersIn(coop.store)).toEqual(["one"]);
  });

  test.each(Object.keys(SPECIAL))("never goes into %s, nor waits for it", async (kind) => {
    const path = SPECIAL[kind]!(coop.folder);
    expect(await refusal(["backup", "--to", path])).toMatchObject({
      exit: 2,
      message: `${path} is no regular file`,
    });
  });

  test("never replaces the one file that has what the store has not", async () => {
    const work = join(coop.folder, "work.db");
    await writeLetter("one");
    const older = await Bun.file(coop.store).bytes();
    await writeLetter("two");
    await coop.data(["backup", "--to", work]);
    await Bun.write(coop.store, older);
    await writeLetter("other");
    const before = await Bun.file(work).bytes();
    expect(await refusal(["backup", "--to", work])).toMatchObject({
      exit: 6,
      reason: "foreign",
      message: `${work} has what the store has not`,
    });
    expect(await Bun.file(work).bytes()).toEqual(before);
    await coop.data(["restore", work], { as: "dad" });
    await coop.data(["backup", "--to", work]);
    expect(await lettersIn(work)).toEqual(["two", "one"]);
  });

  test("never replaces a store in use", async () => {
    await coop.data(["backup", "--to", "copy.db"]);
    const path = join(coop.folder, "copy.db");
    using user = new Database(path);
    user.run("pragma journal_mode = wal");
    user.run("insert into meta (name, value) values ('in', 'use')");
    expect(await refusal(["backup", "--to", path])).toMatchObject({
      exit: 6,
      reason: "foreign",
      message: expect.stringContaining("in use"),
    });
  });

  test("says what is wrong with the place, in one line", async () => {
    await writeFile(join(coop.folder, "file"), "");
    for (const [to, exit, says] of [
      ["missing/", 6, /^coop: there is no folder .*missing; is the disk mounted\? /],
      ["missing/copy.db", 6, /^coop: there is no folder .*missing; is the disk mounted\? /],
      ["file/copy.db", 6, /^coop: there is no folder .*file; /],
      ["", 2, /^coop: --to: name a folder or a file/],
      ["x".repeat(300), 6, /^coop: cannot write into .* \(ENAMETOOLONG\); name a shorter one /],
    ] as const) {
      const outcome = await coop.run(["backup", `--to=${to}`]);
      expect({ to, exit: outcome.exit, err: outcome.err }).toEqual({
        to,
        exit,
        err: expect.stringMatching(says),
      });
      expect(outcome.err.trimEnd()).not.toContain("\n");
    }
    const kept = await coop.run(["backup", "--to", "copy.db", "--keep", "2"]);
    expect(kept).toMatchObject({ exit: 2, err: expect.stringContaining("--keep") });
    expect((await coop.run(["backup", "--keep", "0"])).exit).toBe(2);
    expect(await readdir(coop.folder)).toEqual(["file"]);
  });

  test("puts nothing where SQLite would not open it again", async () => {
    const folder = join(coop.folder, "n".repeat(200), "n".repeat(200));
    await mkdir(folder, { recursive: true });
    for (const to of [folder, join(folder, "copy.db")])
      for (const words of [
        ["backup", "--to", to],
        ["queue", "archive", "--older", "0s", "--to", join(folder, "archive.db")],
      ])
        expect(await coop.run(words, { as: "ann" })).toMatchObject({
          exit: 2,
          err: expect.stringContaining("--to is a path of over 400 bytes"),
        });
    expect(await readdir(folder)).toEqual([]);
  });

  test("leaves nothing on a full disk, and the one before is still there", async () => {
    await writeLetter("one");
    const disk = join(coop.home, "disk");
    await mkdir(disk);
    await command("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk);
    try {
      const file = join(disk, "copy.db");
      await coop.data(["backup", "--to", file]);
      await coop.data(["letter", "write", "--body", "-"], {
        as: "ann",
        stdin: "x".repeat(2_000_000),
      });

      const refused = await refusal(["backup", "--to", file]);

      expect(refused).toMatchObject({
        exit: 6,
        reason: "full",
        message: expect.stringContaining(disk),
        hint: "free some space, or raise your limits",
      });
      expect(await readdir(disk)).toEqual(["copy.db"]);
      expect(await lettersIn(file)).toEqual(["one"]);
      expect(await coop.data(["letter", "list"])).toHaveLength(2);
    } finally {
      await command("umount", disk);
    }
  });

  test("says where it may not write", async () => {
    const program = join(coop.folder, "coop");
    await copyFile(COOP, program);
    for (const folder of [coop.folder, coop.home, dirname(coop.home)]) await chmod(folder, 0o755);
    await command("chown", "-R", String(NOBODY), dirname(coop.store));
    const to = join(coop.folder, "theirs");
    await mkdir(to, { mode: 0o755 });
    expect(await refusal(["backup", "--to", to], { user: NOBODY, program })).toMatchObject({
      exit: 6,
      reason: "access",
      message: expect.stringContaining(to),
    });
  });

  test("says what is in the place of its folder", async () => {
    await symlink("/nowhere/backups", backups);
    expect(await refusal(["backup"])).toMatchObject({
      exit: 6,
      reason: "access",
      message: `${backups} is there, but is no folder`,
      hint: expect.stringContaining("not mounted"),
    });
  });

  test("does not hide that the store is damaged, and keeps the one before", async () => {
    for (let n = 0; n < 20; n++) await writeLetter("x".repeat(3000));
    const { file } = await coop.data(["backup", "--to", "copy.db"]);
    const bytes = await Bun.file(coop.store).bytes();
    bytes.fill(0xa5, 4096 * 45);
    await writeFile(coop.store, bytes);
    expect(await refusal(["backup", "--to", file])).toMatchObject({ exit: 6, reason: "damaged" });
    expect(await lettersIn(file)).toHaveLength(20);
    expect(await readdir(coop.folder)).toEqual(["copy.db"]);
  });

  test("killed in the middle leaves the one before and one temporary, which is gone an hour later", async () => {
    await writeLetter("one");
    const { file } = await coop.data(["backup", "--to", "copy.db"]);
    await writeLetter("two");
    enlarge(40e6);

    const left = await killInTheMiddle(["backup", "--to", file], coop.folder);

    expect(left).toEqual([expect.stringMatching(/^copy\.db\..*\.snapshot$/)]);
    expect(await lettersIn(file)).toEqual(["one"]);
    await coop.data(["backup", "--to", file]);
    expect(await lettersIn(file)).toEqual(["two", "one"]);
    expect(await readdir(coop.folder)).toContain(left[0]!);
    for (const suffix of ["", "-journal"])
      await command("touch", "-d", "2 hours ago", join(coop.folder, left[0]! + suffix));
    await coop.data(["backup", "--to", file]);
    expect(await readdir(coop.folder)).toEqual(["copy.db"]);
  });

  test("killed in the middle of a dated one leaves a temporary that a later one removes, and no other file", async () => {
    await writeLetter("one");
    enlarge(40e6);
    const [left] = await killInTheMiddle(["backup", "--to", coop.folder], coop.folder);
    await writeFile(join(coop.folder, "machine.snapshot"), "mine");
    for (const name of await readdir(coop.folder))
      await command("touch", "-d", "2 hours ago", join(coop.folder, name));
    const { file } = await coop.data(["backup", "--to", coop.folder]);
    expect(left).toMatch(/^coop\.\d.*\.snapshot$/);
    expect((await readdir(coop.folder)).sort()).toEqual([basename(file), "machine.snapshot"]);
  });
});

test("a folder that is not there is no name for a file: its disk may not be mounted", async () => {
  for (const more of [[], ["--keep", "3"]]) {
    const nas = join(coop.home, "nas/coop");
    await mkdir(dirname(nas), { recursive: true });
    const { exit, json } = await coop.run(["--json", "backup", "--to", nas, ...more]);
    expect({ exit, ...json().error }).toMatchObject({
      exit: 6,
      message: `there is no folder ${nas}`,
      hint: expect.stringContaining("is the disk mounted?"),
    });
    expect(await readdir(dirname(nas))).toEqual([]);
  }
  // The one beside the store is coop's own.
  expect((await coop.data(["backup", "--to", backups])).file).toStartWith(`${backups}/coop.`);
});

test("a link on the way to the folder is followed, as one on a NAS has", async () => {
  const nas = join(coop.home, "nas");
  await mkdir(nas);
  await symlink("nas", join(coop.home, "link"));
  await writeLetter("x");
  for (const to of ["link", "link/", "link/copy.db"]) {
    const { file, events } = await coop.data(["backup", "--to", to], { cwd: coop.home });
    expect({ to, file, events }).toEqual({
      to,
      file: expect.stringContaining(join(coop.home, "link/")),
      events: 1,
    });
  }
  expect((await readdir(nas)).filter((name) => name.endsWith(".db"))).toHaveLength(3);
});

test("a link to itself in the place of backups is no defect", async () => {
  await writeLetter("x");
  await rm(backups, { recursive: true });
  await symlink("backups", backups);
  for (const words of [["backup"], ["backup", "--to", backups]]) {
    const { exit, err } = await coop.run(words);
    expect({ words, exit, err }).toEqual({
      words,
      exit: 6,
      err: expect.not.stringContaining("defect"),
    });
  }
  expect(await coop.run(["backup", "--to", "copy-wal"])).toMatchObject({ exit: 2 });
});

test("the folder of backups may be a link, for all that is put there", async () => {
  const nas = join(coop.home, "nas");
  await mkdir(nas, { mode: 0o700 });
  await symlink(nas, backups);
  await writeLetter("secret");
  expect(await lettersIn(published)).toEqual(["secret"]);

  const { file } = await coop.data(["backup"]);
  await writeLetter("later");
  const { saved_as } = await coop.data(["restore", file], { as: "dad" });
  expect(await lettersIn(coop.store)).toEqual(["secret"]);
  expect(await lettersIn(saved_as)).toEqual(["later", "secret"]);

  const { snapshot } = await coop.data(["redact", "L1"], { as: "dad" });
  expect(snapshot).toBe(published);
  expect(await lettersIn(published)).toEqual([expect.stringContaining("redacted")]);
  expect((await readdir(nas)).filter((name) => name.includes("snapshot"))).toEqual([]);
});

test("a link that leads to nothing stays: its disk may not be mounted", async () => {
  const link = join(coop.home, "nas.db");
  await symlink(join(coop.home, "mnt/nas.db"), link);
  const { exit, json } = await coop.run(["--json", "backup", "--to", link]);
  expect({ exit, ...json().error }).toMatchObject({
    exit: 6,
    message: `${link} is a link to what is not there`,
    hint: expect.stringContaining("is the disk mounted?"),
  });
  expect((await lstat(link)).isSymbolicLink()).toBe(true);
});

test("a folder that a link leads to may not be mounted: none is made in its place", async () => {
  const link = join(coop.home, "nas");
  await symlink(join(coop.home, "mnt/nas"), link);
  for (const [words, flag] of [
    [["init", "--db", join(link, "coop.db")], "--db"],
    [["init", "--db", join(link, "pippa-db/coop.db")], "--db"],
    [["shim", "python", "--dir", link], "--dir"],
    [["backup", "--to", link], "--to"],
  ] as const) {
    const { exit, err } = await coop.run(words);
    expect({ exit, err }).toEqual({
      exit: 6,
      err: `coop: ${link} is a link to what is not there; is the disk mounted? mount it, or name another with ${flag}\n`,
    });
  }
  expect(await readdir(coop.home)).not.toContain("mnt");
});

test("stores that were made in the same millisecond never remove each other's backups", async () => {
  const nas = join(coop.home, "nas");
  const other = join(coop.folder, "coop.db");
  await mkdir(nas);
  await coop.data(["init", "--db", other]);
  using database = new Database(other);
  database.run("update meta set value = ? where name = 'created_at'", [getMeta("created_at")!]);
  await coop.data(["backup", "--to", nas]);
  const { removed } = await coop.data(["backup", "--to", nas, "--keep", "1", "--db", other]);
  expect(removed).toEqual([]);
  expect(await readdir(nas)).toHaveLength(2);
});

describe("the published snapshot", () => {
  const age = (milliseconds: number) => {
    for (const name of ["snapshot_claimed_at", "snapshot_at"])
      setMeta(name, Date.now() - milliseconds);
  };

  test("is written with the first write and then hourly, by commands that write alone", async () => {
    expect(await readdir(dirname(coop.store))).not.toContain("backups");
    await coop.data(["letter", "list"]);
    expect(await readdir(dirname(coop.store))).not.toContain("backups");

    await writeLetter("one");
    expect(await lettersIn(published)).toEqual(["one"]);
    expect((await stat(published)).mode & 0o777).toBe(0o600);
    age(HOUR_MS - 60_000);
    await writeLetter("two");
    expect(await lettersIn(published)).toEqual(["one"]);

    age(HOUR_MS);
    await coop.data(["letter", "list"]);
    expect(await lettersIn(published)).toEqual(["one"]);
    await writeLetter("three");
    expect(await lettersIn(published)).toEqual(["three", "two", "one"]);
    expect(await readdir(backups)).toEqual(["coop.latest.db"]);
    expect(Number(getMeta("snapshot_took"))).toBeGreaterThan(0);
  });

  test.each(["link", "pipe"])(
    "takes the place of a %s that somebody left there, without following or waiting for it",
    async (what) => {
      await writeLetter("one");
      const secret = join(coop.home, "secret");
      await writeFile(secret, "SECRET", { mode: 0o600 });
      await rm(published);
      if (what === "link") await symlink(secret, published);
      else await command("mkfifo", published);
      await coop.data(["backup"]);
      expect(await lettersIn(published)).toEqual(["one"]);
      for (const name of await readdir(backups))
        expect(await Bun.file(join(backups, name)).text()).not.toStartWith("SECRET");
      expect(await Bun.file(secret).text()).toBe("SECRET");
    },
  );

  test("is kept under its date where an older copy was put in the store's place", async () => {
    await writeLetter("one");
    const { file: old } = await coop.data(["backup", "--to", "old.db"]);
    const older = await Bun.file(coop.store).bytes();
    await writeLetter("two");
    await writeLetter("three");
    age(HOUR_MS);
    await writeLetter("four");
    expect(await lettersIn(published)).toHaveLength(4);
    for (const suffix of ["-wal", "-shm"]) await rm(coop.store + suffix, { force: true });
    await writeFile(coop.store, older);

    const { checks } = (await coop.run(["doctor", "--json"])).json().data;
    expect(checks).toContainEqual({
      name: "published",
      status: "warn",
      message: expect.stringContaining(`${published} has what the store has not`),
      fix: expect.stringContaining(`coop restore ${published}`),
    });
    age(HOUR_MS);
    await writeLetter("other");
    expect(await lettersIn(published)).toEqual(["other", "one"]);
    const [kept, ...more] = (await readdir(backups)).filter((name) => DATED.test(name));
    expect(more).toEqual([]);
    expect(await lettersIn(join(backups, kept!))).toEqual(["four", "three", "two", "one"]);
    expect((await coop.data(["doctor"])).checks).toContainEqual({
      name: "backup",
      status: "warn",
      message: expect.stringContaining(`${join(backups, kept!)} has what the store has not`),
      fix: expect.stringContaining("once nothing of it is missed"),
    });
    await coop.data(["backup"]);
    const pruned = (await coop.run(["--json", "backup", "--keep", "1"])).json();
    expect(pruned.data.removed).toHaveLength(1);
    expect(pruned.warnings).toMatchObject([
      { code: "has_more", message: expect.stringContaining(join(backups, kept!)) },
    ]);
    expect(await lettersIn(join(backups, kept!))).toHaveLength(4);
    for (const name of await readdir(backups))
      if (DATED.test(name) && name !== kept) await rm(join(backups, name));
    // What a restore undid is no such thing.
    await coop.data(["restore", old], { as: "ann" });
    age(HOUR_MS);
    await writeLetter("more");
    expect((await readdir(backups)).filter((name) => DATED.test(name))).toEqual([kept!]);
  });

  test("is renewed when the clock was set back since", async () => {
    await writeLetter("one");
    age(-10 * HOUR_MS);
    await writeLetter("two");
    expect(await lettersIn(published)).toEqual(["two", "one"]);
  });

  test("that is there is renewed by a backup also where none is wanted", async () => {
    await writeLetter("one");
    await coop.data(["init", "--snapshot-every", "0"]);
    await writeLetter("two");
    expect(await lettersIn(published)).toEqual(["one"]);
    await coop.data(["backup"]);
    expect(await lettersIn(published)).toEqual(["two", "one"]);
  });

  test("comes as often as was asked for, and never when that was 0", async () => {
    setMeta("snapshot_every", 0);
    await writeLetter("one");
    await coop.data(["backup"]);
    expect(await readdir(backups)).toEqual([expect.stringMatching(DATED)]);
    setMeta("snapshot_every", 60);
    await writeLetter("two");
    age(59_000);
    await writeLetter("three");
    expect(await lettersIn(published)).toEqual(["two", "one"]);
    age(60_000);
    await writeLetter("four");
    expect(await lettersIn(published)).toHaveLength(4);
  });

  test("is left to `coop backup` where it would hold a command or others up", async () => {
    await writeLetter("one");
    const stays = async () => {
      age(HOUR_MS);
      await writeLetter("more");
      expect(await lettersIn(published)).toEqual(["one"]);
    };
    setMeta("snapshot_took", 1001);
    await stays();
    // It may have been the machine that was busy.
    age(24 * HOUR_MS);
    await writeLetter("a day later");
    expect(await lettersIn(published)).toEqual(["a day later", "more", "one"]);
    onStore((database) => {
      database.run("pragma journal_mode = delete");
      database.run("insert or replace into meta (name, value) values ('journal', 'rollback')");
    });
    age(HOUR_MS);
    await writeLetter("yet more");
    expect(await lettersIn(published)).toHaveLength(3);
    await coop.data(["backup"]);
    expect(await lettersIn(published)).toHaveLength(4);
  });

  test("that fails says nothing, changes no exit, keeps the one before, and is not tried again for an hour", async () => {
    await writeLetter("one");
    const keep = join(coop.folder, "kept");
    await command("mv", backups, keep);
    await writeFile(backups, "a file where the folder belongs");
    age(HOUR_MS);

    const outcome = await coop.run(["letter", "write", "--body", "two"], { as: "ann" });

    expect(outcome).toMatchObject({ exit: 0, err: "", out: "L2 unread to ann: two\n" });
    await rm(backups);
    await command("mv", keep, backups);
    expect(await lettersIn(published)).toEqual(["one"]);
    await writeLetter("three");
    expect(await lettersIn(published)).toEqual(["one"]);
    setMeta("snapshot_claimed_at", Date.now() - HOUR_MS);
    await writeLetter("four");
    expect(await lettersIn(published)).toHaveLength(4);
  });

  test("goes on after another user's command that published, whose snapshot is kept", async () => {
    const options = await ordinaryUser(coop);
    expect(await Bun.spawn(["chown", "-R", String(NOBODY), dirname(coop.store)]).exited).toBe(0);
    const add = (more: RunOptions) =>
      coop.run(["todo", "add", "x", "--json"], { as: "ann", ...more });
    await add({});
    for (const made of [backups, published]) expect((await stat(made)).uid).toBe(NOBODY);
    const bytes = await Bun.file(published).bytes();
    await chown(published, 0, 0);
    setMeta("snapshot_at", Date.now() - 2 * HOUR_MS);
    setMeta("snapshot_claimed_at", 0);
    await add(options);
    expect((await stat(published)).uid).toBe(NOBODY);
    const [kept, ...more] = (await readdir(backups)).filter((name) => DATED.test(name));
    expect(more).toEqual([]);
    expect(await Bun.file(join(backups, kept!)).bytes()).toEqual(bytes);
  });

  test("is written by one of many that find it old at the same moment", async () => {
    await writeLetter("first");
    age(HOUR_MS);
    const begun = Date.now();
    const written = await watched(backups, () => times(16, (n) => writeLetter(String(n))));
    const snapshots = [...written].filter((name) => name.endsWith(".snapshot"));
    expect(snapshots).toHaveLength(1);
    expect((await lettersIn(published)).length).toBeGreaterThan(1);
    const [claimed, at] = ["snapshot_claimed_at", "snapshot_at"].map((name) =>
      Number(getMeta(name)),
    );
    expect(claimed).toBeGreaterThanOrEqual(begun);
    expect(at).toBeGreaterThanOrEqual(claimed!);
    expect(await readdir(backups)).toEqual(["coop.latest.db"]);
  });

  test("is not written again by commands that found it old before another wrote it", async () => {
    await writeLetter("one");
    age(HOUR_MS);
    const store = { engine: "sqlite", path: coop.store } as const;
    const late = () => publish(store, { ...clock, now: Date.now });
    const written = await watched(backups, () => times(4, late).then(late));
    expect([...written].filter((name) => name.endsWith(".snapshot"))).toHaveLength(1);
  });

  test.each([0, 2])(
    "waits no longer for others than the command before it may: %p s",
    async (seconds) => {
      await writeLetter("one");
      age(HOUR_MS);
      using other = new Database(coop.store);
      let slept = 0;
      const meanwhile = {
        ...clock,
        now: Date.now,
        // Asked for the name of what is written, after the turn to write it was had.
        unique: () => {
          if (!other.inTransaction) other.run("begin immediate");
          return clock.unique();
        },
        sleep: async (milliseconds: number) => {
          slept += milliseconds;
          await clock.sleep(milliseconds);
        },
      };
      await publish({ engine: "sqlite", path: coop.store }, meanwhile, seconds);
      expect(other.inTransaction).toBe(true);
      // Far from the five that it may take after a command that may wait for long.
      expect(slept).toBeLessThanOrEqual(seconds * 1250);
      expect(slept > 0).toBe(seconds > 0);
    },
  );

  test("survives that the command is killed while it writes the next", async () => {
    await writeLetter("one");
    enlarge(100e6);
    age(HOUR_MS);
    const words = ["--as", "ann", "letter", "write", "--body", "two"];
    expect(await killInTheMiddle(words, backups)).toHaveLength(1);
    expect(await lettersIn(published)).toEqual(["one"]);
    expect(await lettersIn(coop.store)).toEqual(["two", "one"]);
    expect((await coop.run(["doctor"])).out).toMatch(/^warn leftovers: .*latest.*\.snapshot /m);
  });

  test("is whole in each of twenty plain copies of the folder under writers, and holds an hour-old store", async () => {
    await writeLetter("first");
    // So that it is renewed all the time.
    setMeta("snapshot_every", "0.001");
    const { acknowledged, end } = writers();
    let most = 0;
    for (let n = 0; n < 20; n++) {
      const before = [...acknowledged];
      const copy = join(coop.folder, `copy ${n}`);
      // As any job that copies a live folder, it may complain of files that are gone when it comes to them.
      await coop.run(["-r", dirname(coop.store), copy], { program: "cp" });
      const held = new Set(await lettersIn(join(copy, "backups/coop.latest.db")));
      expect(held.has("first")).toBe(true);
      most = Math.max(most, before.filter((body) => held.has(body)).length);
    }
    await end();
    expect(most).toBeGreaterThan(0);
  });
});
