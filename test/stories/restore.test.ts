import { Database } from "bun:sqlite";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import {
  chmod,
  chown,
  copyFile,
  link,
  mkdir,
  mkdtemp,
  readdir,
  rename,
  rm,
  rmdir,
  stat,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { build } from "../../scripts/build.ts";
import { COOP } from "../binary";
import { SPECIAL } from "../special";
import { story, times, type RunOptions, type Story } from "../story";

const SAVED = /^coop\.before-restore\.\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z\.db$/;
const NOBODY = 65534;

let coop: Story;
let backups: string;
beforeEach(async () => {
  coop = await story();
  backups = join(dirname(coop.store), "backups");
});
afterEach(() => coop[Symbol.asyncDispose]());

const ann = (line: string) => coop.data(line.split(" "), { as: "ann" });

/** Records of every surface, with all that hangs on them. */
async function everything(): Promise<void> {
  for (const line of [
    "letter write first --body one",
    "letter write second --body two --supersedes L1",
    "request open help --to ben --body please",
    "request reply R1 more",
    "todo add before",
    "todo add after --after T1 --body text",
    "history add --slug why --body because --commit abc1234",
    "queue push jobs asked --to ann,ben",
    "queue push jobs answered --re Q1",
    "queue take Q1",
    "queue done Q1 --reply here --key finished",
  ])
    await ann(line);
}

/** Makes a backup and gives its path. */
const backup = async (name = "kept.db"): Promise<string> => {
  const file = join(coop.home, name);
  await coop.data(["backup", "--to", file]);
  return file;
};

const reading = <T>(path: string, work: (database: Database) => T): T => {
  using database = new Database(path);
  return work(database);
};
const all = (database: Database, statement: string) => database.query(statement).all();

const RECORDS = [
  "letters",
  "requests",
  "request_messages",
  "todos",
  "todo_after",
  "history_entries",
  "queue_items",
  "replies",
];

/** All rows that a restore puts back, by their table. */
const contentOf = (path: string): Record<string, unknown[]> =>
  reading(path, (database) => ({
    ...Object.fromEntries(
      RECORDS.map((table) => [table, all(database, `select * from ${table} order by 1, 2`)]),
    ),
    keys: all(database, "select * from keys where verb <> 'restore' order by 1, 2, 3"),
    events: all(database, "select * from events where surface <> 'store' order by id"),
  }));

const soundness = (path: string) =>
  reading(path, (database) => [
    ...all(database, "pragma integrity_check"),
    ...all(database, "pragma foreign_key_check"),
  ]);
/** Keeps the store's log from being put into its file, as a command that runs does. */
function inUse(): Database {
  const holder = new Database(coop.store);
  all(holder, "select * from meta");
  return holder;
}

const SOUND = [{ integrity_check: "ok" }];

const metaOf = (path: string) =>
  reading(path, (database) =>
    Object.fromEntries(database.query("select name, value from meta").values()),
  );

const restore = (file: string, more: string[] = []) =>
  coop.data(["restore", file, ...more], { as: "dad" });

/** What lies beside the store, but for what SQLite keeps there. */
const beside = async () =>
  (await readdir(dirname(coop.store))).filter((name) => !/-(wal|shm)$/.test(name)).sort();

describe("a restore", () => {
  test("puts back every row of a backup, and keeps the store as it was in a file that restores in turn", async () => {
    await everything();
    const file = await backup();
    const then = contentOf(file);
    for (const line of [
      "letter ack L2 -m thanks",
      "todo done T1",
      "todo edit T2 --not-after T1",
      "letter write third --body three",
      "queue push other later --key since",
    ])
      await ann(line);
    const now = contentOf(coop.store);

    const restored = await restore(file);

    expect(contentOf(coop.store)).toEqual(then);
    expect(soundness(coop.store)).toEqual(SOUND);
    expect(restored).toEqual({
      restored_from: file,
      saved_as: expect.stringMatching(/^\//),
      records: { letters: 2, requests: 1, todos: 2, history_entries: 1, queue_items: 3 },
      events: then.events!.length,
    });
    expect(dirname(restored.saved_as)).toBe(backups);
    expect(basename(restored.saved_as)).toMatch(SAVED);
    expect(contentOf(restored.saved_as)).toEqual(now);

    await restore(restored.saved_as);
    expect(contentOf(coop.store)).toEqual(now);
    expect(soundness(coop.store)).toEqual(SOUND);
    expect(await beside()).toEqual(["backups", "coop.db"]);
  });

  test("gives no number twice, of records and of events", async () => {
    await ann("letter write --body one");
    const file = await backup();
    const since = await Promise.all(
      ["letter write --body two", "todo add one", "queue push jobs x --to ann,ben"].map(ann),
    );
    expect(since.map(({ ref }) => ref)).toEqual(["L2", "T1", "F1"]);
    const before = await coop.data(["log", "--limit", "0"]);

    await restore(file);

    expect(await ann("letter write --body three")).toMatchObject({ ref: "L3" });
    expect(await ann("todo add two")).toMatchObject({ ref: "T2" });
    const { ref, items } = await ann("queue push jobs y --to ann,ben");
    expect([ref, ...items.map((item: { ref: string }) => item.ref)]).toEqual(["F2", "Q3", "Q4"]);
    const { events } = await coop.data(["log", "--limit", "6"]);
    const highest = before.events[0].id;
    expect(events.filter(({ id }: { id: number }) => id > highest)).toHaveLength(5);
  });

  test("is told by the log, as every restore before it", async () => {
    const file = await backup();
    const first = await restore(file);
    const second = await restore(file);

    const { events } = await coop.data(["log"]);
    expect(events).toMatchObject(
      [second, first].map(({ saved_as }) => ({
        ref: "store",
        verb: "restore",
        author: "dad",
        after: { from: file, saved_as },
      })),
    );
    const { out } = await coop.run(["log", "--limit", "1"]);
    expect(out).toStartWith(`store restore `);
    expect(out).toContain("dad: from ");
  });

  test("of another store's file keeps what the log says of this one, whatever its numbers", async () => {
    const [theirs, file] = [join(coop.home, "theirs.db"), join(coop.home, "theirs-kept.db")];
    await coop.data(["init", "--db", theirs]);
    for (let n = 0; n < 30; n++)
      await coop.data(["todo", "add", "x", "--db", theirs], { as: "ann" });
    await coop.data(["backup", "--db", theirs, "--to", file]);
    await restore(await backup());
    const { events: before } = await coop.data(["log"]);
    await restore(file);
    const { events } = await coop.data(["log", "--limit", "0"]);
    const own = events.filter(({ ref }: { ref: string }) => ref === "store");
    expect(own).toHaveLength(2);
    expect(own[1]).toMatchObject({ verb: "restore", at: before[0].at, after: before[0].after });
    expect(events).toHaveLength(32);
  });

  test("says in two lines what it did", async () => {
    await everything();
    const file = await backup();
    const { exit, out, err } = await coop.run(["restore", file], { as: "dad" });
    expect({ exit, err: err.includes("never written here") }).toEqual({ exit: 0, err: true });
    expect(out.replace(/before-restore\..*\.db/, "SAVED")).toBe(
      `restored 9 records and 13 events from ${file}\nthe store as it was: ${backups}/coop.SAVED\n`,
    );
  });

  test("leaves the store's own settings, and brings when the store was made", async () => {
    const file = await backup();
    const there = metaOf(file);
    const own = {
      journal: "wal",
      group: "staff",
      snapshot_every: "0",
      snapshot_at: "17",
      "mount:elsewhere": "somewhere",
    };
    reading(coop.store, (database) => {
      for (const [name, value] of Object.entries({ ...own, created_at: "later" }))
        database.run("insert or replace into meta values (?, ?)", [name, value]);
    });

    await restore(file);

    const now = metaOf(coop.store);
    expect(now).toMatchObject(own);
    expect(now["created_at"]).toBe(there["created_at"]);
  });

  test("warns of no record that only has the number of one that was redacted in another store", async () => {
    await using other = await story();
    await other.data(["todo", "add", "secret"], { as: "ben" });
    const { file } = await other.data(["backup"]);
    await other.data(["redact", "T1"], { as: "ben" });
    const redacted = (await other.data(["backup"])).file;
    await coop.data(["todo", "add", "keep me"], { as: "ann" });
    const { saved_as: saved } = await coop.data(["restore", redacted], { as: "ann" });
    const back = (await coop.run(["--json", "restore", saved], { as: "ann" })).json();
    expect(back.warnings).toBeUndefined();
    await coop.data(["restore", redacted], { as: "ann" });
    expect(
      (await coop.run(["--json", "restore", file], { as: "ann" })).json().warnings,
    ).toContainEqual({
      code: "redacted",
      message: expect.stringContaining("T1 is as it was before it was redacted"),
    });
  });

  test("warns of what was redacted since, and is there again", async () => {
    await ann("letter write --body hunter2");
    const file = await backup();
    await ann("redact L1");

    const { out } = await coop.run(["--json", "restore", file], { as: "ann" });

    expect(JSON.parse(out).warnings).toEqual([
      { code: "redacted", message: expect.stringContaining("L1") },
    ]);
    expect(await coop.data(["letter", "show", "L1"])).toMatchObject({ body: "hunter2" });
  });

  test("warns so of each copy that was made before, and of nothing that is not there again", async () => {
    const first = await backup("first.db");
    await ann("letter write --body hunter2");
    const second = await backup("second.db");
    await ann("redact L1");
    const warned = async (file: string) =>
      (await coop.run(["--json", "restore", file], { as: "ann" })).json().warnings ?? [];

    expect(await warned(first)).toEqual([]);
    for (const _ of [1, 2])
      expect(await warned(second)).toEqual([
        { code: "redacted", message: expect.stringContaining("coop redact L1") },
      ]);
    const restores = await coop.data(["log", "--limit", "0"]);
    const kept = restores.events.filter(({ verb }: { verb: string }) => verb === "restore");
    expect(kept.map(({ after }: { after: { redacted: object[] } }) => after.redacted)).toEqual(
      kept.map(() => [{ ref: "L1", event: expect.any(Number) }]),
    );
    expect((await coop.run(["log", "--limit", "1"])).out).toMatch(
      /^store restore \d+s ann: from .*, redacted L1\n/,
    );
    await ann("redact L1");
    expect(await warned(await backup("third.db"))).toEqual([]);
  });

  test("warns of what was archived since, redacted or not, and is there again", async () => {
    await ann("queue push jobs hunter2");
    await ann("queue push jobs other");
    const file = await backup();
    await ann("queue drop Q1");
    await ann("redact Q1");
    const to = join(coop.folder, "archive.db");
    await coop.data(["queue", "archive", "--older", "0s", "--to", to], { as: "ann" });

    expect((await coop.run(["--json", "restore", file], { as: "ann" })).json().warnings).toEqual([
      { code: "redacted", message: expect.stringContaining("coop redact Q1") },
      { code: "archived", message: expect.stringContaining(to) },
    ]);
  });

  test("is done once with a key, and answered alike although the file is gone since", async () => {
    const file = await backup();
    const run = () => coop.run(["--json", "restore", file, "--key", "once"], { as: "ann" });
    const first = (await run()).json();
    await ann("letter write --body since");
    await rm(file);

    expect((await run()).json()).toEqual({ ...first, replayed: true });
    expect(await coop.data(["letter", "list"])).toHaveLength(1);
    // The key was kept in the file that is restored now; it is another command's answer there.
    await restore(first.data.saved_as);
    expect((await coop.run(["restore", file, "--key", "once"], { as: "ann" })).exit).toBe(3);
  });

  test("is done by a key that what it brings back has for another one", async () => {
    const first = await backup("first.db");
    await restore(first, ["--key", "k"]);
    const second = await backup("second.db");
    await restore(first, ["--key", "other"]);
    expect(await restore(second, ["--key", "k"])).toMatchObject({ restored_from: second });
    const again = await coop.run(["--json", "restore", second, "--key", "k"], { as: "dad" });
    expect(again.json()).toMatchObject({ data: { restored_from: second }, replayed: true });
    // Also where the store cannot be opened.
    await truncate(coop.store, 5000);
    expect(await restore(second, ["--key", "k"])).toMatchObject({ restored_from: second });
  });

  test("takes a raw copy of a live store with its log", async () => {
    using holder = inUse();
    await ann("letter write --body in-the-log");
    const file = join(coop.home, "raw.db");
    await copyFile(coop.store, file);
    await copyFile(`${coop.store}-wal`, `${file}-wal`);
    holder.close();
    await ann("letter write --body since");
    const before = await Promise.all([Bun.file(file).bytes(), Bun.file(`${file}-wal`).bytes()]);

    await restore(file);

    expect(await coop.data(["letter", "list"])).toMatchObject([{ body: "in-the-log" }]);
    const after = await Promise.all([Bun.file(file).bytes(), Bun.file(`${file}-wal`).bytes()]);
    expect(after).toEqual(before);
    expect((await readdir(coop.home)).sort()).toEqual(["pippa-db", "raw.db", "raw.db-wal"]);
  });

  test("takes a raw copy by a link to it with its log too", async () => {
    const raw = join(coop.home, "raw.db");
    const holder = inUse();
    await ann("letter write --body in-the-log");
    for (const suffix of ["", "-wal"]) await copyFile(coop.store + suffix, raw + suffix);
    holder.close();
    const named = join(coop.home, "link.db");
    await symlink(raw, named);
    await restore(named);
    expect(await coop.data(["letter", "list"])).toHaveLength(1);
  });

  test("is not misled by a stale log beside a snapshot", async () => {
    using holder = inUse();
    await ann("letter write --body stale");
    const log = await Bun.file(`${coop.store}-wal`).bytes();
    holder.close();
    await ann("letter write --body good");
    const file = await backup();
    await writeFile(`${file}-wal`, log);
    await ann("letter ack L1");

    await restore(file);

    expect(await coop.data(["letter", "list"])).toMatchObject([
      { body: "good", state: "unread" },
      { body: "stale", state: "unread" },
    ]);
  });

  test("works on a store with a rollback journal", async () => {
    await using other = await story({ init: false });
    await other.data(["init", "--journal", "rollback"]);
    await other.data(["letter", "write", "--body", "one"], { as: "ann" });
    const { file } = await other.data(["backup"]);
    await other.data(["letter", "write", "--body", "two"], { as: "ann" });

    const { saved_as } = await other.data(["restore", file], { as: "ann" });

    expect(await other.data(["letter", "list"])).toMatchObject([{ body: "one" }]);
    expect(contentOf(saved_as)["letters"]).toHaveLength(2);
    expect(reading(other.store, (database) => all(database, "pragma journal_mode"))).toEqual([
      { journal_mode: "delete" },
    ]);
  });
});

describe("while others write", () => {
  test("a restore makes none of them fail, and loses nothing that was acknowledged", async () => {
    await ann("letter write --body first");
    const file = await backup();
    const acknowledged = new Map<string, string>();
    const ending = new AbortController();
    const writers = times(6, async (writer) => {
      for (let n = 0; !ending.signal.aborted; n++) {
        const body = `${writer}.${n}`;
        const { exit, out, err } = await coop.run(["--json", "letter", "write", "--body", body], {
          as: "ann",
        });
        expect({ exit, err }).toEqual({ exit: 0, err: "" });
        acknowledged.set(body, JSON.parse(out).data.ref);
      }
    });
    const saved: string[] = [];
    for (let n = 0; n < 5; n++) {
      await Bun.sleep(100);
      saved.push((await restore(file)).saved_as);
    }
    ending.abort();
    await writers;

    const kept = [coop.store, ...saved].flatMap((path) => {
      expect(soundness(path)).toEqual(SOUND);
      return reading(path, (database) => database.query("select body from letters").values());
    });
    const bodies = new Set(kept.flat());
    expect([...acknowledged.keys()].filter((body) => !bodies.has(body))).toEqual([]);
    expect(acknowledged.size).toBeGreaterThan(20);
    expect(new Set(acknowledged.values()).size).toBe(acknowledged.size);
    expect(await beside()).toEqual(["backups", "coop.db"]);
  });

  test("a restore waits for its turn, and is busy after --wait with nothing changed", async () => {
    const file = await backup();
    await ann("letter write --body since");
    const before = contentOf(coop.store);
    using holder = new Database(coop.store);
    holder.run("begin immediate");

    const refused = await coop.run(["--json", "--wait", "0.3", "restore", file], { as: "dad" });

    expect({ exit: refused.exit, ...refused.json().error }).toMatchObject({
      exit: 7,
      code: "busy",
    });
    holder.run("rollback");
    expect(contentOf(coop.store)).toEqual(before);
    expect(await beside()).toEqual(["backups", "coop.db"]);
    expect((await readdir(backups)).filter((name) => SAVED.test(name))).toEqual([]);
  });

  test("a restore that is killed leaves the store as it was or as it shall be", async () => {
    const file = await backup();
    for (let n = 0; n < 10; n++)
      await coop.data(["letter", "write", "--body", "x".repeat(100_000)], { as: "ann" });
    const full = await backup("full.db");
    const states = { before: 0, after: 0 };
    for (let round = 0; round < 12; round++) {
      const child = Bun.spawn([COOP, "--as", "dad", "restore", file], {
        cwd: coop.folder,
        env: { HOME: coop.home },
        stdio: ["ignore", "ignore", "ignore"],
      });
      await Bun.sleep(10 + 9 * round);
      child.kill("SIGKILL");
      await child.exited;
      const letters = await coop.data(["letter", "list", "--limit", "0"]);
      expect([0, 10]).toContain(letters.length);
      expect(soundness(coop.store)).toEqual(SOUND);
      if (letters.length === 10) states.before++;
      else {
        states.after++;
        await restore(full);
      }
    }
    expect(states.before).toBeGreaterThan(0);
  }, 60_000);
});

describe("a file that is none to restore from", () => {
  const refusal = async (file: string, options: RunOptions = { as: "dad" }) => {
    const before = contentOf(coop.store);
    const there = await beside();
    const outcome = await coop.run(["--json", "restore", file], options);
    expect(outcome.out).toBe("");
    expect(contentOf(coop.store)).toEqual(before);
    expect(await beside()).toEqual(there);
    return { exit: outcome.exit, ...outcome.json().error };
  };
  const file = () => join(coop.home, "file.db");
  const at = (path: string, work: (database: Database) => void) => reading(path, work);

  beforeEach(() => everything());

  test("is not there, or is a folder, or the store itself by whatever name", async () => {
    expect(await refusal(file())).toMatchObject({ exit: 3, message: `there is no file ${file()}` });
    expect(await refusal(coop.home)).toMatchObject({
      exit: 2,
      message: expect.stringContaining("is a folder"),
    });
    await link(coop.store, join(coop.home, "hard.db"));
    await symlink(coop.store, join(coop.home, "soft.db"));
    for (const path of [coop.store, join(coop.home, "hard.db"), join(coop.home, "soft.db")])
      expect(await refusal(path)).toMatchObject({
        exit: 2,
        message: `${path} is the store itself`,
      });
  });

  test("is no coop file", async () => {
    const foreign = { exit: 6, reason: "foreign", message: expect.stringContaining(file()) };
    await writeFile(file(), "");
    expect(await refusal(file())).toMatchObject(foreign);
    await writeFile(file(), "no database\n".repeat(1000));
    expect(await refusal(file())).toMatchObject(foreign);
    await rm(file());
    at(file(), (database) => database.run("create table notes (text)"));
    expect(await refusal(file())).toMatchObject(foreign);
  });

  test("is an archive of queue items", async () => {
    await ann("queue drop Q2");
    await ann(`queue archive --older 0s --to ${file()} --limit 1`);
    await ann("queue push jobs more");
    await ann("queue drop Q4");
    await ann(`queue archive --older 0s --to ${file()}`);
    expect(await refusal(file())).toMatchObject({
      exit: 6,
      reason: "foreign",
      message: `${file()} is an archive of queue items, not a whole store`,
    });
  });

  test("is named as it is, whatever is in its name", async () => {
    const odd = join(coop.home, "a$&b$1.db");
    await writeFile(odd, "no database\n".repeat(1000));
    expect((await refusal(odd)).message).toBe(
      `${odd} is not a coop store: it is not a database (SQLITE_NOTADB)`,
    );
  });

  test("is of a newer coop", async () => {
    await backup("file.db");
    at(file(), (database) => database.run("pragma user_version = 99"));
    expect(await refusal(file())).toMatchObject({
      exit: 6,
      reason: "newer",
      message: expect.stringContaining("has schema 99"),
    });
  });

  test("is damaged: cut short, with a page of garbage, or with rows that point nowhere", async () => {
    const damaged = { exit: 6, reason: "damaged", message: expect.stringContaining(file()) };
    await backup("file.db");
    const whole = await Bun.file(file()).bytes();
    await truncate(file(), 4096 * 20);
    expect(await refusal(file())).toMatchObject(damaged);
    await writeFile(file(), Uint8Array.from(whole).fill(0xa5, 4096 * 2));
    expect(await refusal(file())).toMatchObject(damaged);
    await writeFile(file(), whole);
    at(file(), (database) => database.run("update replies set item = 99"));
    expect(await refusal(file())).toMatchObject(damaged);
  });

  test.each(Object.keys(SPECIAL))("is %s", async (kind) => {
    const path = SPECIAL[kind]!(coop.home);
    expect(await refusal(path)).toMatchObject({
      exit: 2,
      message: `${path} is no regular file`,
    });
  });

  test("is being written", async () => {
    await backup("file.db");
    // So large that to copy it takes a while.
    await truncate(file(), 64e6);
    const writer = Bun.spawn(["sh", "-c", `while :; do echo >> '${file()}'; done`]);
    try {
      const tries: unknown[] = [];
      while (tries.length < 20) {
        const { exit, out, err } = await coop.run(["--json", "restore", file()], { as: "dad" });
        tries.push({ exit, ...JSON.parse(out || err).error });
        if (exit === 7) break;
      }
      expect(tries.at(-1)).toMatchObject({
        exit: 7,
        code: "busy",
        message: `${file()} is being written: it is a store in use`,
      });
    } finally {
      writer.kill();
      await writer.exited;
    }
    expect(await beside()).toEqual(["backups", "coop.db"]);
  });

  test("may not be read", async () => {
    await backup("file.db");
    await chmod(file(), 0o600);
    for (const folder of [coop.home, dirname(coop.home)]) await chmod(folder, 0o755);
    await command("chown", "-R", String(NOBODY), dirname(coop.store));
    const outcome = await coop.run(["--json", "restore", file()], { as: "dad", user: NOBODY });
    expect({ exit: outcome.exit, ...outcome.json().error }).toMatchObject({
      exit: 6,
      reason: "access",
      message: `${file()} cannot be read`,
    });
  });

  test("has a log that may not be read", async () => {
    await backup("file.db");
    using open = new Database(file());
    open.run("pragma journal_mode = wal");
    open.run("insert into meta values ('x', 'y')");
    const log = `${file()}-wal`;
    for (const each of [file(), coop.home, dirname(coop.home)]) await chmod(each, 0o755);
    await chmod(log, 0o600);
    await command("chown", "-R", String(NOBODY), dirname(coop.store));
    const outcome = await coop.run(["--json", "restore", file()], { as: "dad", user: NOBODY });
    expect({ exit: outcome.exit, ...outcome.json().error }).toMatchObject({
      exit: 6,
      reason: "access",
      message: `${log} cannot be read`,
    });
  });

  test("is not even looked at without who speaks, or with a wrong flag", async () => {
    await backup("file.db");
    expect(await refusal(file(), {})).toMatchObject({ exit: 2 });
    const wrong = await coop.run(["restore", file(), "--force"], { as: "dad" });
    expect(wrong).toMatchObject({ exit: 2, out: "" });
    expect((await coop.run(["restore"], { as: "dad" })).exit).toBe(2);
  });
});

describe("a file of an older coop", () => {
  let folder: string;
  let next: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "coop-next-"));
    next = join(folder, "next");
    await build({ entry: join(import.meta.dir, "../fixtures/next.ts"), outfile: next });
  });
  afterAll(() => rm(folder, { recursive: true }));

  test("is brought up to the newer schema in a copy, and stays as it is", async () => {
    await everything();
    const file = await backup();
    const bytes = await Bun.file(file).bytes();

    const restored = await coop.run(["--json", "restore", file], { as: "dad", program: next });

    expect(restored.json().data.records).toMatchObject({ letters: 2 });
    expect(await Bun.file(file).bytes()).toEqual(bytes);
    expect(reading(coop.store, (database) => all(database, "select mood from letters"))).toEqual([
      { mood: null },
      { mood: null },
    ]);
    expect(soundness(coop.store)).toEqual(SOUND);
    const refused = await coop.run(["--json", "restore", restored.json().data.saved_as], {
      as: "dad",
    });
    expect(refused.json().error).toMatchObject({ reason: "newer" });
  });
});

