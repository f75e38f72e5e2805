import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdir, readdir, symlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { COOP } from "../binary";
import { ordinary } from "../ordinary";
import { git, story, type Story } from "../story";
import { everyVerb, examplesOf } from "../tree";

/** A text that is also a line of `push --jsonl`. */
const TEXT = '{"payload":"text"}\n';

/** What needs no store, or says so in a way of its own. */
const WITHOUT = ["init", "help", "shim", "doctor"];
const commands = (await everyVerb())
  .filter(({ words }) => !WITHOUT.includes(words[0]!))
  .map(({ words, verb }) => ({
    name: words.join(" "),
    // Asked for as JSON, which --raw excludes.
    examples: examplesOf(verb).map((example) => example.filter((word) => word !== "--raw")),
  }));

let coop: Story;
beforeEach(async () => {
  coop = await story({ init: false });
});
afterEach(() => coop[Symbol.asyncDispose]());

describe("where there is no store", () => {
  test.each(commands)("$name says so and makes nothing", async ({ examples }) => {
    // What the examples speak of, but for the store: a commit, files, an editor.
    await git(coop.folder, "init");
    await git(coop.folder, "commit", "--allow-empty", "-m", "a commit");
    const files = examples.flatMap((words) =>
      words.filter((_, at) => /^(--\w+-file|-F|--jsonl)$/.test(words[at - 1] ?? "")),
    );
    for (const file of files) await Bun.write(join(coop.folder, file), TEXT);
    const before = await readdir(coop.folder);

    for (const words of examples) {
      const { exit, out, err } = await coop.run(["--json", ...words], {
        stdin: TEXT,
        env: { PIPPA_COOP_ID: "ann", EDITOR: "printf text >" },
      });
      expect({ words, exit, out }).toEqual({ words, exit: 6, out: "" });
      const { error } = JSON.parse(err);
      expect(error).toMatchObject({ code: "unavailable", reason: "no_store" });
      const from = words.indexOf("--from") + 1;
      expect(error.message).toContain(words[0] === "copy" ? words[from]! : coop.store);
      expect(error.hint).toMatch(/mounted\?.*ask the person/);
      expect(err).not.toMatch(/\binit\b/);
    }
    expect(await readdir(coop.home)).toEqual([]);
    expect(await readdir(coop.folder)).toEqual(before);
  });

  test("a folder that is there stays empty", async () => {
    await mkdir(dirname(coop.store));
    for (const words of [["letter", "read"], ["letter", "write", "--body", "x"], ["who"]])
      expect((await coop.run(words, { as: "ann" })).exit).toBe(6);
    expect(await readdir(dirname(coop.store))).toEqual([]);
  });

  test("help and versions need none", async () => {
    for (const words of [
      [],
      ["--help"],
      ["letter"],
      ["letter", "write", "--help"],
      ["help", "exits"],
      ["--version"],
    ]) {
      const { exit, out, err } = await coop.run(words);
      expect({ exit, err }).toEqual({ exit: 0, err: "" });
      expect(out).not.toBe("");
    }
    expect(await readdir(coop.home)).toEqual([]);
  });
});

describe("what is no store is left as it is", () => {
  const there: Record<string, (path: string) => Promise<unknown>> = {
    "a folder": (path) => mkdir(path, { recursive: true }),
    "a text file": (path) =>
      Bun.write(path, "not a database, but longer than a header of one\n".repeat(99)),
    "an empty file": (path) => Bun.write(path, ""),
    "another program's database": async (path) => {
      await mkdir(dirname(path));
      const database = new Database(path, { create: true });
      database.run("create table notes (text)");
      database.run("insert into notes values ('mine')");
      database.close();
    },
  };

  test.each(Object.keys(there))("%s", async (what) => {
    await there[what]!(coop.store);
    const look = async () =>
      what === "a folder"
        ? readdir(coop.store)
        : Bun.SHA256.hash(await Bun.file(coop.store).bytes(), "hex");
    const before = await look();
    const beside = await readdir(dirname(coop.store));

    for (const words of [
      ["letter", "read"],
      ["letter", "write", "--body", "x"],
      ["letter", "list"],
      ["whoami"],
      ["init"],
      ["init", "--upgrade"],
    ]) {
      const { exit, out, err } = await coop.run(["--json", ...words], { as: "ann" });
      expect({ words, exit, out }).toEqual({ words, exit: 6, out: "" });
      const { error } = JSON.parse(err);
      expect(error).toMatchObject({ code: "unavailable", reason: "foreign" });
      expect(error.message).toContain(coop.store);
      expect(await look()).toEqual(before);
    }
    expect(await readdir(dirname(coop.store))).toEqual(beside);
  });
});

