import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { mkdir, readdir, rename, stat, symlink, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { killedInCommit } from "../killed";
import { pretending, sshfs } from "../mounts";
import { story, times, type RunOptions, type Story } from "../story";

/** The journal that a store's file has, whatever the store says of it. */
function journalOf(path: string): "wal" | "rollback" {
  using database = new Database(path, { readonly: true });
  const [mode] = database.query("pragma journal_mode").values()[0]!;
  return mode === "wal" ? "wal" : "rollback";
}

const integrityOf = (path: string) => {
  using database = new Database(path);
  return database.query("pragma integrity_check").values();
};

/** Makes a store look as if another folder had come to its path: every host finds out anew where it is. */
function remounted(path: string): void {
  using database = new Database(path);
  database.run("update meta set value = 'elsewhere' where name like 'mount:%'");
}

const errorOf = async (coop: Story, words: string[], options: RunOptions = {}) => {
  const outcome = await coop.run(["--json", ...words], { as: "ann", ...options });
  expect(outcome.out).toBe("");
  return { exit: outcome.exit, ...outcome.json().error };
};

const NFS = ["nfs4", "vers=4.2,hard,local_lock=none"] as const;

describe("on a disk of the machine", () => {
  test("a store has a write-ahead log, and no command looks at the mount again", async () => {
    await using coop = await story();
    expect(await coop.data(["init"])).toMatchObject({ created: false, journal: "wal" });
    expect(journalOf(coop.store)).toBe("wal");

    const program = await pretending(coop, ...NFS, hostname());
    await coop.data(["todo", "add", "x"], { as: "ann", program });
    expect(journalOf(coop.store)).toBe("wal");
    remounted(coop.store);
    await coop.data(["todo", "add", "x"], { as: "ann", program });
    expect(journalOf(coop.store)).toBe("rollback");
  });
});

describe("on a network file system with locks", () => {
  test("a store is made with a rollback journal", async () => {
    await using coop = await story({ init: false });
    const program = await pretending(coop, ...NFS);
    const made = await coop.run(["init"], { program });
    expect(made.out).toBe(`made the store ${coop.store}: rollback journal\n`);
    await coop.data(["todo", "add", "x"], { as: "ann", program });
    expect(journalOf(coop.store)).toBe("rollback");
  });

  test("a store that comes there is changed by the first command that writes, which says so", async () => {
    await using coop = await story();
    await coop.data(["letter", "write", "--body", "hello"], { as: "ann" });
    const program = await pretending(coop, ...NFS);

    await coop.data(["letter", "list"], { program });
    expect(journalOf(coop.store)).toBe("wal");
    const read = async () =>
      (await coop.run(["--json", "letter", "read", "--key", "k"], { as: "ann", program })).json();
    expect(await read()).toMatchObject({
      data: [{ body: "hello", marked: true }],
      warnings: [
        {
          code: "journal",
          message: "the store now has a rollback journal: its folder is on nfs4",
        },
      ],
    });
    expect(journalOf(coop.store)).toBe("rollback");
    // It is not changed again by the repeat, which does not say so either.
    expect(await read()).toMatchObject({ data: [{ body: "hello" }], replayed: true });
    expect(await read()).not.toHaveProperty("warnings");

    // The NAS itself sees nothing but a disk, and must not change it back.
    remounted(coop.store);
    await coop.data(["todo", "add", "from the NAS itself"], { as: "bob" });
    expect(await coop.data(["init"])).toMatchObject({ journal: "rollback" });
    expect(journalOf(coop.store)).toBe("rollback");
  });

  test("a store that others are using is not changed, and not written: busy", async () => {
    await using coop = await story();
    const program = await pretending(coop, ...NFS);
    using other = new Database(coop.store);
    other.query("select * from meta").all();

    const add = ["--wait", "0.3", "todo", "add", "x"];
    expect(await errorOf(coop, add, { program })).toMatchObject({
      exit: 7,
      code: "busy",
      message: expect.stringContaining("while nobody else uses the store"),
    });
    expect(journalOf(coop.store)).toBe("wal");
    other.close();
    await coop.data(add, { as: "ann", program });
    expect(journalOf(coop.store)).toBe("rollback");
  });

  test("a write-ahead log that was set by hand on another host is found out by the next that writes", async () => {
    await using coop = await story();
    const program = await pretending(coop, ...NFS);
    const add = () => coop.data(["todo", "add", "x"], { as: "ann", program });
    await add();
    await coop.data(["init", "--journal", "wal"]);
    expect(journalOf(coop.store)).toBe("wal");
    await add();
    expect(journalOf(coop.store)).toBe("rollback");
  });

  test("of the hosts that wrote a hundred are kept, since containers have a new name each", async () => {
    await using coop = await story();
    const hosts = () => {
      using database = new Database(coop.store);
      return database.query("select name from meta where name like 'mount:%'").all().length;
    };
    {
      using database = new Database(coop.store);
      database.run(`with recursive n (n) as (select 1 union all select n + 1 from n where n < 99)
        insert into meta (name, value) select 'mount:container-' || n, '' from n`);
    }
    await coop.data(["todo", "add", "x"], { as: "ann" });
    expect(hosts()).toBe(100);
    const program = await pretending(coop, ...NFS);
    await coop.data(["todo", "add", "y"], { as: "ann", program });
    expect(hosts()).toBe(1);
  });

  test("a write-ahead log cannot be asked for", async () => {
    await using coop = await story({ init: false });
    const program = await pretending(coop, ...NFS);
    for (const made of [false, true]) {
      expect(await errorOf(coop, ["init", "--journal", "wal"], { program })).toMatchObject({
        exit: 6,
        reason: "access",
        message: "a write-ahead log cannot be used here: its folder is on nfs4",
      });
      expect(await Bun.file(coop.store).exists()).toBe(made);
      if (!made) await coop.data(["init"], { program });
    }
  });
});

describe("where two hosts lose each other's writes", () => {
  for (const [type, options, says] of [
    ["nfs", "vers=3,nolock,local_lock=all", "nfs (nolock)"],
    ["cifs", "vers=3.1.1,nobrl", "cifs (nobrl)"],
    ["9p", "access=client,trans=fd", "9p"],
    ["fuse.rclone", "user_id=0,group_id=0", "fuse.rclone"],
  ] as const) {
    test(`no store is made on ${says}, nor a folder for it; both ways out are named`, async () => {
      await using coop = await story({ init: false });
      const program = await pretending(coop, type, options);
      for (const words of [["init"], ["init", "--journal", "rollback"]]) {
        const { exit, reason, message, hint } = await errorOf(coop, words, { program });
        expect({ exit, reason }).toEqual({ exit: 6, reason: "access" });
        expect(message).toContain(says);
        expect(hint).toMatch(/by backup --to.*PostgreSQL.*coop init --journal rollback --one-host/);
      }
      expect(await readdir(coop.home)).toEqual([]);
    });
  }

  test("a store that comes there is read and not written, until only one host uses it", async () => {
    await using coop = await story();
    await coop.data(["letter", "write", "--body", "hello"], { as: "ann" });
    const program = await pretending(coop, "9p", "access=client");

    const add = ["todo", "add", "x"];
    expect(await errorOf(coop, add, { program })).toMatchObject({ exit: 6, reason: "access" });
    const read = await coop.run(["--json", "letter", "read"], { as: "ann", program });
    expect(read.json()).toMatchObject({
      data: [{ body: "hello", marked: false }],
      warnings: [{ code: "not_marked" }],
    });

    const allowed = await coop.data(["init", "--journal", "rollback", "--one-host"], { program });
    expect(allowed).toMatchObject({ journal: "rollback", one_host: true });
    await coop.data(add, { as: "ann", program });
    expect(journalOf(coop.store)).toBe("rollback");
    // Nobody else is to write to it: who did is told, once to each.
    using database = new Database(coop.store);
    database.run("insert into meta (name, value) values ('mount:laptop', '1:2 3.54.1')");
    database.run("update meta set value = '' where name like 'mount:%' and name <> 'mount:laptop'");
    const beside = { as: "ann", program };
    expect((await coop.run([...add, "--json"], beside)).json().warnings).toEqual([
      { code: "one_host", message: expect.stringContaining("and laptop wrote to it too") },
    ]);
    expect((await coop.run([...add, "--json"], beside)).json().warnings).toBeUndefined();
    // To set the journal without it takes it back.
    await coop.data(["init", "--journal", "rollback"]);
    expect(await errorOf(coop, add, { program })).toMatchObject({ exit: 6, reason: "access" });
  });
});

describe("the journal by hand", () => {
  test("is changed and changed back, and the same again changes nothing", async () => {
    await using coop = await story();
    await coop.data(["todo", "add", "x"], { as: "ann" });
    for (const journal of ["rollback", "rollback", "wal", "wal", "rollback"] as const) {
      expect(await coop.data(["init", "--journal", journal])).toMatchObject({ journal });
      expect(journalOf(coop.store)).toBe(journal);
      await coop.data(["todo", "add", "x"], { as: "ann" });
      expect(journalOf(coop.store)).toBe(journal);
    }
    expect(await coop.data(["todo", "list"])).toHaveLength(6);
  });

  test("is chosen for a new store", async () => {
    await using coop = await story({ init: false });
    await coop.data(["init", "--journal", "rollback"]);
    expect(journalOf(coop.store)).toBe("rollback");
  });

  test("is changed only while nobody else uses the store: busy, and nothing is changed", async () => {
    await using coop = await story();
    using other = new Database(coop.store);
    other.query("select * from meta").all();
    const change = ["--wait", "0.2", "init", "--journal", "rollback"];
    expect(await errorOf(coop, change)).toMatchObject({
      exit: 7,
      hint: expect.stringContaining("on every host"),
    });
    expect(await coop.data(["init"])).toMatchObject({ journal: "wal" });
    expect(await coop.data(["init", "--journal", "wal"])).toMatchObject({ journal: "wal" });
  });

  test("knows one host only with a rollback journal", async () => {
    await using coop = await story();
    for (const words of [["--one-host"], ["--one-host", "--journal", "wal"], ["--journal", "log"]])
      expect((await errorOf(coop, ["init", ...words])).exit).toBe(2);
  });
});

describe("with a rollback journal", () => {
  test("parallel programs that read and write lose nothing, and none fails", async () => {
    await using coop = await story();
    await coop.data(["init", "--journal", "rollback"]);
    await times(8, async (n) => {
      const as = `brain-${n}`;
      for (let each = 0; each < 10; each++) {
        await coop.data(["letter", "write", "--body", "x".repeat(10_000)], { as });
        await coop.data(["letter", "read"], { as });
      }
    });
    const letters = await coop.data(["letter", "list", "--limit", "0"]);
    expect(letters).toHaveLength(80);
    expect(letters.filter(({ state }: { state: string }) => state !== "read")).toEqual([]);
    expect(integrityOf(coop.store)).toEqual([["ok"]]);
  });

  test("a write larger than memory's share is made while others read", async () => {
    await using coop = await story();
    await coop.data(["init", "--journal", "rollback"]);
    const lines = Array.from({ length: 3000 }, (_, n) =>
      JSON.stringify({ payload: `${n} ${"x".repeat(3000)}` }),
    );
    const push = { isOver: false };
    const [pushed] = await Promise.all([
      coop
        .data(["queue", "push", "jobs", "--jsonl", "-"], { as: "ann", stdin: lines.join("\n") })
        .finally(() => (push.isOver = true)),
      times(3, async () => {
        while (!push.isOver) await coop.data(["queue", "list", "jobs"]);
      }),
    ]);
    expect(pushed.refs ?? pushed.items).toHaveLength(3000);
    expect(integrityOf(coop.store)).toEqual([["ok"]]);
  });
});

/** Also what another host removes is seen at once. */
const NOT_CACHED = ["dir_cache=no", "attr_timeout=0", "entry_timeout=0"];

describe("on a file system that shares no memory (sshfs)", () => {
  test("a store that is at work on its host is read as it is, or from its snapshot, and left alone", async () => {
    await using coop = await story();
    await coop.data(["todo", "add", "one"], { as: "ann" });
    await using _mount = await sshfs(dirname(coop.store), join(coop.home, "remote"), NOT_CACHED);
    const env = { PIPPA_COOP_DB: join(coop.home, "remote", basename(coop.store)) };
    const read = async () => {
      const { data, warnings = [] } = (await coop.run(["--json", "todo", "list"], { env })).json();
      const titles = data.map(({ title }: { title: string }) => title);
      return { titles, warnings: warnings.map(({ code }: { code: string }) => code) };
    };
    const beside = async () =>
      (await Promise.all(["-wal", "-shm"].map((end) => stat(coop.store + end)))).map(
        ({ ino, size }) => `${ino} ${size}`,
      );
    {
      using holder = new Database(coop.store);
      holder.query("select * from meta").all();
      await coop.data(["todo", "add", "two"], { as: "ann" });
      const before = await beside();
      expect(await read()).toEqual({ titles: ["one"], warnings: ["snapshot"] });
      const { exit, out } = await coop.run(["--json", "doctor"], { env });
      expect({ exit, ...JSON.parse(out).data.checks[0] }).toMatchObject({
        exit: 6,
        name: "store",
        status: "fail",
        message: expect.stringContaining("fuse.sshfs"),
      });
      expect(await beside()).toEqual(before);
      expect(await errorOf(coop, ["todo", "add", "x"], { env })).toMatchObject({
        exit: 6,
        reason: "access",
      });
      await coop.data(["todo", "add", "three"], { as: "ann" });
    }
    await coop.data(["todo", "list"]);
    expect(await read()).toEqual({ titles: ["three", "two", "one"], warnings: [] });
    expect(integrityOf(coop.store)).toEqual([["ok"]]);
  });

  test("what a host was in the middle of writing is never taken back from another, also where the file looks damaged", async () => {
    await using coop = await story();
    await coop.data(["init", "--journal", "rollback"]);
    for (let n = 0; n < 10; n++)
      await coop.data(["letter", "write", "--body", "x".repeat(3000)], { as: "ann" });
    await using _mount = await sshfs(dirname(coop.store), join(coop.home, "remote"), NOT_CACHED);
    const env = { PIPPA_COOP_DB: join(coop.home, "remote", basename(coop.store)) };
    const [{ rootpage, page_size: size }] = new Database(coop.store)
      .query(
        "select rootpage, page_size from sqlite_schema, pragma_page_size where name = 'sqlite_autoindex_meta_1'",
      )
      .all() as [{ rootpage: number; page_size: number }];
    await killedInCommit(coop.store);
    const whole = await Bun.file(coop.store).bytes();
    const torn = whole.slice().fill(0xa5, (rootpage - 1) * size, rootpage * size);
    await writeFile(coop.store, torn);
    const journal = await Bun.file(`${coop.store}-journal`).bytes();
    for (const words of [["letter", "list"], ["todo", "add", "x"], ["doctor"]])
      await coop.run(words, { as: "ann", env });
    expect(await Bun.file(coop.store).bytes()).toEqual(torn);
    expect(await Bun.file(`${coop.store}-journal`).bytes()).toEqual(journal);
    await writeFile(coop.store, whole);
    expect((await coop.data(["letter", "list"]))[0]).toMatchObject({ version: 1 });
    expect(integrityOf(coop.store)).toEqual([["ok"]]);
  });

  test("a store is read from its snapshot however much its host writes", async () => {
    await using coop = await story();
    await coop.data(["todo", "add", "one"], { as: "ann" });
    await using _mount = await sshfs(dirname(coop.store), join(coop.home, "remote"), NOT_CACHED);
    const env = { PIPPA_COOP_DB: join(coop.home, "remote", basename(coop.store)) };
    const writing = { isOver: false };
    const writer = (async () => {
      while (!writing.isOver) await coop.data(["queue", "push", "jobs", "x"], { as: "ann" });
    })();
    for (let n = 0; n < 10; n++)
      expect(await coop.data(["todo", "list"], { env })).toMatchObject([{ title: "one" }]);
    writing.isOver = true;
    await writer;
    expect(integrityOf(coop.store)).toEqual([["ok"]]);
  });

  test("no write-ahead log is chosen, and of 8 programs with 12 writes each all arrive", async () => {
    await using coop = await story({ init: false });
    const disk = join(coop.home, "disk");
    await mkdir(disk);
    await using _mount = await sshfs(disk, join(coop.home, "remote"));
    const db = { PIPPA_COOP_DB: join(coop.home, "remote/pippa-db/coop.db") };

    expect(await errorOf(coop, ["init"], { env: db })).toMatchObject({
      exit: 6,
      reason: "access",
      message: expect.stringContaining("fuse.sshfs"),
    });
    expect(await readdir(disk)).toEqual([]);
    await coop.data(["init", "--journal", "rollback", "--one-host"], { env: db });
    await times(8, async (n) => {
      for (let each = 0; each < 12; each++)
        await coop.data(["--wait", "60", "todo", "add", `${n} ${each}`], {
          as: `brain-${n}`,
          env: db,
        });
    });

    const todos = await coop.data(["todo", "list", "--limit", "0"], { env: db });
    expect(new Set(todos.map(({ title }: { title: string }) => title)).size).toBe(96);
    const file = join(disk, "pippa-db/coop.db");
    expect(journalOf(file)).toBe("rollback");
    expect(integrityOf(file)).toEqual([["ok"]]);
  }, 120_000);

  test("a store with a write-ahead log is read there, and changed once only one host uses it", async () => {
    await using coop = await story();
    await coop.data(["letter", "write", "--body", "hello"], { as: "ann" });
    const disk = join(coop.home, "disk");
    await rename(dirname(coop.store), disk);
    await using _mount = await sshfs(disk, join(coop.home, "remote"));
    const options = { as: "ann", env: { PIPPA_COOP_DB: join(coop.home, "remote/coop.db") } };

    const read = await coop.run(["--json", "letter", "read"], options);
    expect(read.json()).toMatchObject({ data: [{ body: "hello", marked: false }] });
    expect(await errorOf(coop, ["todo", "add", "x"], options)).toMatchObject({
      exit: 6,
      message: expect.stringContaining("fuse.sshfs"),
    });
    await coop.data(["init", "--journal", "rollback", "--one-host"], options);
    await coop.data(["todo", "add", "x"], options);
    expect(await coop.data(["letter", "read"], options)).toMatchObject([{ marked: true }]);
    expect(journalOf(join(disk, "coop.db"))).toBe("rollback");
    expect(await readdir(disk)).not.toContain("coop.db-shm");
  });
});

test("a link on a disk of the machine does not hide where the store is", async () => {
  await using coop = await story();
  await coop.data(["init", "--journal", "rollback"]);
  const disk = join(coop.home, "disk");
  await rename(dirname(coop.store), disk);
  await using _mount = await sshfs(disk, join(coop.home, "remote"));
  const link = join(coop.home, "link.db");
  await symlink(join(coop.home, "remote/coop.db"), link);
  expect(await errorOf(coop, ["todo", "add", "x", "--db", link])).toMatchObject({
    exit: 6,
    message: expect.stringContaining("fuse.sshfs"),
  });
});

describe("how often a snapshot is published", () => {
  test("is set as a length of time, kept in seconds, and 0 for never", async () => {
    await using coop = await story();
    expect(await coop.data(["init"])).toMatchObject({ snapshot_every: 3600 });
    for (const [given, kept] of [
      ["90m", 5400],
      ["2h", 7200],
      ["0", 0],
    ] as const)
      expect(await coop.data(["init", "--snapshot-every", given])).toMatchObject({
        snapshot_every: kept,
      });
    expect((await coop.run(["init"])).out).toContain("no snapshots");
    expect((await errorOf(coop, ["init", "--snapshot-every", "often"])).exit).toBe(2);
  });
});