describe("a store that cannot be opened", () => {
  let file: string;
  beforeEach(async () => {
    await everything();
    file = await backup();
    await ann("letter write third --body three");
  });

  const damages: Record<string, () => Promise<unknown>> = {
    "with pages of garbage": async () =>
      writeFile(coop.store, (await Bun.file(coop.store).bytes()).fill(0xa5, 4096 * 2)),
    "that was cut short": () => truncate(coop.store, 4096 * 10),
    "that is no database": () => writeFile(coop.store, "no database\n".repeat(1000)),
    "that is empty": () => writeFile(coop.store, ""),
  };

  test.each(Object.keys(damages))("%s is replaced, and numbers skip ahead", async (name) => {
    await damages[name]!();
    const there = await Bun.file(coop.store).bytes();
    // What a killed process has left would replace the content of the new file.
    for (const suffix of ["-wal", "-shm", "-journal"])
      await writeFile(coop.store + suffix, "left over ".repeat(1000));

    const { exit, out } = await coop.run(["--json", "restore", file], { as: "dad" });
    const { data, warnings } = JSON.parse(out);

    expect({ exit, codes: warnings.map(({ code }: { code: string }) => code) }).toEqual({
      exit: 0,
      codes: expect.arrayContaining(["replaced"]),
    });
    expect(contentOf(coop.store)).toEqual(contentOf(file));
    expect(soundness(coop.store)).toEqual(SOUND);
    if (there.length > 0) expect(await Bun.file(data.saved_as).bytes()).toEqual(there);
    else
      for (const suffix of ["-wal", "-journal"])
        expect(await Bun.file(data.saved_as + suffix).text()).toStartWith("left over ");
    const { ref } = await ann("letter write --body since");
    expect(Number(ref.slice(1))).toBeGreaterThan(1002);
    expect((await ann("request open first --to ann --body x")).ref).toBe("R1002");
    expect(await beside()).toEqual(["backups", "coop.db"]);
  });

  test("keeps the log of what was there, which is none of the new one's", async () => {
    const held = new Database(coop.store);
    held.query("select * from todos").all();
    for (let count = 0; count < 5; count++) await ann(`todo add lost-${count}`);
    const log = await Bun.file(`${coop.store}-wal`).bytes();
    held.close();
    await writeFile(coop.store, "no database\n".repeat(1000));
    await writeFile(`${coop.store}-wal`, log);
    const { saved_as } = await restore(file);
    expect(log.length).toBeGreaterThan(0);
    expect(await Bun.file(`${saved_as}-wal`).bytes()).toEqual(log);
    expect(contentOf(coop.store)).toEqual(contentOf(file));
  });

  test.each(["-wal", "-journal"])(
    "that is empty keeps the %s beside it, whatever is run",
    async (suffix) => {
      const left = "all that there is of it ".repeat(1000);
      await writeFile(coop.store, "");
      await writeFile(coop.store + suffix, left);
      for (const words of [["todo", "list"], ["todo", "add", "x"], ["init"], ["backup"], ["log"]]) {
        const { exit, json } = await coop.run(["--json", ...words], { as: "ann" });
        expect({ words, exit, ...json().error }).toMatchObject({
          words,
          exit: 6,
          reason: "damaged",
          message: `${coop.store} is empty, and ${coop.store}${suffix} holds what was written to it`,
        });
      }
      expect((await coop.run(["doctor"])).out).toContain(`${coop.store}${suffix} holds what was`);
      expect(await Bun.file(coop.store + suffix).text()).toBe(left);
      const { saved_as } = await restore(file);
      expect(await Bun.file(saved_as + suffix).text()).toBe(left);
      expect(contentOf(coop.store)).toEqual(contentOf(file));
    },
  );

  test("is replaced where a backup of it is left, and not where one of another's name is", async () => {
    await rename(backups, join(coop.home, "kept"));
    await mkdir(backups);
    await copyFile(file, join(backups, "coop.work.latest.db"));
    await writeFile(coop.store, "no database\n".repeat(1000));
    const { exit, json } = await coop.run(["--json", "restore", file], { as: "ann" });
    expect({ exit, ...json().error }).toMatchObject({ exit: 6, reason: "foreign" });
    await copyFile(file, join(backups, "coop.2026-11-22T09-30-00.000Z.db"));
    await restore(file);
  });

  test("publishes nothing where nobody wants that", async () => {
    await coop.data(["init", "--snapshot-every", "0"]);
    await rm(join(backups, "coop.latest.db"));
    const { file: dated } = await coop.data(["backup"]);
    await writeFile(coop.store, "no database\n".repeat(1000));
    await restore(dated);
    expect(await readdir(backups)).not.toContain("coop.latest.db");
  });

  test.each(["my notes\n", ""])(
    "is not taken for one where no backup tells that it was one: %j",
    async (content) => {
      const notes = join(coop.folder, "notes.txt");
      await writeFile(notes, content);
      const words = ["--json", "restore", file, "--db", notes];
      const { exit, json } = await coop.run(words, { as: "dad" });
      expect({ exit, ...json().error }).toMatchObject({ exit: 6, reason: "foreign" });
      expect(await Bun.file(notes).text()).toBe(content);
      expect(await readdir(coop.folder)).toEqual(["notes.txt"]);
    },
  );

  test("goes on above the numbers of what was archived beside it, of which nothing else tells", async () => {
    await coop.data(["backup"]);
    const published = join(backups, "coop.latest.db");
    const old = await Bun.file(published).bytes();
    const stdin = `${JSON.stringify({ payload: "x" })}\n`.repeat(1500);
    await coop.data(["queue", "push", "many", "--jsonl", "-"], { as: "ann", stdin });
    reading(coop.store, (database) =>
      database.run("update queue_items set state = 'done' where queue = 'many'"),
    );
    const to = join(dirname(coop.store), "archive.db");
    expect(await ann(`queue archive many --older 0s --to ${to}`)).toMatchObject({ archived: 1500 });
    await rm(backups, { recursive: true });
    await mkdir(backups);
    await writeFile(published, old);
    await writeFile(coop.store, "no database\n".repeat(1000));

    await restore(file);

    const { ref } = await ann("queue push jobs next");
    expect(Number(ref.slice(1))).toBeGreaterThan(1503);
  });

  test("goes on from no number that cannot have been given, which a damaged copy may tell", async () => {
    const copy = join(dirname(coop.store), "coop.old.db");
    await copyFile(file, copy);
    reading(copy, (database) => database.run("update counters set value = 900000000000000"));
    await truncate(coop.store, 4096 * 10);
    await restore(file);
    expect((await ann("letter write --body since")).ref).toMatch(/^L100\d$/);
  });

  test("is its user's still when root replaces it, and so is what is published then", async () => {
    for (const made of [dirname(coop.store), coop.store]) await chown(made, NOBODY, NOBODY);
    await truncate(coop.store, 0);
    await restore(file);
    for (const made of [coop.store, join(backups, "coop.latest.db")])
      expect((await stat(made)).uid).toBe(NOBODY);
  });

  test("tells that it was replaced also where that cannot be printed", async () => {
    await truncate(coop.store, 0);
    const script = `exec "$COOP" --as dad restore "$0" >/dev/full`;
    const run = await coop.run(["-c", script, file], { program: "sh", env: { COOP } });
    expect(run.exit).toBe(8);
    expect(contentOf(coop.store)).toEqual(contentOf(file));
  });

  test("tells the next restore by its snapshot what numbers it has given", async () => {
    await truncate(coop.store, 0);
    await restore(file);
    const { ref } = await ann("letter write --body between");
    await truncate(coop.store, 0);
    await restore(file);
    const again = await ann("letter write --body between");
    expect(Number(again.ref.slice(1))).toBeGreaterThan(Number(ref.slice(1)));
  });

  test("keeps the snapshot that was published under its date, which may be newer than the file", async () => {
    await coop.data(["backup"]);
    const dated = (await readdir(backups)).find((name) => name !== "coop.latest.db");
    await rm(join(backups, dated!));
    const published = contentOf(join(backups, "coop.latest.db"));
    await truncate(coop.store, 0);

    await restore(file);

    const kept = (await readdir(backups)).filter((name) => name !== "coop.latest.db");
    expect(kept).toHaveLength(1);
    expect(contentOf(join(backups, kept[0]!))).toEqual(published);
  });

  test("is known by its own backups still, and not by those of what it was restored from", async () => {
    const { file: own } = await coop.data(["backup"]);
    await using other = await story();
    await other.data(["todo", "add", "theirs"], { as: "ben" });
    const nas = join(coop.home, "nas");
    await mkdir(nas);
    const theirs = (await other.data(["backup", "--to", nas])).file;
    await truncate(coop.store, 0);

    await restore(theirs);

    expect(await ann("todo list")).toMatchObject([{ title: "theirs" }]);
    expect((await coop.data(["backup", "--to", nas, "--keep", "1"])).removed).toEqual([]);
    expect((await coop.data(["backup", "--keep", "1"])).removed).toContain(own);
  });

  test("is not opened again where it was moved, as far as it can tell", async () => {
    const other = join(coop.home, "other/coop.db");
    await coop.data(["init", "--db", other]);
    await coop.data(["copy", "--from", coop.store, "--to", other]);
    const bytes = await Bun.file(coop.store).bytes();
    await writeFile(coop.store, bytes.fill(0xa5, bytes.length - 4096));
    expect((await coop.run(["doctor"])).exit).toBe(6);

    const { exit, json } = await coop.run(["--json", "restore", file], { as: "dad" });

    expect({ exit, ...json().error }).toMatchObject({ exit: 4, reason: "moved" });
    expect(json().error.message).toContain(other);
    expect(await Bun.file(coop.store).bytes()).toEqual(bytes);
  });

  test("is found through a link, which stays one", async () => {
    const real = join(coop.home, "real.db");
    await rename(coop.store, real);
    await symlink(real, coop.store);
    const { saved_as } = await restore(file);
    expect(saved_as).toStartWith(join(coop.home, "backups/real.before-restore."));
    await truncate(real, 0);

    await restore(file);

    expect(contentOf(real)).toEqual(contentOf(file));
    expect(await coop.data(["letter", "list"])).toHaveLength(2);
  });

  test("is left alone where another program made it, or it is not there", async () => {
    const refused = async () =>
      (await coop.run(["--json", "restore", file], { as: "dad" })).json().error;
    await rm(coop.store);
    reading(coop.store, (database) => database.run("create table notes (text)"));
    expect(await refused()).toMatchObject({ reason: "foreign" });
    await rm(coop.store);
    await symlink("/nowhere/coop.db", coop.store);
    expect(await refused()).toMatchObject({ reason: "no_store" });
    await rm(coop.store);
    await mkdir(coop.store);
    expect(await refused()).toMatchObject({ reason: "foreign" });
    await rmdir(coop.store);
    expect(await refused()).toEqual({
      code: "unavailable",
      reason: "no_store",
      message: `no store at ${coop.store}`,
      hint: "is the folder mounted? ask the person",
    });
    expect(await beside()).toEqual(["backups"]);
    await rm(dirname(coop.store), { recursive: true });
    expect(await refused()).toMatchObject({
      reason: "no_store",
      hint: "is the folder mounted? ask the person",
    });
    expect((await readdir(coop.home)).sort()).toEqual(["kept.db"]);
  });
});

