import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import {
  chmod,
  copyFile,
  mkdir,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import { build } from "../../scripts/build.ts";
import { openStore } from "../../src/store/open";
import { sql } from "../../src/store/sql";
import { Wait } from "../../src/store/wait";
import { COOP } from "../binary";
import { clock } from "../engines";
import { readOnly } from "../mounts";
import { ordinary } from "../ordinary";
import { story, type RunOptions, type Story } from "../story";

/** A store with a letter to ann, which publishes no snapshots by itself. */
async function storeWithLetter(): Promise<Story> {
  const coop = await story();
  await coop.data(["init", "--snapshot-every", "0"]);
  await coop.data(["letter", "write", "--body", "hello"], { as: "ann" });
  return coop;
}

const folderOf = (coop: Story) => dirname(coop.store);

/** How a writing command ended that must have been refused. */
async function refused(coop: Story, options: RunOptions) {
  const words = ["--json", "todo", "add", "x"];
  const { exit, out, json } = await coop.run(words, { as: "ann", ...options });
  expect({ exit, out }).toEqual({ exit: 6, out: "" });
  const { code, reason, message, hint } = json().error;
  expect(code).toBe("unavailable");
  return { reason, line: `${message}; ${hint}` };
}

/** The letters to ann as somebody sees them that cannot mark them, and the warnings that go with them. */
async function read(coop: Story, options: RunOptions): Promise<{ warnings: string[] }> {
  const { exit, err, json } = await coop.run(["--json", "letter", "read"], {
    as: "ann",
    ...options,
  });
  expect({ exit, err }).toEqual({ exit: 0, err: "" });
  const { data, warnings } = json();
  expect(data).toMatchObject([{ ref: "L1", state: "unread", body: "hello", marked: false }]);
  return { warnings: warnings.map(({ code }: { code: string }) => code) };
}

/** Runs coop as agents' sandboxes do: everything may be read and nothing written, whatever the permissions say. */
const LANDLOCK = `
import ctypes, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
writing = struct.pack("Q", 0b111111111110010)
ruleset = libc.syscall(444, writing, len(writing), 0)
assert ruleset >= 0 and libc.prctl(38, 1, 0, 0, 0) == 0 and libc.syscall(446, ruleset, 0) == 0, ctypes.get_errno()
os.execv(sys.argv[1], sys.argv[1:])
`;

async function sandboxed(coop: Story): Promise<RunOptions> {
  const program = join(coop.folder, "sandboxed");
  await Bun.write(join(coop.folder, "landlock.py"), LANDLOCK);
  await Bun.write(program, `#!/bin/sh\nexec python3 ${coop.folder}/landlock.py ${COOP} "$@"\n`);
  await chmod(program, 0o755);
  return { program };
}

describe("in a sandbox that lets an agent read and not write", () => {
  test("what is stored is read, and a writing command names the sandbox and the folder to allow", async () => {
    await using coop = await storeWithLetter();
    const inSandbox = await sandboxed(coop);

    expect(await read(coop, inSandbox)).toEqual({ warnings: ["not_marked"] });
    const listed = await coop.run(["--json", "letter", "list"], inSandbox);
    expect(listed.json()).toMatchObject({ data: [{ ref: "L1" }] });
    expect(listed.json().warnings).toBeUndefined();
    const { reason, line } = await refused(coop, inSandbox);
    expect(reason).toBe("read_only");
    expect(line).toMatch(/sandbox/);
    expect(line).toContain(`write the folder ${folderOf(coop)}`);
    expect(await coop.data(["todo", "list"])).toEqual([]);
  });

  test("what others write at that time is read too", async () => {
    await using coop = await storeWithLetter();
    const inSandbox = await sandboxed(coop);
    using other = new Database(coop.store);
    other.query("select * from meta").all();
    await coop.data(["todo", "add", "in the log"], { as: "bob" });

    const { exit, json } = await coop.run(["--json", "todo", "list"], inSandbox);

    expect(exit).toBe(0);
    expect(json()).toMatchObject({ data: [{ title: "in the log" }] });
    expect(json().warnings).toBeUndefined();
  });

  test("`init` says that the store is there, and refuses to change it", async () => {
    await using coop = await storeWithLetter();
    const inSandbox = await sandboxed(coop);
    const { created } = await coop.data(["init"], inSandbox);
    expect(created).toBe(false);
    for (const words of [
      ["--journal", "rollback"],
      ["--snapshot-every", "1h"],
      ["--group", "root"],
    ])
      expect((await coop.run(["init", ...words], inSandbox)).exit).toBe(6);
    const settings = await coop.data(["init"]);
    expect(settings).toMatchObject({ journal: "wal", snapshot_every: 0, group: null });
  });
});

describe("on a mount where nothing can be written", () => {
  test("what is stored is read, and a writing command says that the file system is read-only", async () => {
    await using coop = await storeWithLetter();
    const at = join(coop.home, "read-only");
    await using _mount = await readOnly(folderOf(coop), at);
    const there = { env: { PIPPA_COOP_DB: join(at, "coop.db") } };

    expect(await read(coop, there)).toEqual({ warnings: ["not_marked"] });
    const { reason, line } = await refused(coop, there);
    expect(reason).toBe("read_only");
    expect(line).toMatch(/its file system is read-only here/);
    expect(line).toContain(`write the folder ${at}`);
  });

  test("a store with a rollback journal is read too", async () => {
    await using coop = await storeWithLetter();
    await coop.data(["init", "--journal", "rollback"]);
    const at = join(coop.home, "read-only");
    await using _mount = await readOnly(folderOf(coop), at);
    const there = { env: { PIPPA_COOP_DB: join(at, "coop.db") } };

    expect(await read(coop, there)).toEqual({ warnings: ["not_marked"] });
    expect(await refused(coop, there)).toMatchObject({ reason: "read_only" });
  });

  test("what is written elsewhere while a command reads is seen by its next look", async () => {
    await using coop = await storeWithLetter();
    const at = join(coop.home, "read-only");
    await using _mount = await readOnly(folderOf(coop), at);
    const store = await openStore(
      { engine: "sqlite", path: join(at, "coop.db") },
      new Wait(1, clock),
    );
    const titles = () => store.all(sql`select title from todos order by number`);

    expect(await titles()).toEqual([]);
    await coop.data(["todo", "add", "checkpointed"], { as: "bob" });
    expect(await titles()).toEqual([{ title: "checkpointed" }]);
    using other = new Database(coop.store);
    other.query("select * from meta").all();
    await coop.data(["todo", "add", "in the log"], { as: "bob" });
    expect(await titles()).toEqual([{ title: "checkpointed" }, { title: "in the log" }]);
    await store.close();
  });
});

describe("where the newest is in a log that cannot be read", () => {
  /** A store on a read-only mount whose log has something and whose index is gone, as a copy often has it. */
  async function unreadable(coop: Story): Promise<RunOptions & AsyncDisposable> {
    const other = new Database(coop.store);
    other.query("select * from meta").all();
    await coop.data(["todo", "add", "in the log"], { as: "bob" });
    const copy = join(coop.home, "copy");
    await mkdir(copy);
    for (const suffix of ["", "-wal"])
      await copyFile(coop.store + suffix, join(copy, `coop.db${suffix}`));
    other.close();
    await Bun.spawn(["cp", "-a", join(folderOf(coop), "backups"), copy], { stderr: "ignore" })
      .exited;
    const at = join(coop.home, "read-only");
    const mount = await readOnly(copy, at);
    return {
      env: { PIPPA_COOP_DB: join(at, "coop.db") },
      [Symbol.asyncDispose]: () => mount[Symbol.asyncDispose](),
    };
  }

  test("the newest snapshot is read instead, with a warning that says how old it is", async () => {
    await using coop = await storeWithLetter();
    await coop.data(["init", "--snapshot-every", "1s"]);
    await coop.data(["letter", "write", "--body", "to bob", "--to", "bob"], { as: "ann" });
    await coop.data(["init", "--snapshot-every", "0"]);
    const snapshot = join(folderOf(coop), "backups/coop.latest.db");
    const threeHoursAgo = Date.now() / 1000 - 3 * 3600 - 60;
    await utimes(snapshot, threeHoursAgo, threeHoursAgo);
    await using there = await unreadable(coop);

    const { exit, json } = await coop.run(["--json", "letter", "list"], there);
    expect(exit).toBe(0);
    expect(json()).toMatchObject({
      data: [{ ref: "L2" }, { ref: "L1" }],
      warnings: [{ code: "snapshot", message: expect.stringMatching(/snapshot of 3h ago/) }],
    });
    expect(await read(coop, there)).toEqual({ warnings: ["snapshot", "not_marked"] });
    expect((await coop.run(["todo", "list"], there)).out).not.toContain("in the log");
    expect(await refused(coop, there)).toMatchObject({ reason: "read_only" });
    const words = ["--json", "copy", "--from", coop.store, "--to", there.env!["PIPPA_COOP_DB"]!];
    expect((await coop.run(words)).json().error).toMatchObject({ reason: "read_only" });
  });

  test.each([false, true])(
    "and there is no snapshot, the command says why, and reads nothing that may be old (by a link: %p)",
    async (linked) => {
      await using coop = await storeWithLetter();
      await using there = await unreadable(coop);
      if (linked) {
        const link = join(coop.home, "link.db");
        await symlink(there.env!["PIPPA_COOP_DB"]!, link);
        there.env = { PIPPA_COOP_DB: link };
      }
      const { exit, out, json } = await coop.run(["--json", "letter", "list"], there);
      expect({ exit, out }).toEqual({ exit: 6, out: "" });
      expect(json().error).toMatchObject({ reason: "read_only" });
    },
  );
});

describe("as a user that permissions stop", () => {
  test("a group is let into no folder that holds more than the store, however alike the names are", async () => {
    await using coop = await story();
    const folder = dirname(coop.store);
    const letIn = () => coop.run(["init", "--group", "root"]);
    for (const name of ["cooperation.txt", "coop-notes", "coopwal"]) {
      await writeFile(join(folder, name), "mine");
      const { exit, err } = await letIn();
      expect({ exit, err }).toEqual({ exit: 2, err: expect.stringContaining(`such as ${name}`) });
      await rm(join(folder, name));
    }
    await writeFile(join(folder, "coop.old.db"), "an archive, say");
    expect((await letIn()).exit).toBe(0);
  });

  test("a writing command names the owner, the mode and how a group is let in", async () => {
    await using coop = await storeWithLetter();
    const options = await ordinary(coop);
    await chmod(folderOf(coop), 0o755);
    await chmod(coop.store, 0o644);

    expect(await read(coop, options)).toEqual({ warnings: ["not_marked"] });
    const { reason, line } = await refused(coop, options);
    expect(reason).toBe("read_only");
    expect(line).toContain(`${folderOf(coop)} is root's with mode 0755`);
    expect(line).toContain(`as root, \`coop --db ${coop.store} init --group NAME\``);
    expect(line).toContain(`sandbox write the folder ${folderOf(coop)}`);
  });

  for (const [what, file, folder, says] of [
    [
      "a file",
      0o600,
      0o755,
      /coop\.db is root's with mode 0600; as root, `coop --db \S+ init --group NAME`/,
    ],
    [
      "a folder",
      0o644,
      0o700,
      /pippa-db is root's with mode 0700; as root, `coop --db \S+ init --group NAME`/,
    ],
  ] as const) {
    test(`every command says so of ${what} that cannot be read`, async () => {
      await using coop = await storeWithLetter();
      const options = await ordinary(coop);
      await chmod(coop.store, file);
      await chmod(folderOf(coop), folder);

      for (const words of [
        ["letter", "list"],
        ["letter", "read"],
        ["todo", "add", "x"],
        ["init"],
      ]) {
        const { exit, out, json } = await coop.run(["--json", ...words], { as: "ann", ...options });
        expect({ words, exit, out }).toEqual({ words, exit: 6, out: "" });
        const { reason, message, hint } = json().error;
        expect(reason).toBe("access");
        if (words[0] !== "init") expect(`${message}; ${hint}`).toMatch(says);
      }
    });
  }

  test("one's own modes are named as what to change", async () => {
    await using coop = await storeWithLetter();
    const options = await ordinary(coop);
    await Bun.spawn(["chown", "-R", "nobody", folderOf(coop)]).exited;
    await chmod(folderOf(coop), 0o500);

    expect(await read(coop, options)).toEqual({ warnings: ["not_marked"] });
    const { line } = await refused(coop, options);
    expect(line).toContain(`${folderOf(coop)} is yours with mode 0500; change its mode (chmod)`);
  });
});

test("an older schema that cannot be brought up is said to need that, and is left as it is", async () => {
  await using coop = await storeWithLetter();
  const options = await ordinary(coop);
  const next = join(dirname(coop.home), "next");
  await build({ entry: join(import.meta.dir, "../fixtures/next.ts"), outfile: next });
  await chmod(folderOf(coop), 0o755);
  await chmod(coop.store, 0o644);

  const { exit, json } = await coop.run(["--json", "letter", "list"], {
    ...options,
    program: next,
  });

  expect(exit).toBe(6);
  const { reason, message, hint } = json().error;
  expect(reason).toBe("read_only");
  expect(message).toMatch(
    /has schema \d+, which this coop must first bring to \d+; but .* cannot be written/,
  );
  expect(hint).toContain("where it can be written");
  expect(await coop.data(["letter", "list"])).toHaveLength(1);
});

test("a group that is let in by `init --group` reads and writes, and what it leaves others can use", async () => {
  await using coop = await storeWithLetter();
  const options = await ordinary(coop);
  await coop.data(["init", "--group", "nogroup"]);

  const modes = async () =>
    (await Bun.$`stat -c '%a %G %n' ${folderOf(coop)} ${folderOf(coop)}/coop.db`.text())
      .replaceAll(`${folderOf(coop)}`, "")
      .trim();
  expect(await modes()).toBe("2770 nogroup \n660 nogroup /coop.db");
  for (let n = 0; n < 5; n++) {
    await Promise.all([
      coop.data(["todo", "add", `theirs ${n}`], { as: "site", ...options }),
      coop.data(["todo", "add", `ours ${n}`], { as: "ann" }),
    ]);
  }
  expect(await coop.data(["todo", "list"], options)).toHaveLength(10);
  expect(await coop.data(["init"])).toMatchObject({ created: false, group: "nogroup" });
  // Also where another of the group made a part of it.
  expect(await coop.data(["init", "--group", "nogroup"], options)).toMatchObject({
    created: false,
  });
  expect(await modes()).toBe("2770 nogroup \n660 nogroup /coop.db");
  // An archive is for whom the store is.
  const to = join(folderOf(coop), "coop.2026.db");
  for (const by of [{ as: "ann" }, { as: "site", ...options }]) {
    await coop.data(["queue", "push", "jobs"], by);
    const [{ ref }] = await coop.data(["queue", "take", "jobs"], by);
    await coop.data(["queue", "done", ref], by);
    expect(await coop.data(["queue", "archive", "--older", "0s", "--to", to], by)).toMatchObject({
      archived: 1,
    });
  }
});

test("who is not in the group that was let in is told to be added to it", async () => {
  await using coop = await storeWithLetter();
  const options = await ordinary(coop);
  // Of a group that nobody is in but root.
  await coop.data(["init", "--group", "root"]);
  const { exit, json } = await coop.run(["todo", "list", "--json"], options);
  expect(exit).toBe(6);
  expect(json().error.hint).toMatch(
    /^ask root to add you to the group root, which may use it; or /,
  );
  const { out } = await coop.run(["doctor", "--json"], options);
  const { checks } = JSON.parse(out).data;
  const fixes = checks.map(({ fix }: { fix: string | null }) => fix ?? "").join("; ");
  expect(fixes).toContain("add you to the group root");
  expect(fixes).not.toContain("chmod");
});

test("a group that is let in through a link gets the store's folder, and not the link's", async () => {
  await using coop = await storeWithLetter();
  const link = join(coop.home, "links/work.db");
  await mkdir(dirname(link), { mode: 0o700 });
  await symlink(coop.store, link);
  await coop.data(["init", "--group", "nogroup", "--db", link]);
  const modes = await Promise.all(
    [dirname(link), folderOf(coop), coop.store].map((path) => stat(path)),
  );
  expect(modes.map(({ mode }) => mode & 0o7777)).toEqual([0o700, 0o2770, 0o660]);
});

test("a store is made for a group; an unknown one, or a folder of other things, is a usage error", async () => {
  await using coop = await story({ init: false });
  const unknown = await coop.run(["init", "--group", "no-such-group"]);
  expect({ exit: unknown.exit, err: unknown.err }).toEqual({
    exit: 2,
    err: expect.stringContaining("this system has no group 'no-such-group'"),
  });
  expect(await Bun.file(coop.store).exists()).toBe(false);

  await coop.data(["init", "--group", "nogroup"]);
  const options = await ordinary(coop);
  await coop.data(["todo", "add", "x"], { as: "site", ...options });
  const both = ["init", "--journal", "rollback", "--group", "no-such-group"];
  expect((await coop.run(both)).exit).toBe(2);
  expect(await coop.data(["init"])).toMatchObject({ journal: "wal" });

  // What is not coop's stays as it was, also in the folder of backups, and what another folder holds.
  const backups = join(dirname(coop.store), "backups");
  expect((await stat(backups)).mode & 0o7777).toBe(0o2770);
  const key = join(backups, "id_rsa");
  await writeFile(key, "", { mode: 0o600 });
  await coop.data(["init", "--group", "nogroup"]);
  expect((await stat(key)).mode & 0o777).toBe(0o600);
  await rename(backups, join(coop.home, "elsewhere"));
  await symlink(join(coop.home, "elsewhere"), backups);
  expect(await coop.run(["init", "--group", "nogroup"])).toMatchObject({
    exit: 2,
    err: expect.stringContaining(`${backups} is a link`),
  });

  const crowded = join(coop.home, "coop.db");
  const other = await coop.run(["init", "--group", "nogroup", "--db", crowded]);
  expect({ exit: other.exit, err: other.err }).toEqual({
    exit: 2,
    err: expect.stringContaining("holds other things too, such as pippa-db"),
  });
});
