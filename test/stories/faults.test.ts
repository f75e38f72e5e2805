import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { mkdir, readdir, truncate, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { command as system } from "../mounts";
import { story, type Story } from "../story";

const integrityOf = (path: string) => {
  const database = new Database(path);
  const [answer] = database.query<{ integrity_check: string }, []>("pragma integrity_check").all();
  database.close();
  return answer!.integrity_check;
};

/** How large the pages of a store are, how many it has, and the numbers of those with anything but its schema. */
function pagesOf(path: string): { size: number; count: number; ofRecords: number[] } {
  using store = new Database(path, { readonly: true });
  const number = (query: string) => store.query(query).values()[0]![0] as number;
  const pages = store.query("select pageno from dbstat where name <> 'sqlite_schema'").values();
  return {
    size: number("pragma page_size"),
    count: number("pragma page_count"),
    ofRecords: pages.map(([page]) => page as number),
  };
}

const errorOf = async (coop: Story, words: string[], env: Record<string, string> = {}) => {
  const outcome = await coop.run(["--json", ...words], { as: "ann", env });
  expect(outcome.out).toBe("");
  return { exit: outcome.exit, ...outcome.json().error };
};

test("a disk with no room for another file is full, whatever SQLite says of it", async () => {
  await using coop = await story();
  const disk = join(coop.folder, "disk");
  await mkdir(disk);
  await system("mount", "-t", "tmpfs", "-o", "nr_inodes=4", "none", disk);
  try {
    const store = join(disk, "coop.db");
    await coop.data(["init", "--db", store]);
    for (const name of ["one", "two"]) await writeFile(join(disk, name), "");
    for (const words of [
      ["todo", "add", "x"],
      ["init", "--db", join(disk, "other.db")],
    ])
      expect(await errorOf(coop, words, { PIPPA_COOP_DB: store })).toMatchObject({
        exit: 6,
        reason: "full",
        hint: expect.stringContaining("free some space"),
      });
  } finally {
    await system("umount", "--lazy", disk);
  }
});

describe("a locked store", () => {
  test("is busy after the wait that was asked for, and nothing is written", async () => {
    await using coop = await story();
    using holder = new Database(coop.store);
    holder.run("begin immediate");

    const refused = await errorOf(coop, ["--wait", "0.2", "todo", "add", "late"]);

    expect(refused).toMatchObject({
      exit: 7,
      code: "busy",
      message: expect.stringContaining("0.2 s"),
    });
    holder.run("rollback");
    expect(await coop.data(["todo", "list", "--status", "all"])).toEqual([]);
  });

  test("can be read all the same, and letters are shown unmarked", async () => {
    await using coop = await story();
    await coop.data(["letter", "write", "--body", "hello"], { as: "ann" });
    using holder = new Database(coop.store);
    holder.run("begin immediate");

    const read = await coop.run(["--json", "--wait", "0.1", "letter", "read"], { as: "ann" });

    expect(read.exit).toBe(0);
    expect(read.json()).toMatchObject({
      data: [{ body: "hello", marked: false }],
      warnings: [{ code: "not_marked" }],
    });
  });

  test("is written as soon as it is free", async () => {
    await using coop = await story();
    using holder = new Database(coop.store);
    holder.run("begin immediate");
    expect((await coop.run(["--wait", "0", "todo", "add", "x"], { as: "ann" })).exit).toBe(7);
    const waiting = coop.data(["todo", "add", "patient"], { as: "ann" });
    await Bun.sleep(300);
    holder.run("rollback");
    expect(await waiting).toMatchObject({ ref: "T1" });
  });
});

describe("a full disk", () => {
  test("keeps init from leaving half of a store, however full it is", async () => {
    await using coop = await story({ init: false });
    const disk = join(coop.home, "disk");
    await mkdir(disk);
    const db = { PIPPA_COOP_DB: join(disk, "pippa-db/coop.db") };
    for (let room = 40; room <= 440; room += 40) {
      await system("mount", "-t", "tmpfs", "-o", `size=${room}k`, "tmpfs", disk);
      try {
        const made = await coop.run(["--json", "init"], { env: db });
        if (made.exit !== 0) {
          expect(made.json().error).toMatchObject({ reason: "full" });
          await command("mount", "-o", "remount,size=8m", disk);
          expect(await coop.data(["init"], { env: db })).toMatchObject({ created: true });
        }
        expect(await readdir(dirname(db.PIPPA_COOP_DB))).toEqual(["coop.db"]);
        expect(integrityOf(db.PIPPA_COOP_DB)).toBe("ok");
      } finally {
        await command("umount", disk);
      }
    }
  });

  test("refuses the write with exit 6, loses nothing, and takes the repeat once there is room", async () => {
    await using coop = await story({ init: false });
    const disk = join(coop.home, "disk");
    await mkdir(disk);
    await system("mount", "-t", "tmpfs", "-o", "size=1536k", "tmpfs", disk);
    try {
      const db = { PIPPA_COOP_DB: join(disk, "coop.db") };
      await coop.data(["init"], { env: db });
      await coop.data(["letter", "write", "--body", "before"], { as: "ann", env: db });

      const large = ["letter", "write", "--key", "k", "--body-file", join(coop.home, "large")];
      await writeFile(join(coop.home, "large"), "x".repeat(2_000_000));
      const refused = await errorOf(coop, large, db);

      expect(refused).toMatchObject({ exit: 6, code: "unavailable", reason: "full" });
      expect(await coop.data(["letter", "list"], { env: db })).toMatchObject([
        { ref: "L1", body: "before" },
      ]);
      await command("mount", "-o", "remount,size=32m", disk);
      expect(await coop.data(large, { as: "ann", env: db })).toMatchObject({ ref: "L2" });
      expect(integrityOf(db.PIPPA_COOP_DB)).toBe("ok");
    } finally {
      await command("umount", disk);
    }
  });
});

describe("a damaged store", () => {
  test("with a page of garbage is reported as damaged", async () => {
    await using coop = await story();
    for (let n = 0; n < 20; n++)
      await coop.data(["letter", "write", "--body", "x".repeat(3000)], { as: "ann" });
    const bytes = await Bun.file(coop.store).bytes();
    // All but the header and the schema: whatever the command reads is garbage.
    const { size, ofRecords } = pagesOf(coop.store);
    expect(ofRecords.length).toBeGreaterThan(40);
    for (const page of ofRecords) bytes.fill(0xa5, (page - 1) * size, page * size);
    await writeFile(coop.store, bytes);

    const refused = await errorOf(coop, ["letter", "list", "--all-scopes"]);

    expect(refused).toMatchObject({ exit: 6, code: "unavailable", reason: "damaged" });
  });

  test("that was cut short is reported as damaged", async () => {
    await using coop = await story();
    for (let n = 0; n < 20; n++)
      await coop.data(["letter", "write", "--body", "x".repeat(3000)], { as: "ann" });
    const { size, count } = pagesOf(coop.store);
    await truncate(coop.store, size * Math.floor(count / 2));
    const refused = await errorOf(coop, ["letter", "list", "--all-scopes"]);
    expect(refused).toMatchObject({ exit: 6, code: "unavailable", reason: "damaged" });
  });
});

describe("a reader that closes the pipe", () => {
  test.each(["letter list", "letter show L1 --raw"])("is no failure: coop %s", async (line) => {
    const words = line.split(" ");
    await using coop = await story();
    await coop.data(["letter", "write", "--body", "-"], {
      as: "ann",
      stdin: "long line\n".repeat(100_000),
    });
    const script = `"$0" "$@" | head -c 1 >/dev/null; echo "\${PIPESTATUS[0]}"`;
    const { COOP } = await import("../binary");
    const json = words.includes("list") ? ["--json"] : [];
    const run = await coop.run(["-c", script, COOP, ...words, ...json], { program: "bash" });
    expect({ out: run.out, err: run.err }).toEqual({ out: "0\n", err: "" });
  });
});

async function command(...words: string[]): Promise<void> {
  const child = Bun.spawn(words, { stdout: "inherit", stderr: "pipe" });
  const talk = await new Response(child.stderr).text();
  if ((await child.exited) !== 0) throw new Error(`${words.join(" ")} (needs root): ${talk}`);
}
