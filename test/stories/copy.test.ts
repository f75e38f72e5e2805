import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { link, mkdir, readdir, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { TABLES } from "../../src/store/contents";
import { command, pretending } from "../mounts";
import { PASSWORD, postgres } from "../postgres";
import { story, times, type Story } from "../story";
import { turnOf } from "../turn";

/** A store of every surface's records, with text of every kind, versions, keys and links. */
async function fill(coop: Story): Promise<void> {
  const as = (id: string, ...words: string[]) => coop.data(words, { as: id });
  for (let n = 0; n < 3; n++)
    await as("ann", "letter", "write", `L ${n}`, "--body", "한글\ttab\r\n✔️");
  await as("ann", "letter", "write", "--body", "x".repeat(100_000), "--supersedes", "L1,L2");
  await as("ann", "request", "open", "R", "--to", "ben", "--body", "b", "--key", "r");
  await as("ben", "request", "reply", "R1", "what?");
  await times(60, (n) => as(`brain-${n % 3}`, "todo", "add", `T ${n}`));
  await as("ann", "todo", "edit", "T1", "--after", "T2,T3");
  await as("ann", "history", "add", "H", "--slug", "ö-ß", "--body", "b", "--commit", "0123456789");
  await as("ann", "queue", "push", "q", '{"a": 1e400}', "--to", "ann,ben");
  await as("ann", "queue", "push", "q", "", "--re", "Q1");
  await as("ann", "queue", "take", "q");
  await as("ann", "queue", "reply", "Q1", "yes");
}

/** All that commands show of a store. */
async function shown(coop: Story, db: string): Promise<unknown[]> {
  const lists = ["letter", "request", "todo", "history", "queue"].map((surface) =>
    coop
      .data([surface, "list", "--status", "all", "--limit", "0", "--db", db])
      .catch(() => coop.data([surface, "list", "--limit", "0", "--db", db])),
  );
  const more = [
    ["log", "--limit", "0"],
    ["queue", "replies", "Q1"],
    ["request", "show", "R1"],
    ["who"],
  ];
  return Promise.all([...lists, ...more.map((words) => coop.data([...words, "--db", db]))]);
}

test("a store that was moved says so to who reads it, and removes no backup of the new one", async () => {
  await using coop = await story();
  await coop.data(["letter", "write", "--body", "old"], { as: "ann" });
  await coop.data(["letter", "read"], { as: "ann" });
  const young = join(coop.home, "young/coop.db");
  const nas = join(coop.home, "nas");
  await mkdir(nas);
  await coop.data(["init", "--db", young]);
  await coop.data(["copy", "--from", coop.store, "--to", young]);
  await coop.data(["backup", "--to", nas, "--keep", "1", "--db", young]);

  const moved = {
    code: "moved",
    message: `this store was moved to ${young}: what is here is as it was then`,
  };
  for (const words of [
    ["letter", "read"],
    ["request", "list", "--waiting-on", "me"],
    ["todo", "ready"],
    ["who"],
    ["show", "L1"],
  ])
    expect((await coop.run([...words, "--json"], { as: "ann" })).json().warnings).toEqual([moved]);
  const keep = await coop.run(["backup", "--to", nas, "--keep", "1", "--json"]);
  expect({ exit: keep.exit, reason: keep.json().error.reason }).toEqual({
    exit: 4,
    reason: "moved",
  });
  expect(await readdir(nas)).toHaveLength(1);
  const made = await coop.run(["backup", "--to", nas, "--json"]);
  expect(made.json().warnings).toEqual([moved]);
});

test("copying knows every table", async () => {
  await using coop = await story();
  using database = new Database(coop.store, { readonly: true });
  const tables = database
    .query<{ name: string }, []>(
      "select name from sqlite_master where type = 'table' and name <> 'meta'",
    )
    .all();
  expect(TABLES.map(({ name }) => name).toSorted()).toEqual(
    tables
      .map(({ name }) => name)
      .filter((name) => !name.startsWith("sqlite_"))
      .toSorted(),
  );
});

test("a store moves from a file to a server and back, and nobody goes on writing to the old one", async () => {
  await using coop = await story();
  await fill(coop);
  const server = await postgres();
  const schema = `copy_${Bun.randomUUIDv7("hex").replaceAll("-", "")}`;
  const [url, back] = [server.url(schema), join(coop.folder, "back.db")];
  const before = await shown(coop, coop.store);
  const copy = (from: string, to: string, ...more: string[]) =>
    coop.run(["--json", "copy", "--from", from, "--to", to, ...more]);
  try {
    expect((await copy(coop.store, url)).exit).toBe(6);
    await coop.data(["init", "--db", url]);
    const first = await copy(coop.store, url);
    expect(first.exit).toBe(0);
    expect(first.out).not.toContain(encodeURIComponent(PASSWORD));
    expect(first.json().data).toMatchObject({ copied: true, rows: { todos: 60, letters: 4 } });
    expect(await shown(coop, url)).toEqual(before);

    const late = await coop.run(["--json", "todo", "add", "late"], { as: "ann" });
    expect(late.exit).toBe(4);
    expect(late.json().error).toMatchObject({ code: "conflict", reason: "moved" });
    expect(late.json().error.message).toContain(`schema=${schema}`);
    expect(late.err).not.toContain(encodeURIComponent(PASSWORD));
    const setting = await coop.run(["--json", "init", "--snapshot-every", "5m"]);
    expect(setting.json().error).toMatchObject({ code: "conflict", reason: "moved" });
    expect((await coop.run(["init"])).exit).toBe(0);
    expect(await shown(coop, coop.store)).toEqual(before);

    const again = await copy(coop.store, url);
    expect(again.json().data).toMatchObject({ copied: false, hash: first.json().data.hash });
    const other = join(coop.folder, "other.db");
    await coop.data(["init", "--db", other]);
    expect((await copy(coop.store, other)).json().error).toMatchObject({ reason: "moved" });

    const words = ["request", "open", "R", "--to", "ben", "--body", "b", "--key", "r"];
    const repeat = await coop.run(["--json", ...words, "--db", url], { as: "ann" });
    expect(repeat.json()).toMatchObject({ replayed: true, data: { ref: "R1" } });
    expect(await coop.data(["todo", "add", "new", "--db", url], { as: "ann" })).toMatchObject({
      ref: "T61",
    });
    await coop.data(["request", "reply", "R1", "more", "--db", url], { as: "ann" });
    expect((await copy(url, coop.store)).json().error).toMatchObject({ reason: "state" });
    expect((await copy(coop.store, url, "--undo")).json().error).toMatchObject({ reason: "state" });

    const after = await shown(coop, url);
    await coop.data(["init", "--db", back]);
    expect((await copy(url, back)).exit).toBe(0);
    expect(await shown(coop, back)).toEqual(after);
    const closed = await coop.run(["todo", "add", "x", "--db", url], { as: "ann" });
    expect(closed.exit).toBe(4);
    expect(closed.err).toContain(back);
    const next = await coop.data(["todo", "add", "x", "--db", back], { as: "ann" });
    expect(next.ref).toBe("T62");
  } finally {
    await server.sql(`drop schema if exists "${schema}" cascade`);
  }
}, 60_000);

test("a copy that was interrupted is given again, or undone", async () => {
  await using coop = await story();
  await coop.data(["todo", "add", "one"], { as: "ann" });
  const server = await postgres();
  const schema = `copy_${Bun.randomUUIDv7("hex").replaceAll("-", "")}`;
  const url = server.url(schema);
  const copy = (...more: string[]) =>
    coop.run(["--json", "copy", "--from", coop.store, "--to", url, ...more]);
  const add = () => coop.run(["--json", "todo", "add", "x"], { as: "ann" });
  try {
    expect((await copy("--undo")).exit).toBe(3);
    await coop.data(["init", "--db", url]);
    {
      await using _turn = await turnOf(server, schema);
      expect((await copy("--wait", "0.2")).exit).toBe(7);
      expect((await add()).json().data.ref).toBe("T2");
    }
    interrupt(coop.store, url.replace(/:[^:@]*@/, "@"));
    expect((await add()).json().error.reason).toBe("moved");
    expect((await copy("--undo")).json().data).toMatchObject({ undone: true, closed: false });

    expect((await copy()).json().data).toMatchObject({ copied: true });
    expect((await copy("--undo")).json().data).toMatchObject({ undone: true, closed: true });
    expect((await add()).json().data.ref).toBe("T3");
    const closed = await coop.run(["--json", "todo", "add", "x", "--db", url], { as: "ann" });
    expect(closed.json().error.reason).toBe("moved");
  } finally {
    await server.sql(`drop schema if exists "${schema}" cascade`);
  }
}, 60_000);

/** Leaves a store as a move does that ends after its first mark. */
function interrupt(path: string, target: string): void {
  using database = new Database(path);
  database.run("insert into meta (name, value) values ('moved_to', ?)", [target]);
}

test("a move that was undone is made again, or refused while the old store can be written to", async () => {
  await using coop = await story();
  const target = join(coop.folder, "other.db");
  await coop.data(["init", "--db", target]);
  const add = (db: string) => coop.run(["--json", "todo", "add", "x", "--db", db], { as: "ann" });
  const copy = (...more: string[]) =>
    coop.run(["copy", "--from", coop.store, "--to", target, ...more]);
  expect((await add(coop.store)).exit).toBe(0);

  expect((await copy()).exit).toBe(0);
  const undone = await copy("--undo");
  expect(undone.out).toBe(`${coop.store} is written to again, and ${target} no more\n`);
  const again = await copy();
  expect([again.exit, again.out]).toEqual([0, expect.stringContaining("had copied")]);
  expect((await add(coop.store)).exit).toBe(4);

  expect((await copy("--undo")).exit).toBe(0);
  expect((await add(coop.store)).exit).toBe(0);
  const refused = await copy("--json");
  expect([refused.exit, refused.json().error]).toEqual([
    4,
    {
      code: "conflict",
      reason: "state",
      message: `${target} holds records already: a copy of ${coop.store}, but one of them was written to since (todos: 1, not 2)`,
      hint: "copy only goes to a store that was just made",
    },
  ]);
  expect((await add(coop.store)).json().data.ref).toBe("T3");
  expect((await add(target)).json().error.reason).toBe("moved");
});

test("from a copy that was written to, what is said to go back by goes back", async () => {
  await using coop = await story();
  const [copied, back] = [join(coop.folder, "copied.db"), join(coop.folder, "back.db")];
  await coop.data(["todo", "add", "one"], { as: "ann" });
  for (const db of [copied, back]) await coop.data(["init", "--db", db]);
  const move = ["copy", "--from", coop.store, "--to", copied];
  await coop.data(move);
  await coop.data(["todo", "add", "two", "--db", copied], { as: "ann" });
  for (const words of [move, [...move, "--undo"]]) {
    const { hint } = (await coop.run(["--json", ...words])).json().error;
    expect(hint).toEndWith(
      `to go back, copy it to a store that was just made: coop copy --from ${copied} --to STORE`,
    );
  }
  await coop.data(["copy", "--from", copied, "--to", back]);
  const { hint } = (await coop.run(["--json", ...move, "--undo"])).json().error;
  expect(hint).toContain(`coop copy --from ${back} --to STORE`);
  expect(await coop.data(["todo", "list", "--db", back])).toHaveLength(2);
});

test("a copy that failed keeps both stores closed and says so, until it is given again or undone", async () => {
  await using coop = await story();
  const disk = join(coop.home, "disk");
  await mkdir(disk);
  await command("mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", disk);
  try {
    const target = join(disk, "new.db");
    await coop.data(["init", "--db", target]);
    const large = { as: "ann", stdin: "x".repeat(1_000_000) };
    await coop.data(["queue", "push", "jobs", "--payload", "-"], large);
    const copy = (...more: string[]) =>
      coop.run(["--json", "copy", "--from", coop.store, "--to", target, ...more]);
    const push = (db: string) =>
      coop.run(["--json", "queue", "push", "jobs", "y", "--db", db], { as: "ann" });
    const closed = async () => {
      expect((await push(coop.store)).json().error).toMatchObject({ reason: "moved" });
      const { message, hint, reason } = (await push(target)).json().error;
      expect({ message, reason }).toEqual({
        message: `${target} is not filled yet: ${coop.store} is being copied into it`,
        reason: "moved",
      });
      expect(hint).toContain(`coop copy --from ${coop.store} --to ${target}`);
      const read = await coop.run(["--json", "letter", "read", "--db", target], { as: "ann" });
      expect(read.json()).toMatchObject({
        data: [],
        warnings: [
          {
            code: "not_filled",
            message: `this store is not filled yet: ${coop.store} is being copied into it`,
          },
        ],
      });
      const { out } = await coop.run(["doctor", "--db", target]);
      expect(out).toContain(`which is not filled yet: ${coop.store} is being copied into it`);
    };
    for (let twice = 0; twice < 2; twice++) {
      const full = await copy();
      expect(full.exit).toBe(6);
      expect(full.json().error).toMatchObject({
        reason: "full",
        hint: expect.stringContaining(`${coop.store} is closed, and nothing is copied yet`),
      });
      await closed();
    }
    expect((await copy("--undo")).json().data).toMatchObject({ undone: true, closed: false });
    expect((await push(coop.store)).json().data.ref).toBe("Q2");
    expect((await copy()).exit).toBe(6);
    await command("mount", "-o", "remount,size=8m", disk);
    expect((await copy()).json().data).toMatchObject({ copied: true, rows: { queue_items: 2 } });
    expect((await push(target)).json().data.ref).toBe("Q3");
  } finally {
    await command("umount", disk);
  }
});

test("a copy that ended before the old store was closed is ended by --undo", async () => {
  await using coop = await story();
  const target = join(coop.folder, "new.db");
  await coop.data(["init", "--db", target]);
  {
    using database = new Database(target);
    database.run("insert into meta (name, value) values ('filled_from', ?)", [coop.store]);
  }
  const undo = ["copy", "--undo", "--from", coop.store, "--to", target];
  expect((await coop.run(["todo", "add", "x", "--db", target], { as: "ann" })).exit).toBe(4);
  expect(await coop.data(undo)).toMatchObject({ undone: true, closed: false });
  expect((await coop.run(["todo", "add", "x", "--db", target], { as: "ann" })).exit).toBe(0);
  expect((await coop.run(undo)).exit).toBe(3);
});

test("a copy goes on with the archives and the numbers of what it is a copy of", async () => {
  await using coop = await story();
  const [archive, target] = [join(coop.home, "old.db"), join(coop.folder, "new.db")];
  const as = (...words: string[]) => coop.data(words, { as: "ann" });
  const finish = async (db: string) => {
    const { ref } = await as("queue", "push", "jobs", "a secret", "--db", db);
    await as("queue", "drop", ref, "--db", db);
    await as("queue", "archive", "--older", "0s", "--to", archive, "--db", db);
    return ref;
  };
  expect(await finish(coop.store)).toBe("Q1");
  const backup = join(coop.home, "backup.db");
  await coop.data(["backup", "--to", backup]);
  await coop.data(["init", "--db", target]);
  await coop.data(["copy", "--from", coop.store, "--to", target]);
  expect(await finish(target)).toBe("Q2");
  expect(await as("queue", "list", "--status", "all", "--db", archive)).toHaveLength(2);
  // The store itself is lost, but for what was published beside it.
  await as("queue", "push", "jobs", "x", "--db", target);
  await coop.data(["backup", "--db", target]);
  await Bun.write(target, "x".repeat(4096));
  await as("restore", backup, "--db", target);
  expect(Number((await as("queue", "push", "jobs", "x", "--db", target)).ref.slice(1))).toBe(1004);
});

test("a backup is copied without being closed, and no number is given twice", async () => {
  await using coop = await story();
  const [backup, target] = [join(coop.folder, "backup.db"), join(coop.folder, "new.db")];
  const add = (db = coop.store) => coop.data(["todo", "add", "x", "--db", db], { as: "ann" });
  await add();
  await coop.data(["backup", "--to", backup]);
  expect((await add()).ref).toBe("T2");
  const before = await Bun.file(backup).bytes();
  // As programs do that keep many backups of what hardly changes.
  await link(backup, join(coop.folder, "yesterday.db"));
  await coop.data(["init", "--db", target]);
  const copied = await coop.run(["copy", "--from", backup, "--to", target]);
  expect(copied.exit).toBe(0);
  expect(copied.err).toContain("is a backup: numbers go on 1000 higher");
  expect(copied.out).not.toContain("is closed");
  expect(await Bun.file(backup).bytes()).toEqual(before);
  expect((await add(target)).ref).toBe("T1002");
  expect((await add()).ref).toBe("T3");
  const again = await coop.run(["--json", "copy", "--from", backup, "--to", target]);
  expect(again.json().error).toMatchObject({
    reason: "state",
    message: `${target} was filled from ${backup} already`,
  });
  // It is another store: backups of the one never take the place of the other's.
  const kept = await coop.run(["--json", "backup", "--db", target, "--to", backup]);
  expect(kept.json().error).toMatchObject({ reason: "foreign" });
});

test("a backup is copied also into what an unfinished copy from its path was to fill, and opens it", async () => {
  await using coop = await story();
  const [from, target] = [join(coop.folder, "a.db"), join(coop.folder, "new.db")];
  await coop.data(["todo", "add", "x"], { as: "ann" });
  await coop.data(["init", "--db", target]);
  using database = new Database(target);
  database.run("insert into meta (name, value) values ('filled_from', ?)", [from]);
  await coop.data(["backup", "--to", from]);
  expect((await coop.run(["copy", "--from", from, "--to", target])).exit).toBe(0);
  expect(await coop.data(["todo", "add", "y", "--db", target], { as: "ann" })).toMatchObject({
    ref: "T1002",
  });
});

test("a backup of a moved store undoes no move", async () => {
  await using coop = await story();
  const [backup, target] = [join(coop.folder, "backup.db"), join(coop.folder, "new.db")];
  await coop.data(["todo", "add", "x"], { as: "ann" });
  await coop.data(["init", "--db", target]);
  await coop.data(["copy", "--from", coop.store, "--to", target]);
  await coop.data(["backup", "--to", backup]);
  const before = await Bun.file(backup).bytes();
  const undo = await coop.run(["--json", "copy", "--undo", "--from", backup, "--to", target]);
  expect({ exit: undo.exit, ...undo.json().error }).toMatchObject({ exit: 4, reason: "state" });
  expect(await Bun.file(backup).bytes()).toEqual(before);
  await coop.data(["todo", "add", "y", "--db", target], { as: "ann" });
});

test("a store is not copied onto itself by another name, and stays open", async () => {
  await using coop = await story();
  const other = join(coop.home, "linked");
  await symlink(dirname(coop.store), other);
  const words = ["copy", "--from", coop.store, "--to", join(other, "coop.db")];
  const { exit, err } = await coop.run(words);
  expect({ exit, err }).toMatchObject({ exit: 2, err: expect.stringContaining("same store") });
  await coop.data(["todo", "add", "one"], { as: "ann" });
});

test("a store that was restored from a moved one has not been moved itself", async () => {
  await using coop = await story();
  const [moved, kept] = [join(coop.folder, "moved.db"), join(coop.folder, "kept.db")];
  await coop.data(["todo", "add", "one"], { as: "ann" });
  await coop.data(["init", "--db", moved]);
  await coop.data(["copy", "--from", coop.store, "--to", moved]);
  await coop.data(["backup", "--to", kept]);
  const restored = join(coop.folder, "restored.db");
  await coop.data(["init", "--db", restored]);
  await coop.data(["restore", kept, "--db", restored], { as: "dad" });

  const gone = join(coop.folder, "gone.db");
  interrupt(restored, gone);
  expect(await coop.data(["copy", "--undo", "--from", restored, "--to", gone])).toMatchObject({
    undone: true,
    closed: false,
  });
  await coop.data(["todo", "add", "two", "--db", restored], { as: "ann" });
});

test("a move that was not complete is undone also when its target is gone", async () => {
  await using coop = await story();
  await coop.data(["todo", "add", "one"], { as: "ann" });
  const target = join(coop.folder, "gone.db");
  const copy = (...more: string[]) =>
    coop.run(["--json", "copy", "--from", coop.store, "--to", target, ...more]);
  interrupt(coop.store, target);
  expect((await coop.run(["todo", "add", "x"], { as: "ann" })).exit).toBe(4);
  const undone = await coop.run(["copy", "--undo", "--from", coop.store, "--to", target]);
  expect([undone.exit, undone.out]).toEqual([0, `${coop.store} is written to again\n`]);
  expect((await coop.run(["todo", "add", "x"], { as: "ann" })).exit).toBe(0);

  await coop.data(["init", "--db", target]);
  expect((await copy()).exit).toBe(0);
  await Bun.file(target).delete();
  expect((await copy("--undo")).json().error).toMatchObject({ reason: "no_store" });
});

test("a store on a server is backed up into a file that is a store by itself", async () => {
  await using coop = await story({ init: false });
  const server = await postgres();
  const schema = `backup_${Bun.randomUUIDv7("hex").replaceAll("-", "")}`;
  const env = { PIPPA_COOP_DB: server.url(schema) };
  const run = (...words: string[]) => coop.run(["--json", ...words], { as: "ann", env });
  try {
    await run("init");
    for (let n = 0; n < 5; n++) await run("todo", "add", `T ${n}`);
    expect((await run("backup")).exit).toBe(2);
    const file = join(coop.folder, "kept.db");
    for (let twice = 0; twice < 2; twice++) {
      const made = await run("backup", "--to", file);
      expect(made.err).toBe("");
      expect(made.json().data).toMatchObject({ file, records: { todos: 5 }, events: 5 });
    }
    const dated = await run("backup", "--to", coop.folder, "--keep", "1");
    expect(dated.json().data.file).toMatch(/coop\..*\.db$/);
    const list = await run("todo", "list", "--db", file);
    expect(list.json().data).toEqual((await run("todo", "list")).json().data);
    // Of a store that was moved none makes room for what is older than the new one's.
    const young = join(coop.folder, "young.db");
    await run("init", "--db", young);
    expect((await coop.run(["copy", "--from", env.PIPPA_COOP_DB, "--to", young])).exit).toBe(0);
    const keep = await run("backup", "--to", coop.folder, "--keep", "1");
    expect({ exit: keep.exit, ...keep.json().error }).toMatchObject({ exit: 4, reason: "moved" });
    expect((await run("backup", "--to", file)).exit).toBe(0);
    expect((await run("todo", "list", "--db", file)).json().warnings).toMatchObject([
      { code: "moved" },
    ]);
    await coop.data(["copy", "--undo", "--from", env.PIPPA_COOP_DB, "--to", young]);
    expect((await run("todo", "add", "x")).exit).toBe(0);
    const left = Array.from(new Bun.Glob("**").scanSync({ cwd: coop.folder, dot: true }));
    expect(left.filter((name) => name.includes(".coop-copy-"))).toEqual([]);
  } finally {
    await server.sql(`drop schema if exists "${schema}" cascade`);
  }
}, 60_000);

test("the backup of a store is renewed also when the store is moved, to another file and to a server", async () => {
  await using coop = await story();
  const server = await postgres();
  const schema = `copy_${Bun.randomUUIDv7("hex").replaceAll("-", "")}`;
  const backup = join(coop.folder, "backup.db");
  try {
    let from: string | undefined;
    for (const db of [coop.store, join(coop.folder, "young.db"), server.url(schema)]) {
      if (from !== undefined) {
        await coop.data(["init", "--db", db]);
        await coop.data(["copy", "--from", from, "--to", db]);
      }
      const { ref } = await coop.data(["todo", "add", "x", "--db", db], { as: "ann" });
      await coop.data(["backup", "--db", db, "--to", backup]);
      const [newest] = await coop.data(["todo", "list", "--db", backup]);
      expect(newest.ref).toBe(ref);
      from = db;
    }
  } finally {
    await server.sql(`drop schema if exists "${schema}" cascade`);
  }
});

test("doctor looks at a server too", async () => {
  await using coop = await story({ init: false });
  const server = await postgres();
  const schema = `doctor_${Bun.randomUUIDv7("hex").replaceAll("-", "")}`;
  const env = { PIPPA_COOP_DB: server.url(schema) };
  try {
    const none = await coop.run(["--json", "doctor"], { env });
    expect(none.exit).toBe(6);
    await coop.run(["init"], { env });
    const { exit, out } = await coop.run(["doctor"], { env });
    expect(exit).toBe(0);
    expect(out).toMatch(/^ok connection: PostgreSQL \d/m);
    expect(out).toMatch(/^(ok|warn) durability: /m);
    expect(out).toMatch(/^ok schema: /m);
    expect(out).not.toContain(encodeURIComponent(PASSWORD));
  } finally {
    await server.sql(`drop schema if exists "${schema}" cascade`);
  }
}, 60_000);

test("the stores of several moves in one folder are no second copies of each other", async () => {
  await using coop = await story();
  await coop.data(["todo", "add", "x"], { as: "ann" });
  const all = [coop.store, ...["b.db", "c.db"].map((name) => join(dirname(coop.store), name))];
  for (const [from, to] of [all, all.slice(1)]) {
    await coop.data(["init", "--db", to!]);
    await coop.data(["copy", "--from", from!, "--to", to!]);
  }
  for (const db of all) {
    const { checks } = (await coop.run(["doctor", "--json", "--db", db])).json().data;
    expect(checks).toContainEqual({ name: "strays", status: "ok", message: "none", fix: null });
  }
});

test("the snapshot of a store that was moved is not said to be renewed by a later command", async () => {
  await using coop = await story();
  for (const title of ["x", "y"]) await coop.data(["todo", "add", title], { as: "ann" });
  const target = join(coop.folder, "new.db");
  await coop.data(["init", "--db", target]);
  await coop.data(["copy", "--from", coop.store, "--to", target]);
  const { checks } = (await coop.run(["doctor", "--json"])).json().data;
  expect(checks).toContainEqual({
    name: "published",
    status: "ok",
    message: "whole; nothing is written to the store any more",
    fix: null,
  });
});

test("a store is moved only as its mount bears it, like any other write", async () => {
  await using coop = await story();
  await coop.data(["todo", "add", "x"], { as: "ann" });
  const target = join(coop.folder, "new.db");
  await coop.data(["init", "--db", target]);
  const program = await pretending(coop, "nfs4", "vers=4.2,hard,local_lock=none", "client");
  const words = ["--json", "--wait", "0.1", "copy", "--from", coop.store, "--to", target];
  using user = new Database(coop.store);
  user.query("select * from meta").all();
  const refused = await coop.run(words, { program });
  expect({ exit: refused.exit, ...refused.json().error }).toMatchObject({
    exit: 7,
    message: expect.stringContaining("somebody does"),
  });
  user.close();
  const moved = await coop.run(words, { program });
  expect(moved.exit).toBe(0);
  expect(moved.json().warnings).toContainEqual(expect.objectContaining({ code: "journal" }));
  const undone = await coop.run([...words, "--undo"], { program });
  expect({ exit: undone.exit, ...undone.json().data }).toMatchObject({ exit: 0, undone: true });
});

test("the two stores of a move in one folder are no second copies of each other", async () => {
  await using coop = await story();
  await coop.data(["todo", "add", "x"], { as: "ann" });
  const target = join(dirname(coop.store), "coop new.db");
  await coop.data(["init", "--db", target]);
  await coop.data(["copy", "--from", coop.store, "--to", target]);
  for (const db of [coop.store, target]) {
    const { checks } = (await coop.run(["doctor", "--json", "--db", db])).json().data;
    expect(checks).toContainEqual({ name: "strays", status: "ok", message: "none", fix: null });
  }
});
