import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import {
  copyFile,
  mkdir,
  readdir,
  readlink,
  rename,
  rm,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import { openStore } from "../../src/store/open";
import { sql } from "../../src/store/sql";
import { Wait } from "../../src/store/wait";
import { clock, failure } from "../engines";
import { readOnly } from "../mounts";
import { killedInCommit } from "../killed";
import { story, type RunOptions, type Story } from "../story";

const errorOf = async (coop: Story, words: string[], options: RunOptions = {}) => {
  const outcome = await coop.run(["--json", ...words], { as: "ann", ...options });
  expect(outcome.out).toBe("");
  return { exit: outcome.exit, ...outcome.json().error };
};

const hashOf = async (path: string) => Bun.SHA256.hash(await Bun.file(path).bytes(), "hex");

const integrityOf = (path: string) => {
  using database = new Database(path);
  return database.query("pragma integrity_check").values();
};

/** A store with so many letters that they fill many pages. */
async function storeWithLetters(count = 20): Promise<Story> {
  const coop = await story();
  await coop.data(["init", "--snapshot-every", "0"]);
  for (let n = 0; n < count; n++)
    await coop.data(["letter", "write", "--body", "x".repeat(3000)], { as: "ann" });
  return coop;
}

describe("a store's file that goes while a command runs", () => {
  /** Edits a todo, and does something to the store while the edit waits for its lock. */
  async function whileWaiting(coop: Story, work: () => Promise<void>) {
    using holder = new Database(coop.store);
    holder.run("begin immediate");
    const edit = errorOf(coop, ["todo", "edit", "T1", "--body", "changed", "--wait", "30"]);
    // With what is beside it: the file alone is also open before anything was asked of it.
    while (!(await isOpenElsewhere(`${coop.store}-shm`))) await Bun.sleep(1);
    await work();
    holder.run("rollback");
    return edit;
  }

  async function isOpenElsewhere(path: string): Promise<boolean> {
    for (const pid of await readdir("/proc")) {
      if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue;
      // Processes and handles come and go.
      for (const handle of await readdir(`/proc/${pid}/fd`).catch(() => []))
        if ((await readlink(`/proc/${pid}/fd/${handle}`).catch(() => "")) === path) return true;
    }
    return false;
  }

  async function storeWithTodo(): Promise<Story> {
    const coop = await story();
    await coop.data(["todo", "add", "x"], { as: "ann" });
    return coop;
  }

  test("removed: nothing is said to be written, and no new store comes of it", async () => {
    await using coop = await storeWithTodo();
    const error = await whileWaiting(coop, () => rm(coop.store));
    expect(error).toMatchObject({ exit: 6, reason: "no_store" });
    expect(error.message).toContain("went away while this command ran; nothing was written");
    expect(await Bun.file(coop.store).exists()).toBe(false);
  });

  test("moved away and back later: nothing was written", async () => {
    await using coop = await storeWithTodo();
    const error = await whileWaiting(coop, () => rename(coop.store, `${coop.store}.away`));
    expect(error).toMatchObject({ exit: 6, reason: "no_store" });
    await rename(`${coop.store}.away`, coop.store);
    expect(await coop.data(["todo", "show", "T1"])).toMatchObject({ version: 1, body: "" });
  });

  test("replaced: nothing is written to either, and the repeat goes to the new one", async () => {
    await using coop = await storeWithTodo();
    const error = await whileWaiting(coop, async () => {
      await copyFile(coop.store, `${coop.store}.new`);
      await rename(`${coop.store}.new`, coop.store);
    });
    expect(error).toMatchObject({ exit: 6, reason: "access", hint: "repeat the command" });
    expect(error.message).toContain("was replaced while this command ran; nothing was written");
    expect(await coop.data(["todo", "show", "T1"])).toMatchObject({ version: 1, body: "" });
    await coop.data(["todo", "edit", "T1", "--body", "repeated"], { as: "ann" });
    expect(integrityOf(coop.store)).toEqual([["ok"]]);
  });

  for (const journal of ["wal", "rollback"])
    test(`at the last moment before the commit, with journal ${journal}: nothing is said to be written`, async () => {
      await using coop = await story();
      await coop.data(["init", "--journal", journal]);
      const store = await openStore({ engine: "sqlite", path: coop.store }, new Wait(1, clock));
      const error = await failure(
        store.transaction(async (tx) => {
          await tx.all(sql`insert into meta (name, value) values ('test', '1')`);
          await rename(coop.store, `${coop.store}.away`);
        }),
      );
      expect(error).toMatchObject({ code: "unavailable", details: { reason: "no_store" } });
      await store.close();
      await rename(`${coop.store}.away`, coop.store);
      using database = new Database(coop.store);
      expect(database.query("select * from meta where name = 'test'").all()).toEqual([]);
      expect(integrityOf(coop.store)).toEqual([["ok"]]);
    });
});

describe("what is at the path instead of a store", () => {
  test("a link to nothing is told with what it names, and nothing is made there", async () => {
    await using coop = await story({ init: false });
    await mkdir(dirname(coop.store));
    await symlink(join(coop.home, "nas/coop.db"), coop.store);
    for (const words of [["letter", "list"], ["todo", "add", "x"], ["init"]]) {
      const error = await errorOf(coop, words);
      expect(error).toMatchObject({ exit: 6, reason: "no_store" });
      expect(error.message).toContain(`it is a link to ${join(coop.home, "nas/coop.db")}`);
    }
    expect(await readdir(coop.home)).toEqual(["pippa-db"]);
  });

  test("a link to a store is the store", async () => {
    await using coop = await storeWithLetters(1);
    const link = join(coop.home, "link.db");
    await symlink(coop.store, link);
    const options = { as: "ann", env: { PIPPA_COOP_DB: link } };
    await coop.data(["todo", "add", "x"], options);
    expect(await coop.data(["todo", "list"])).toHaveLength(1);
  });

  test.each([
    ["whose magic is gone", 0, 16, "foreign"],
    ["whose size of a page is none", 16, 18, "foreign"],
    ["whose first table of pages is garbage", 100, 600, "damaged"],
  ])("a header %s is told, and the file is left as it is", async (_what, from, to, reason) => {
    await using coop = await storeWithLetters();
    const bytes = await Bun.file(coop.store).bytes();
    bytes.fill(0xa5, from, to);
    await Bun.write(coop.store, bytes);
    const before = await hashOf(coop.store);

    for (const words of [["letter", "list"], ["letter", "read"], ["todo", "add", "x"], ["init"]]) {
      const error = await errorOf(coop, words);
      expect({ words, exit: error.exit, reason: error.reason }).toEqual({ words, exit: 6, reason });
      expect(error.message).toContain(coop.store);
      expect(error.hint).toBeString();
    }
    expect(await hashOf(coop.store)).toBe(before);
  });
});

test("a store whose first page is lost is damaged, where a backup tells that it was one", async () => {
  await using coop = await storeWithLetters(1);
  const { file } = await coop.data(["backup"]);
  await writeFile(coop.store, "x".repeat(20_000));
  const error = await errorOf(coop, ["letter", "list"]);
  expect(error).toMatchObject({ exit: 6, reason: "damaged" });
  expect(error.hint).toContain("restore a backup");
  await coop.data(["restore", file], { as: "ann" });
  expect(await coop.data(["letter", "list"])).toHaveLength(1);
});

describe("a log that another store left beside a store", () => {
  /** Puts a whole store in place of one whose last writer was killed with its writes in the log. */
  async function replaced(coop: Story, put: (from: string, to: string) => Promise<void>) {
    await using other = await storeWithLetters(30);
    const script = `import { Database } from "bun:sqlite";
      const store = new Database(${JSON.stringify(coop.store)});
      store.run("pragma wal_autocheckpoint = 0");
      for (let n = 0; n < 50; n++) store.run("insert into events select null, 1, 'bob', 'h', 1, '/', 'todo', 1, 'add', 1, null, null, hex(randomblob(3000))");
      process.kill(process.pid, "SIGKILL");`;
    await Bun.spawn([process.execPath, "-e", script]).exited;
    await Bun.sleep(20);
    await put(other.store, coop.store);
    return await hashOf(other.store);
  }

  const ways: Record<string, (from: string, to: string) => Promise<void>> = {
    "copied to its place": async (from, to) => {
      await rm(to);
      await copyFile(from, to);
    },
    "moved to its place": (from, to) =>
      Bun.$`cp -p ${from} ${to}.old && mv ${to}.old ${to}`.then(() => {}),
    "restored with its old times": (from, to) =>
      Bun.$`rm ${to} && cp -p ${from} ${to}`.then(() => {}),
  };

  for (const [way, put] of Object.entries(ways))
    test(`is refused with what to do, and a store that was ${way} is left whole`, async () => {
      await using coop = await storeWithLetters(5);
      const whole = await replaced(coop, put);

      for (const words of [
        ["letter", "list"],
        ["letter", "read"],
        ["todo", "add", "x"],
        ["init"],
      ]) {
        const error = await errorOf(coop, words);
        expect(error).toMatchObject({ exit: 6, reason: "damaged" });
        expect(error.message).toBe(
          `${coop.store}-wal was left by another store: it does not fit ${coop.store}`,
        );
        expect(error.hint).toContain("move the -wal and the -shm away");
      }
      await using other = await story();
      expect(await errorOf(other, ["restore", coop.store])).toMatchObject({
        exit: 6,
        reason: "damaged",
        message: `${coop.store}-wal was left by another store: it does not fit ${coop.store}`,
      });
      const linked = join(coop.home, "linked.db");
      await symlink(coop.store, linked);
      for (const words of [
        ["letter", "list", "--db", linked],
        ["todo", "add", "x", "--db", linked],
      ])
        expect((await errorOf(coop, words)).message).toContain("was left by another store");
      expect(await hashOf(coop.store)).toBe(whole);
      for (const suffix of ["-wal", "-shm"]) await rm(coop.store + suffix);
      expect(await coop.data(["letter", "list"])).toHaveLength(30);
      await coop.data(["todo", "add", "x"], { as: "ann" });
    });

  test("is refused where both together are sound too, but not what the store was", async () => {
    await using coop = await story();
    await using other = await story();
    await coop.data(["letter", "write", "--body", "first"], { as: "ann" });
    await other.data(["letter", "write", "--body", "precious"], { as: "bob" });
    // Not the first write here, which would note in the log what store it is.
    using holder = new Database(coop.store);
    holder.query("select * from meta").all();
    await coop.data(["letter", "write", "--body", "another"], { as: "ann" });
    const log = await Bun.file(`${coop.store}-wal`).bytes();
    holder.close();
    await Bun.sleep(20);
    await copyFile(other.store, coop.store);
    await Bun.write(`${coop.store}-wal`, log);
    // Also one that says it is of a time that is still to come.
    for (const time of [0, Date.now() / 1000 + 3600]) {
      await utimes(`${coop.store}-wal`, time, time);
      for (const words of [
        ["letter", "list"],
        ["letter", "write", "--body", "x"],
      ])
        expect(await errorOf(coop, words)).toMatchObject({
          exit: 6,
          reason: "damaged",
          message: expect.stringContaining("was left by another store"),
        });
    }
    expect(await hashOf(coop.store)).toBe(await hashOf(other.store));
  });

  /** Copies a store with its log as it is while somebody reads it, with the times of both. */
  async function copiedWithLog(coop: Story, change: () => Promise<unknown>): Promise<string> {
    using reader = new Database(coop.store);
    reader.run("begin");
    reader.query("select * from meta").all();
    await change();
    const copy = join(coop.home, "copy/coop.db");
    await mkdir(dirname(copy));
    await Bun.$`cp -p ${coop.store} ${copy} && cp -p ${coop.store}-wal ${copy}-wal`;
    return copy;
  }

  test("is told from the store's own, in which another store's file was restored", async () => {
    await using coop = await storeWithLetters(2);
    await using other = await storeWithLetters(5);
    const file = join(coop.home, "theirs.db");
    await other.data(["backup", "--to", file]);
    const copy = await copiedWithLog(coop, async () => {
      await coop.data(["restore", file], { as: "ann" });
      await coop.data(["letter", "write", "--body", "after"], { as: "ann" });
    });
    expect(await coop.data(["letter", "list", "--db", copy])).toHaveLength(6);
  });

  test("is told from the store's own, into which another was copied", async () => {
    await using coop = await story();
    await using other = await storeWithLetters(5);
    const copy = await copiedWithLog(coop, async () => {
      await coop.data(["copy", "--from", other.store, "--to", coop.store]);
      await coop.data(["letter", "write", "--body", "after"], { as: "ann" });
    });
    expect(await coop.data(["letter", "list", "--db", copy])).toHaveLength(6);
  });

  for (const [how, first] of [
    ["a small change", true],
    ["a change larger than memory's share", false],
  ] as const)
    test(`of a rollback journal, by a writer killed in ${how}, is refused beside a backup, and taken back by its own store`, async () => {
      await using coop = await storeWithLetters(20);
      await coop.data(["init", "--journal", "rollback"]);
      const { file: backup } = await coop.data(["backup", "--to", "backup.db"]);
      await coop.data(["letter", "write", "--body", "y".repeat(9000)], { as: "ann" });
      await killedInCommit(coop.store, first);
      const [killed, journal] = [`${coop.home}/killed.db`, `${coop.store}-journal`];
      expect(Bun.file(journal).size).toBeGreaterThan(0);
      await copyFile(coop.store, killed);
      await copyFile(journal, `${killed}-journal`);
      expect((await coop.data(["letter", "list"]))[0]).toMatchObject({ version: 1 });
      expect(integrityOf(coop.store)).toEqual([["ok"]]);

      await copyFile(backup, coop.store);
      await copyFile(`${killed}-journal`, journal);
      const before = await hashOf(coop.store);
      for (const words of [
        ["letter", "list"],
        ["todo", "add", "x"],
        ["restore", coop.store],
      ])
        expect(await errorOf(coop, words)).toMatchObject({
          exit: 6,
          reason: "damaged",
          message: `${journal} was left by another store: it does not fit ${coop.store}`,
        });
      await utimes(journal, 1, 1);
      const { checks } = JSON.parse((await coop.run(["--json", "doctor"])).out).data;
      // That it is to be moved away is not said beside that it is to stay.
      expect(
        checks.filter(({ fix }: { fix: string | null }) => fix?.includes("leave it there")),
      ).toEqual([]);
      expect(await hashOf(coop.store)).toBe(before);
      await rm(journal);
      expect(await coop.data(["letter", "list"])).toHaveLength(20);
    });

  test("keeps `init` from making a new store beside it", async () => {
    await using coop = await story({ init: false });
    await mkdir(dirname(coop.store));
    for (const left of ["-wal", "-journal"]) {
      await Bun.write(coop.store + left, "the last writes");
      const error = await errorOf(coop, ["init"]);
      expect(error).toMatchObject({ exit: 6, reason: "foreign" });
      expect(error.message).toContain(`${coop.store} is not there, but ${coop.store}${left} is`);
      await rm(coop.store + left);
    }
    await coop.data(["init"]);
  });
});

describe("a program that was killed", () => {
  test("in the middle of a commit with a rollback journal leaves what was before, for the next command", async () => {
    await using coop = await storeWithLetters();
    await coop.data(["init", "--journal", "rollback"]);
    await killedInCommit(coop.store);
    expect(Bun.file(`${coop.store}-journal`).size).toBeGreaterThan(512);

    const letters = await coop.data(["letter", "list", "--limit", "0"]);
    expect(letters).toHaveLength(20);
    for (const { version, body } of letters)
      expect({ version, body }).toEqual({ version: 1, body: "x".repeat(3000) });
    expect(integrityOf(coop.store)).toEqual([["ok"]]);
  });

  test("and what it left cannot be undone on a read-only mount: the snapshot is read, or the reason told", async () => {
    await using coop = await storeWithLetters();
    await coop.data(["init", "--journal", "rollback"]);
    await killedInCommit(coop.store);
    const at = join(coop.home, "read-only");
    await using _mount = await readOnly(dirname(coop.store), at);
    const there = { env: { PIPPA_COOP_DB: join(at, "coop.db") } };
    expect(await errorOf(coop, ["letter", "list"], there)).toMatchObject({
      exit: 6,
      reason: "read_only",
    });
    await mkdir(join(dirname(coop.store), "backups"));
    using database = new Database(coop.store);
    database.run("vacuum into ?", [join(dirname(coop.store), "backups/coop.latest.db")]);
    await killedInCommit(coop.store);
    const read = await coop.run(["--json", "letter", "list", "--limit", "0"], there);
    expect(read.json()).toMatchObject({ total: 20, warnings: [{ code: "snapshot" }] });
  });

  test("after commits with a write-ahead log loses none of them", async () => {
    await using coop = await storeWithLetters(3);
    const script = `import { Database } from "bun:sqlite";
      const store = new Database(${JSON.stringify(coop.store)});
      store.run("update letters set title = 'from the log'");
      process.kill(process.pid, "SIGKILL");`;
    await Bun.spawn([process.execPath, "-e", script]).exited;
    expect(Bun.file(`${coop.store}-wal`).size).toBeGreaterThan(0);
    const letters = await coop.data(["letter", "list"]);
    expect(letters.map(({ title }: { title: string }) => title)).toEqual(
      letters.map(() => "from the log"),
    );
  });
});

test("a store with a rollback journal that is locked beyond --wait is busy for readers too", async () => {
  await using coop = await storeWithLetters(1);
  await coop.data(["init", "--journal", "rollback"]);
  using holder = new Database(coop.store);
  holder.run("begin exclusive");
  for (const words of [
    ["letter", "list"],
    ["letter", "read"],
    ["todo", "add", "x"],
  ])
    expect(await errorOf(coop, ["--wait", "0.2", ...words])).toMatchObject({
      exit: 7,
      message: expect.stringContaining("0.2 s"),
    });
  holder.run("rollback");
  await coop.data(["letter", "read"], { as: "ann" });
});

describe("what a program may lack", () => {
  test("file handles: told as such, and nothing is changed", async () => {
    await using coop = await storeWithLetters(1);
    const { COOP } = await import("../binary");
    let told = 0;
    for (const words of ["letter list", "letter read", "todo add x"])
      for (let handles = 5; handles < 12; handles++) {
        const script = `ulimit -n ${handles}; exec "$0" --json --as ann ${words} 0</dev/null`;
        const { exit, err } = await coop.run(["-c", script, COOP], { program: "bash" });
        // With fewer Bun itself does not begin; with more all is well.
        if (exit === 0 || !err.startsWith("{")) continue;
        const { error } = JSON.parse(err);
        expect({ exit, reason: error.reason }).toEqual({ exit: 6, reason: "access" });
        expect(`${error.message}; ${error.hint}`).toMatch(/no file handles are left; .*ulimit -n/);
        told++;
      }
    expect(told).toBeGreaterThan(2);
    expect(integrityOf(coop.store)).toEqual([["ok"]]);
  });

  test("a folder for temporary files: also large commands need none", async () => {
    await using coop = await storeWithLetters(1);
    const { COOP } = await import("../binary");
    const top = dirname(coop.home);
    const program = join(coop.folder, "without-tmp");
    await copyFile(COOP, join(top, "coop"));
    await Bun.write(
      program,
      `#!/bin/sh
if [ "$1" != --apart ]; then exec unshare --mount sh "$0" --apart "$@"; fi
shift
mount --bind ${top} /mnt
for folder in /var/tmp /tmp; do mount -t tmpfs -o ro tmpfs $folder; done
cd /proc && HOME=/mnt/home exec /mnt/coop "$@"
`,
    );
    await Bun.spawn(["chmod", "+x", program]).exited;
    const lines = Array.from({ length: 3000 }, (_, n) =>
      JSON.stringify({ payload: `${n}`.padEnd(200) }),
    );
    const push = ["queue", "push", "jobs", "--jsonl", "-"];
    await coop.data(push, { as: "ann", stdin: lines.join("\n"), program });
    for (const words of [
      ["queue", "list", "--limit", "0"],
      ["queue", "stats"],
      ["who"],
      ["log", "--limit", "0"],
    ])
      await coop.data(words, { program });
    expect(integrityOf(coop.store)).toEqual([["ok"]]);
  });

  test("HOME: the store that is named is used, and none is named by an empty one", async () => {
    await using coop = await storeWithLetters(1);
    const words = ["-u", "HOME", (await import("../binary")).COOP, "--db", coop.store];
    const unset = await coop.run([...words, "letter", "list"], { program: "env" });
    expect({ exit: unset.exit, err: unset.err }).toEqual({ exit: 0, err: "" });
  });
});

test("a clock that is set back breaks nothing: every verb works, and what is ahead is told as such", async () => {
  await using coop = await story();
  await coop.data(["letter", "write", "--body", "x"], { as: "ann" });
  await coop.data(["todo", "add", "x"], { as: "ann" });
  await coop.data(["queue", "push", "jobs", "x"], { as: "ann" });
  await coop.data(["queue", "take", "jobs"], { as: "ann" });
  using database = new Database(coop.store);
  const ahead = 40 * 86_400_000;
  for (const table of ["letters", "todos", "queue_items"])
    database.run(
      `update ${table} set created_at = created_at + ${ahead}, updated_at = updated_at + ${ahead}`,
    );
  database.run(`update queue_items set taken_at = taken_at + ${ahead}`);
  database.run(`update events set at = at + ${ahead}`);
  database.run(`update meta set value = value + ${ahead} where name like 'snapshot_%'`);

  for (const line of [
    "letter list",
    "letter read",
    "letter start L1",
    "letter ack L1",
    "todo list",
    "todo start T1",
    "todo done T1",
    "queue stale --older 1h",
    "queue stats",
    "queue done Q1",
    "who",
    "log",
    "log T1",
    "show T1",
  ]) {
    const { exit, out, err } = await coop.run(line.split(" "), { as: "ann" });
    expect({ line, exit, err }).toEqual({ line, exit: 0, err: "" });
    if (["letter list", "todo list", "who", "log"].includes(line)) expect(out).toMatch(/ -39d/);
  }
  expect(integrityOf(coop.store)).toEqual([["ok"]]);
});