describe("a backup in the store's place", () => {
  const error = async (line: string) => {
    const { exit, json } = await coop.run(["--json", ...line.split(" ")], { as: "dad" });
    return { exit, ...json().error };
  };

  beforeEach(async () => {
    await everything();
    await coop.data(["backup"]);
    await ann("todo add since");
    for (const suffix of ["", "-wal", "-shm"]) await rm(coop.store + suffix, { force: true });
    await copyFile(join(backups, "coop.latest.db"), coop.store);
  });

  test("is only for reading until it is restored, as the refusal says", async () => {
    const published = contentOf(coop.store);
    const bytes = await Bun.file(coop.store).bytes();
    const refused = await error("todo add lost");
    expect(refused).toMatchObject({ exit: 4, code: "conflict", reason: "state" });
    expect(refused.hint).toContain(
      `coop --db STORE restore ${coop.store}, where STORE is that file too if`,
    );
    expect(await Bun.file(coop.store).bytes()).toEqual(bytes);
    expect(await ann("todo list")).toHaveLength(2);

    const { json } = await coop.run(["--json", "restore", coop.store, "--key", "once"], {
      as: "dad",
    });
    const { data, warnings } = json();

    expect(warnings).toContainEqual({
      code: "replaced",
      message: expect.stringContaining("was a backup put in its place"),
    });
    expect(contentOf(coop.store)).toMatchObject({ ...published, keys: expect.anything() });
    expect(soundness(coop.store)).toEqual(SOUND);
    expect(metaOf(coop.store)).not.toHaveProperty("backup_of");
    expect(await Bun.file(data.saved_as).bytes()).toEqual(bytes);
    const { events } = await coop.data(["log", "--limit", "1"]);
    expect(events).toMatchObject([{ verb: "restore", author: "dad" }]);
    expect((await ann("todo add since")).ref).toBe("T1003");
    expect(await beside()).toEqual(["backups", "coop.db"]);
    // A repeat finds a store.
    const again = await coop.run(["--json", "restore", coop.store, "--key", "once"], { as: "dad" });
    expect(again.json()).toMatchObject({ data, replayed: true });
    expect(await error(`restore ${coop.store}`)).toMatchObject({
      exit: 2,
      message: expect.stringContaining("is the store itself"),
    });
  });

  test("goes on as the store that it is of, whose backups are its own", async () => {
    await restore(coop.store);
    const { removed } = await coop.data(["backup", "--keep", "1"]);
    expect(removed.length).toBeGreaterThan(0);
  });

  test("is replaced by another file too", async () => {
    const older = (await readdir(backups)).find((name) => name.startsWith("coop.2"))!;
    await restore(join(backups, older));
    expect(await ann("todo add since")).toMatchObject({ ref: "T1003" });
  });

  test("is made no store where the next snapshot replaces it", async () => {
    const published = join(backups, "coop.latest.db");
    const bytes = await Bun.file(published).bytes();
    expect(await error(`--db ${published} restore ${published}`)).toMatchObject({ exit: 2 });
    expect(await Bun.file(published).bytes()).toEqual(bytes);
  });
});