describe("a store whose backups would have names that cannot be, or are another's", () => {
  test("is not made", async () => {
    for (const [made, other] of [
      ["a.db", "a"],
      ["b", "b.db"],
    ] as const) {
      await coop.data(["init", "--db", join(coop.home, made)]);
      const { exit, err } = await coop.run(["init", "--db", join(coop.home, other)]);
      expect({ exit, err }).toEqual({
        exit: 2,
        err: expect.stringContaining(`${join(coop.home, made)} is there, and the backups of both`),
      });
    }
    const long = join(coop.home, `${"x".repeat(148)}.db`);
    const { exit, err } = await coop.run(["init", "--db", long]);
    expect({ exit, err }).toEqual({ exit: 2, err: expect.stringContaining("over 150 bytes") });
    const longest = join(coop.home, `${"x".repeat(147)}.db`);
    await coop.data(["init", "--db", longest]);
    const { file } = await coop.data(["backup", "--db", longest]);
    await coop.data(["restore", file, "--db", longest], { as: "dad" });
    expect((await readdir(coop.home)).sort()).toEqual(
      ["a.db", "b", "backups", basename(longest)].sort(),
    );
  });
});

describe("a store that is named by no absolute path", () => {
  test("is a usage error, by flag and by variable", async () => {
    for (const name of [
      "coop.db",
      "./coop.db",
      "~/coop.db",
      "",
      "mysql://host/db",
      "file:/tmp/coop.db",
    ]) {
      const { exit, err } = await coop.run(["letter", "list", `--db=${name}`]);
      expect({ name, exit }).toEqual({ name, exit: 2 });
      // A URL may hold a password, so it is not said again.
      expect(err).toContain(name.includes("://") ? "--db is a URL" : `--db is '${name}'`);
    }
    const { exit, err } = await coop.run(["letter", "list"], { env: { PIPPA_COOP_DB: "coop.db" } });
    expect({ exit, err }).toEqual({
      exit: 2,
      err: expect.stringContaining("PIPPA_COOP_DB is 'coop.db'"),
    });
    for (const words of [
      ["init", "--db", "coop.db"],
      ["init", "--db="],
    ])
      expect((await coop.run(words)).exit).toBe(2);
    expect(await readdir(coop.folder)).toEqual([]);
  });

  test("is a usage error where SQLite keeps a part of another there, and that is left alone", async () => {
    await coop.data(["init"]);
    const there = await readdir(dirname(coop.store));
    for (const suffix of ["-wal", "-shm", "-journal"]) {
      const db = coop.store + suffix;
      for (const words of [["init"], ["todo", "add", "x"], ["copy", "--from", db, "--to", db]]) {
        const flag = await coop.run([...words, "--db", db], { as: "ann" });
        expect(flag).toMatchObject({
          exit: 2,
          err: expect.stringContaining("a part of the store"),
        });
        expect((await coop.run(words, { as: "ann", env: { PIPPA_COOP_DB: db } })).exit).toBe(2);
      }
    }
    expect(await readdir(dirname(coop.store))).toEqual(there);
  });

  test("is a usage error where the home folder is relative", async () => {
    for (const words of [["letter", "list"], ["init"]]) {
      const { exit, err } = await coop.run(words, { env: { HOME: "home" } });
      expect(exit).toBe(2);
      expect(err).toContain("HOME is 'home', which is no absolute path");
    }
    expect(await readdir(coop.folder)).toEqual([]);
  });

  test("is a usage error where nobody knows the home folder", async () => {
    const { program } = await ordinary(coop);
    // An id that the system has no user of, as in a container.
    const options = { env: { HOME: "" }, user: 54321, program: program ?? COOP };
    if (process.getuid?.() !== 0) return expect(process.getuid?.()).toBeGreaterThan(0);
    const { exit, err } = await coop.run(["letter", "list"], options);
    expect({ exit, err }).toEqual({
      exit: 2,
      err: expect.stringContaining("no home folder is known"),
    });
  });

  test("is a usage error where a path of it is not valid UTF-8", async () => {
    const script = `cd "$1" && PIPPA_COOP_DB="$(printf '/x\\377.db')" "$2" init; HOME="$(printf '/x\\377')" "$2" init`;
    const { exitCode, stderr } = await Bun.$`sh -c ${script} sh ${coop.folder} ${COOP}`
      .nothrow()
      .quiet();
    const [variable, home] = stderr.toString().split("\n");
    expect(exitCode).toBe(2);
    expect(variable).toContain("PIPPA_COOP_DB holds U+FFFD, or is not valid UTF-8");
    expect(home).toContain("HOME/pippa-db/coop.db holds U+FFFD, or is not valid UTF-8");
  });

  test("leads nowhere as a link to itself", async () => {
    const loop = join(coop.folder, "loop.db");
    await symlink(loop, loop);
    const { exit, err } = await coop.run(["letter", "list", "--db", loop]);
    expect({ exit, err }).toEqual({
      exit: 6,
      err: expect.stringContaining(`no store at ${loop}: it is a link to ${loop}`),
    });
  });

  test("an empty variable counts as unset", async () => {
    const { exit, err } = await coop.run(["letter", "list"], { env: { PIPPA_COOP_DB: "" } });
    expect(exit).toBe(6);
    expect(err).toContain(coop.store);
  });
});