describe("a new store", () => {
  test("takes what a lost one held, gives none of its numbers again, and keeps what is left of it", async () => {
    await ann("todo add one");
    await ann("todo add after-the-snapshot");
    for (const suffix of ["", "-wal", "-shm"]) await rm(coop.store + suffix, { force: true });
    await coop.data(["init"]);
    // Somebody writes before anybody restores, which publishes what there is now.
    await coop.data(["request", "open", "help", "--to", "dad", "--body", "x"], { as: "ben" });
    const kept = (await readdir(backups)).filter((name) => name.startsWith("coop.2"));
    expect(kept).toHaveLength(1);

    const { json } = await coop.run(["--json", "restore", join(backups, kept[0]!)], { as: "dad" });

    expect(json().warnings).toContainEqual({
      code: "skipped",
      message: expect.stringContaining("1000 higher"),
    });
    expect(await ann("todo list")).toMatchObject([{ ref: "T1", title: "one" }]);
    expect((await ann("todo add next")).ref).toBe("T1002");
    expect((await ann("request open next --to ben --body x")).ref).toBe("R1002");
    // What was lost since would be named by the same numbers.
    const events = reading(coop.store, (database) =>
      database.query<{ id: number }, []>("select id from events order by id").all(),
    );
    expect(events.slice(1).every(({ id }) => id > 1001)).toBe(true);
  });
});

describe("a full disk", () => {
  test("refuses a restore, and the store is as it was, with nothing left beside it", async () => {
    const disk = join(coop.home, "disk");
    await mkdir(disk);
    await command("mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", disk);
    try {
      const store = join(disk, "coop.db");
      const db = { as: "ann", env: { PIPPA_COOP_DB: store } };
      await coop.data(["init"], db);
      for (let n = 0; n < 5; n++)
        await coop.data(["letter", "write", "--body-file", await large(300_000)], db);
      const file = join(coop.home, "kept.db");
      await coop.data(["backup", "--to", file], db);
      await coop.data(["letter", "ack", "L1"], db);
      const before = contentOf(store);

      // At every size that is too small something else does not fit.
      for (let left = 0; ; left += 800_000) {
        const { stdout } = Bun.spawnSync(["df", "--output=avail", "-B1", disk]);
        const fill = Number(stdout.toString().split("\n")[1]) - left;
        if (fill <= 0) break;
        await writeFile(join(disk, "fill"), new Uint8Array(fill));
        const outcome = await coop.run(["--json", "restore", file], db);
        await rm(join(disk, "fill"));
        if (outcome.exit === 0) break;
        expect({ exit: outcome.exit, ...outcome.json().error }).toMatchObject({
          exit: 6,
          reason: "full",
        });
        expect(contentOf(store)).toEqual(before);
        expect(soundness(store)).toEqual(SOUND);
        const left_over = (await readdir(disk, { recursive: true })).filter((name) =>
          /restore|snapshot/.test(name),
        );
        expect(left_over).toEqual([]);
      }
      expect(contentOf(store)).toEqual(contentOf(file));
    } finally {
      await command("umount", disk);
    }
  });
});

async function large(bytes: number): Promise<string> {
  const path = join(coop.home, "large");
  await writeFile(path, "x".repeat(bytes));
  return path;
}

async function command(...words: string[]): Promise<void> {
  const child = Bun.spawn(words, { stdout: "inherit", stderr: "pipe" });
  const talk = await new Response(child.stderr).text();
  if ((await child.exited) !== 0) throw new Error(`${words.join(" ")} (needs root): ${talk}`);
}
