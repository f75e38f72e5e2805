import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmod, mkdir, readdir, rm, statfs, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { COOP } from "../binary";
import { SPECIAL } from "../special";
import { story, times, type RunOptions, type Story } from "../story";

let coop: Story;
let file: string;
beforeEach(async () => {
  coop = await story();
  file = join(coop.home, "archive.db");
});
afterEach(() => coop[Symbol.asyncDispose]());

const ann = (line: string) => coop.data(line.split(" "), { as: "ann" });
const archive = (more = "", to = file) =>
  ann(`queue archive --older 0s --to ${to}${more && ` ${more}`}`);

/** Pushes items and finishes them with a reply. */
async function finished(count: number, queue = "jobs"): Promise<string[]> {
  const refs: string[] = [];
  for (let n = 0; n < count; n++) {
    const { ref } = await ann(`queue push ${queue} payload-${n}`);
    await ann(`queue take ${ref}`);
    await ann(`queue done ${ref} --reply reply-${n}`);
    refs.push(ref);
  }
  return refs;
}

const all = (path: string, statement: string) => {
  using database = new Database(path);
  return database.query(statement).all();
};

const ITEMS = "select * from queue_items order by number";
const REPLIES = "select item, at, author, body from replies order by item, id";
const EVENTS = `select at, author, host, pid, folder, surface, number, verb, version, state, before, after
  from events where surface = 'queue' order by number, id`;

const contentOf = (path: string) =>
  [ITEMS, REPLIES, EVENTS].map((statement) => all(path, statement));
const soundness = (path: string) => [
  ...all(path, "pragma integrity_check"),
  ...all(path, "pragma foreign_key_check"),
];
const SOUND = [{ integrity_check: "ok" }];

const refusal = async (words: string[], options: RunOptions = { as: "ann" }) => {
  const outcome = await coop.run(["--json", "queue", "archive", ...words], options);
  expect(outcome.out).toBe("");
  return { exit: outcome.exit, ...outcome.json().error };
};

test("of two stores that archive into one new file at once one does, and its items are in it", async () => {
  await using other = await story();
  const theirs = (...words: string[]) => other.data(["queue", ...words], { as: "ben" });
  for (let round = 0; round < 8; round++) {
    const to = join(coop.home, `round-${round}.db`);
    const [ref] = await finished(1);
    const { ref: their } = await theirs("push", "jobs");
    await theirs("drop", their);
    const words = ["queue", "archive", "--older", "0s", "--to", to];
    const outcomes = await Promise.all([
      coop.run(words, { as: "ann" }),
      other.run(words, { as: "ben" }),
    ]);
    expect(outcomes.map(({ exit }) => exit).sort()).toEqual([0, 6]);
    const inIt = outcomes[0].exit === 0 ? ref : their;
    expect(all(to, "select 'Q' || number as ref from queue_items")).toContainEqual({
      ref: inIt,
    });
  }
});

describe("an archive", () => {
  test("has whole what has left the store: items, replies and events", async () => {
    await finished(3);
    const before = contentOf(coop.store);

    const moved = await archive();

    expect(moved).toEqual({
      archived: 3,
      events: 9,
      to: file,
      queues: { jobs: 3 },
      kept: 0,
      left: 0,
    });
    expect(contentOf(file)).toEqual(before);
    expect(contentOf(coop.store)).toEqual([[], [], []]);
    for (const path of [file, coop.store]) expect(soundness(path)).toEqual(SOUND);
    expect((await readdir(coop.home)).sort()).toEqual(["archive.db", "pippa-db"]);
    expect(all(file, "pragma journal_mode")).toEqual([{ journal_mode: "delete" }]);
    const { mode } = await Bun.file(file).stat();
    expect(mode & 0o777).toBe(0o600);
  });

  test("is logged by one event of the store", async () => {
    await finished(2);
    await archive();
    const { events } = await coop.data(["log"]);
    expect(events).toMatchObject([
      { ref: "store", verb: "archive", author: "ann", after: { to: file, items: 2, events: 6 } },
    ]);
    const { out } = await coop.run(["log"]);
    expect(out).toContain(`store archive 0s ann: to ${file}`);
  });

  test("is read as a store", async () => {
    const [ref] = await finished(1);
    await archive();
    expect((await coop.run(["queue", "show", ref!])).exit).toBe(3);
    expect(await coop.data(["--db", file, "queue", "show", ref!])).toMatchObject({
      state: "done",
      payload: "payload-0",
      replies: [{ body: "reply-0" }],
    });
    expect((await coop.data(["--db", file, "log", ref!])).events).toHaveLength(3);
  });

  test.each(["--snapshot-every 5m", "--journal wal"])(
    "is not changed by init %s",
    async (flags) => {
      await finished(1);
      await archive();
      const bytes = await Bun.file(file).bytes();
      const { exit, json } = await coop.run(["--json", "init", "--db", file, ...flags.split(" ")]);
      expect({ exit, ...json().error }).toMatchObject({ exit: 4, reason: "state" });
      expect((await coop.run(["init", "--db", file])).exit).toBe(0);
      expect(await Bun.file(file).bytes()).toEqual(bytes);
    },
  );

  test("is named by a command that can be typed as it is, whatever the names of folders", async () => {
    const [ref] = await finished(1);
    const to = join(coop.home, "it's here/archive.db");
    await mkdir(dirname(to));
    await coop.data(["queue", "archive", "--older", "0s", "--to", to], { as: "ann" });
    const { hint } = (await coop.run(["--json", "queue", "show", ref!])).json().error;
    const shell = Bun.spawnSync(["sh", "-c", hint.replace(/^coop/, COOP)], {
      env: { HOME: coop.home },
    });
    expect(shell.stdout.toString()).toContain("payload-0");
  });

  test("takes more of the same store, and no number is given again", async () => {
    await finished(2);
    await archive();
    expect(await finished(2)).toEqual(["Q3", "Q4"]);
    await archive();
    expect(await coop.data(["--db", file, "queue", "list", "--status", "all"])).toMatchObject([
      { ref: "Q4" },
      { ref: "Q3" },
      { ref: "Q2" },
      { ref: "Q1" },
    ]);
    const ids = all(coop.store, "select id from events order by id").map(
      (row) => (row as { id: number }).id,
    );
    expect(ids).toEqual([7, 14]);
    expect(soundness(file)).toEqual(SOUND);
  });

  test("takes only what is finished for so long, of the queue that is named", async () => {
    await finished(1);
    await finished(1, "other");
    await ann("queue push jobs waiting");
    await ann("queue push jobs taken");
    await ann("queue take Q4");
    await ann("queue push jobs dropped");
    await ann("queue drop Q5");
    expect(await ann(`queue archive --older 1h --to ${file}`)).toMatchObject({
      archived: 0,
      events: 0,
    });
    expect(await Bun.file(file).exists()).toBe(false);
    expect(await archive("jobs")).toMatchObject({ archived: 2, queues: { jobs: 2 } });
    const left = await coop.data(["queue", "list", "--status", "all"]);
    expect(left.map(({ ref }: { ref: string }) => ref)).toEqual(["Q4", "Q3", "Q2"]);
  });

  test("takes only items of the scope that is named with the command", async () => {
    await ann("queue push jobs x --scope one");
    await ann("queue push jobs x --scope two");
    await ann("queue drop Q1");
    await ann("queue drop Q2");
    expect(await archive("--scope two")).toMatchObject({ archived: 1 });
    expect(await coop.data(["queue", "list", "--status", "all"])).toMatchObject([{ ref: "Q1" }]);
  });

  test("takes a push to several whole, or leaves it whole", async () => {
    await ann("queue push asks question --to ann,ben");
    await ann("queue take Q1");
    await ann("queue done Q1 --reply yes");
    expect(await archive()).toMatchObject({ archived: 0, kept: 1 });
    expect(await coop.data(["queue", "replies", "F1"])).toHaveLength(2);
    await ann("queue drop Q2");
    expect(await archive()).toMatchObject({ archived: 2, kept: 0 });
    expect(await coop.data(["--db", file, "queue", "replies", "F1"])).toHaveLength(2);
  });

  test("takes items that are about each other together, however long the chain", async () => {
    await finished(1);
    for (let n = 1; n < 5; n++) await ann(`queue push on-${n} x --re Q${n}`);
    for (const ref of ["Q2", "Q3", "Q4"]) await ann(`queue drop ${ref}`);
    await finished(1, "alone");
    expect(await archive()).toMatchObject({ archived: 1, queues: { alone: 1 }, kept: 4 });
    // One of them is in the queue that is named, the others are not.
    await ann("queue drop Q5");
    expect(await archive("on-1")).toMatchObject({ archived: 0, kept: 1 });
    expect(await archive()).toMatchObject({ archived: 5, kept: 0 });
    for (const path of [file, coop.store]) expect(soundness(path)).toEqual(SOUND);
  });

  test("takes no more at once than it may, the oldest first, and says how many are left", async () => {
    await finished(5);
    const run = await coop.run(
      ["queue", "archive", "--older", "0s", "--to", file, "--limit", "2"],
      { as: "ann" },
    );
    expect(run).toMatchObject({
      exit: 0,
      out: `archived 2 items and 6 events into ${file}: jobs 2\n3 more: repeat the command\n`,
    });
    const quiet = await coop.run(
      ["--quiet", "queue", "archive", "--older", "0s", "--to", file, "--limit", "2"],
      { as: "ann" },
    );
    expect(quiet).toMatchObject({ exit: 0, out: "", err: "coop: 1 more: repeat the command\n" });
    expect(await archive("--limit 0")).toMatchObject({ archived: 1, left: 0 });
  });

  test("with a key says that it takes another to go on, and nothing of that when it is repeated", async () => {
    await finished(3);
    const words = `queue archive --older 0s --to ${file} --limit 2 --key k`.split(" ");
    const first = await coop.run(words, { as: "ann" });
    expect(first.out).toEndWith("\n1 more: repeat the command with another --key\n");
    const again = await coop.run(words, { as: "ann" });
    expect(again.out).toMatch(/^archived 2 items .*\n\(done before with this key; .*\)\n$/);
  });

  test("keeps many, with long payloads, of every kind of text", async () => {
    const lines = Array.from({ length: 250 }, (_, n) =>
      JSON.stringify({ payload: `"${"락스\r\n\u200b\\".repeat(n * 20)}`, priority: n % 5 }),
    );
    await coop.data(["queue", "push", "jobs", "--jsonl", "-"], {
      as: "ann",
      stdin: lines.join("\n"),
    });
    using database = new Database(coop.store);
    database.run("update queue_items set state = 'done'");
    const before = contentOf(coop.store);
    expect(await archive()).toMatchObject({ archived: 250, events: 250 });
    expect(contentOf(file)).toEqual(before);
  });

  test("is done once with a key", async () => {
    await finished(1);
    const first = await archive("--key once");
    await finished(1);
    expect(await archive("--key once")).toEqual(first);
    expect(await coop.data(["queue", "list", "--status", "all"])).toHaveLength(1);
  });
});

describe("a command that ended before the items had left the store", () => {
  /** The store as it was before a command, with the archive that the command wrote. */
  async function inBoth(work: () => Promise<unknown>): Promise<void> {
    const bytes = await Bun.file(coop.store).bytes();
    await work();
    await writeFile(coop.store, bytes);
  }

  test("is taken up by the next one", async () => {
    await finished(3);
    const before = contentOf(coop.store);
    await inBoth(() => archive("--limit 2"));
    expect(contentOf(coop.store)).toEqual(before);
    expect(await archive()).toMatchObject({ archived: 3, events: 9 });
    expect(contentOf(file)).toEqual(before);
    expect(contentOf(coop.store)).toEqual([[], [], []]);
  });

  test("leaves older versions in the archive, which the next one brings up to what the store has", async () => {
    await finished(2);
    await inBoth(() => archive());
    await ann("queue reopen Q1");
    await ann("queue take Q1");
    await ann("queue done Q1 --reply better");
    const before = contentOf(coop.store);
    expect(await archive()).toMatchObject({ archived: 2 });
    expect(contentOf(file)).toEqual(before);
  });

  test("does not let the next one replace what is not older", async () => {
    await finished(1);
    await inBoth(() => archive());
    await ann("queue reopen Q1");
    await ann("queue drop Q1");
    const items = contentOf(coop.store);
    await inBoth(() => archive());
    using database = new Database(coop.store);
    database.run("update queue_items set note = 'another', version = 5");
    const refused = await refusal(["--older", "0s", "--to", file]);
    expect(refused).toMatchObject({ exit: 4, reason: "version", ref: "Q1" });
    expect(contentOf(file)).toEqual(items);
    expect(await coop.data(["queue", "list", "--status", "all"])).toHaveLength(1);
    expect(await archive("", join(coop.home, "other.db"))).toMatchObject({ archived: 1 });
  });

  test("does not let a store that was restored from the same one replace another item of the number", async () => {
    const kept = join(coop.home, "kept.db");
    await coop.data(["backup", "--to", kept]);
    const other = join(coop.home, "other/coop.db");
    await coop.data(["init", "--db", other]);
    await coop.data(["restore", kept, "--db", other], { as: "ann" });
    const lines = Array.from({ length: 1001 }, () => JSON.stringify({ payload: "ours" }));
    await coop.data(["queue", "push", "jobs", "--jsonl", "-"], {
      as: "ann",
      stdin: lines.join("\n"),
    });
    const { ref } = await ann(`queue push jobs theirs --db ${other}`);
    for (const verb of ["drop", "reopen", "drop"]) await ann(`queue ${verb} ${ref} --db ${other}`);
    await ann(`queue drop ${ref}`);
    await archive();
    const before = contentOf(file);
    const words = ["--older", "0s", "--to", file, "--db", other];
    expect(await refusal(words)).toMatchObject({ exit: 4, reason: "version", ref });
    expect(contentOf(file)).toEqual(before);
  });

  test("does not let a store that was restored replace what it went on with before", async () => {
    await finished(1);
    const kept = join(coop.home, "kept.db");
    await coop.data(["backup", "--to", kept]);
    const again = async (...replies: string[]) => {
      for (const verb of ["reopen", "take"]) await ann(`queue ${verb} Q1`);
      for (const reply of replies) await ann(`queue reply Q1 ${reply}`);
      await ann("queue done Q1");
    };
    await again("second");
    await archive();
    const before = contentOf(file);
    await coop.data(["restore", kept], { as: "ann" });
    await again("third", "fourth");
    expect(await refusal(["--older", "0s", "--to", file])).toMatchObject({
      exit: 4,
      reason: "version",
      ref: "Q1",
    });
    expect(contentOf(file)).toEqual(before);
  });

  test("loses nothing wherever it is killed", async () => {
    const lines = Array.from({ length: 400 }, (_, n) =>
      JSON.stringify({ payload: `${n} ${"x".repeat(2000)}` }),
    );
    await coop.data(["queue", "push", "jobs", "--jsonl", "-"], {
      as: "ann",
      stdin: lines.join("\n"),
    });
    {
      using database = new Database(coop.store);
      database.run("update queue_items set state = 'done'");
    }
    const before = contentOf(coop.store);
    const inArchive = () => {
      const tables = Bun.file(file).size > 0 ? all(file, "select name from sqlite_schema") : [];
      return tables.length > 0 ? all(file, ITEMS) : [];
    };
    const both = () => {
      const items = [...inArchive(), ...all(coop.store, ITEMS)] as { number: number }[];
      return [...new Map(items.map((item) => [item.number, item])).values()].sort(
        (one, other) => one.number - other.number,
      );
    };
    let left = 400;
    for (let round = 0; left > 0 && round < 30; round++) {
      const words = [
        "--as",
        "ann",
        "queue",
        "archive",
        "--older",
        "0s",
        "--to",
        file,
        "--limit",
        "50",
      ];
      const child = Bun.spawn([COOP, ...words], {
        cwd: coop.folder,
        env: { HOME: coop.home },
        stdio: ["ignore", "ignore", "ignore"],
      });
      await Bun.sleep(10 + 6 * round);
      child.kill("SIGKILL");
      await child.exited;
      expect(soundness(coop.store)).toEqual(SOUND);
      left = all(coop.store, ITEMS).length;
      if (left < 400) expect(soundness(file)).toEqual(SOUND);
      expect(both()).toEqual(before[0] as ReturnType<typeof both>);
    }
    if (left > 0) await archive("--limit 0");
    expect(contentOf(file)).toEqual(before);
  }, 60_000);
});

test("what was redacted since is in no byte of the archive that is written again", async () => {
  const secret = "hunter2-correct-horse";
  const long = (bytes: number) => `${secret} `.repeat(bytes / secret.length);
  for (let n = 1; n <= 6; n++) {
    await coop.data(["queue", "push", "jobs", long(30_000)], { as: "ann" });
    await coop.data(["queue", "drop", `Q${n}`, "--reason", long(2000)], { as: "ann" });
  }
  const kept = join(coop.home, "kept.db");
  await coop.data(["backup", "--to", kept]);
  await archive();
  const holds = async () => Buffer.from(await Bun.file(file).bytes()).includes(secret);
  expect(await holds()).toBe(true);
  await coop.data(["restore", kept], { as: "ann" });
  for (let n = 1; n <= 6; n++) await ann(`redact Q${n}`);
  expect(await archive()).toMatchObject({ archived: 6 });
  expect(await holds()).toBe(false);
});

test("many at once move each item once, while others push and take", async () => {
  await finished(10);
  const outcomes = await times(12, (n) =>
    n % 2 === 0
      ? coop.run(["--json", "queue", "archive", "--older", "0s", "--to", file, "--limit", "3"], {
          as: "ann",
        })
      : coop.run(["--json", "queue", "push", "jobs", `new ${n}`], { as: "ann" }),
  );
  expect(outcomes.map(({ exit }) => exit)).toEqual(outcomes.map(() => 0));
  const moved = outcomes.flatMap(({ json }) => json().data.archived ?? []);
  expect(moved.reduce((sum, each) => sum + each, 0)).toBe(10);
  expect(all(file, ITEMS)).toHaveLength(10);
  expect(await coop.data(["queue", "list"])).toHaveLength(6);
});

test("nothing leaves the store for an archive that does not give back what was written into it", async () => {
  await finished(1);
  await archive();
  const [ref] = await finished(1);
  const before = contentOf(coop.store);
  using broken = new Database(file);
  broken.run(`create trigger broken after insert on queue_items
    begin update queue_items set payload = 'other' where number = new.number; end`);
  broken.close();

  expect(await refusal(["--older", "0s", "--to", file])).toMatchObject({
    exit: 6,
    reason: "damaged",
    message: `${file} does not give back what was written into it`,
  });
  expect(contentOf(coop.store)).toEqual(before);
  expect(await coop.data(["queue", "show", ref!])).toMatchObject({ payload: "payload-0" });
});

test("the log of one who wrote goes on before an event that was archived, and who says when they wrote last", async () => {
  await ann("todo add first");
  const { ref } = await ann("queue push jobs x");
  await ann(`queue drop ${ref}`);
  await archive();
  const { events } = await coop.data(["log", "--by", "ann"]);
  expect(events.map(({ id, verb }: { id: number; verb: string }) => [id, verb])).toEqual([
    [4, "archive"],
    [1, "add"],
  ]);
  const before = await coop.data(["log", "--by", "ann", "--before", "3"]);
  expect(before.events).toMatchObject([{ id: 1, verb: "add" }]);
  expect((await coop.data(["who", "ann"])).ids).toMatchObject([{ last_seen_at: events[0].at }]);
});

test("an archive is not copied into a store of its own, of which it holds but the queue items", async () => {
  await finished(1);
  await archive();
  const young = join(coop.home, "young.db");
  await coop.data(["init", "--db", young]);
  const copy = await coop.run(["--json", "copy", "--from", file, "--to", young]);
  expect({ exit: copy.exit, ...copy.json().error }).toMatchObject({
    exit: 6,
    reason: "foreign",
    message: `${file} is an archive of queue items, not a whole store`,
  });
  await coop.data(["todo", "add", "x", "--db", young], { as: "ann" });
});

describe("a command that cannot archive", () => {
  test("says so also where nothing is to be moved yet, and makes nothing", async () => {
    await Bun.write(join(coop.home, "notes.txt"), "mine");
    const words = (to: string) => ["--older", "90d", "--to", to];
    for (const folder of ["/nope", join(coop.home, "notes.txt")])
      expect(await refusal(words(`${folder}/archive.db`))).toMatchObject({
        exit: 6,
        reason: "access",
        message: `there is no folder ${folder}`,
        hint: expect.stringContaining("is the disk mounted?"),
      });
    expect(await refusal(words(join(coop.home, "notes.txt")))).toMatchObject({
      exit: 6,
      reason: "foreign",
    });
    expect(await refusal(words(coop.home))).toMatchObject({ exit: 2 });
    expect(await ann(`queue archive --older 90d --to ${file}`)).toMatchObject({ archived: 0 });
    expect(await Bun.file(file).exists()).toBe(false);
    await Bun.write(file, "");
    expect(await ann(`queue archive --older 90d --to ${file}`)).toMatchObject({ archived: 0 });
    expect(Bun.file(file).size).toBe(0);
  });

  let before: unknown;
  beforeEach(async () => {
    await finished(2);
    before = contentOf(coop.store);
  });
  afterEach(() => expect(contentOf(coop.store)).toEqual(before as unknown[][]));

  test("refuses the store itself, a folder, and a folder that is not there", async () => {
    const to = (path: string) => refusal(["--older", "0s", "--to", path]);
    expect(await to(coop.store)).toMatchObject({
      exit: 2,
      message: `${coop.store} is the store itself`,
    });
    expect(await to(coop.home)).toMatchObject({ exit: 2, message: `${coop.home} is a folder` });
    expect(await to(join(coop.home, "nowhere/a.db"))).toMatchObject({ exit: 6, reason: "access" });
    expect(await to(`${file}-wal`)).toMatchObject({ exit: 2 });
    expect(await to("")).toMatchObject({ exit: 2 });
    expect(await to(`${file}/`)).toMatchObject({
      exit: 2,
      message: expect.stringContaining("a file, not a folder"),
    });
    expect(await readdir(coop.home)).toEqual(["pippa-db"]);
  });

  test.each(["nowhere", "link"])("refuses a link that leads to %s", async (target) => {
    const link = join(coop.home, "link");
    await symlink(join(coop.home, target), link);
    expect(await refusal(["--older", "0s", "--to", link])).toMatchObject({
      exit: 6,
      reason: "access",
    });
  });

  test.each(Object.keys(SPECIAL))("refuses %s, without opening it", async (kind) => {
    const path = SPECIAL[kind]!(coop.home);
    expect(await refusal(["--older", "0s", "--to", path])).toMatchObject({
      exit: 2,
      message: `${path} is no regular file`,
    });
  });

  test("refuses any file but an archive of this store, and leaves it as it is", async () => {
    const refused = async () => {
      const bytes = await Bun.file(file).bytes();
      expect(await refusal(["--older", "0s", "--to", file])).toMatchObject({
        exit: 6,
        reason: "foreign",
        message: `${file} is not an archive of this store`,
      });
      expect(await Bun.file(file).bytes()).toEqual(bytes);
      await Bun.file(file).delete();
    };
    await writeFile(file, "no database\n".repeat(500));
    await refused();
    all(file, "create table notes (text)");
    await refused();
    await coop.data(["backup", "--to", file]);
    await refused();
    await using other = await story();
    await other.data(["queue", "push", "jobs", "x"], { as: "ann" });
    await other.data(["queue", "drop", "Q1"], { as: "ann" });
    await other.data(["queue", "archive", "--older", "0s", "--to", file], { as: "ann" });
    await refused();
  });

  test("refuses a backup of an archive, which the next backup replaces", async () => {
    await archive("--limit 1");
    before = contentOf(coop.store);
    const copy = join(coop.home, "copy.db");
    await coop.data(["backup", "--db", file, "--to", copy]);
    const bytes = await Bun.file(copy).bytes();
    expect(await refusal(["--older", "0s", "--to", copy])).toMatchObject({
      exit: 4,
      reason: "state",
      message: `${copy} is a backup of an archive: it is only for reading`,
    });
    expect(await Bun.file(copy).bytes()).toEqual(bytes);
  });

  test("refuses an archive of a newer coop, and one that is damaged", async () => {
    await archive("--limit 1");
    before = contentOf(coop.store);
    all(file, "pragma user_version = 99");
    expect(await refusal(["--older", "0s", "--to", file])).toMatchObject({
      exit: 6,
      reason: "newer",
    });
    all(file, "pragma user_version = 6");
    const bytes = await Bun.file(file).bytes();
    await writeFile(file, bytes.fill(0xa5, 4096));
    expect(await refusal(["--older", "0s", "--to", file])).toMatchObject({
      exit: 6,
      reason: "damaged",
    });
  });

  test("refuses one of which any page is damaged, and the store keeps all", async () => {
    await archive("--limit 1");
    before = contentOf(coop.store);
    const [{ rootpage, page_size: size }] = all(
      file,
      "select rootpage, page_size from sqlite_schema, pragma_page_size where name = 'queue_re'",
    ) as [{ rootpage: number; page_size: number }];
    const bytes = await Bun.file(file).bytes();
    await writeFile(file, bytes.fill(0xa5, (rootpage - 1) * size, rootpage * size));
    expect(await refusal(["--older", "0s", "--to", file])).toMatchObject({
      exit: 6,
      reason: "damaged",
    });
  });

  test("refuses what is wrong in the command", async () => {
    expect(await refusal(["--to", file])).toMatchObject({
      exit: 2,
      message: expect.stringContaining("--older"),
    });
    expect(await refusal(["--older", "90d"])).toMatchObject({
      exit: 2,
      message: expect.stringContaining("--to"),
    });
    expect(await refusal(["--older", "soon", "--to", file])).toMatchObject({
      exit: 2,
      message: "--older: 'soon' is not a length of time of up to six digits",
    });
    expect(await refusal(["--older", "0s", "--to", file, "--limit", "-1x"])).toMatchObject({
      exit: 2,
    });
    expect(await refusal(["--older", "0s", "--to", file], {})).toMatchObject({ exit: 2 });
    expect(await refusal(["Q1", "--older", "0s", "--to", file])).toMatchObject({ exit: 2 });
  });

  test("is busy after the wait", async () => {
    using holder = new Database(coop.store);
    holder.run("begin immediate");
    expect(await refusal(["--older", "0s", "--to", file, "--wait", "0.2"])).toMatchObject({
      exit: 7,
    });
    holder.run("rollback");
  });

  test("may not write there", async () => {
    for (const path of [dirname(coop.home), coop.home, coop.folder]) await chmod(path, 0o755);
    const { exited } = Bun.spawn(["chown", "-R", "65534", dirname(coop.store)]);
    expect(await exited).toBe(0);
    expect(
      await refusal(["--older", "0s", "--to", file], { as: "ann", user: 65534 }),
    ).toMatchObject({
      exit: 6,
      reason: "access",
    });
  });

  test("says what the archive has too where the store's own disk is full", async () => {
    const disk = join(coop.home, "disk");
    await mkdir(disk);
    await command("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk);
    try {
      const env = { PIPPA_COOP_DB: join(disk, "coop.db") };
      await coop.data(["init", "--snapshot-every", "0"], { env });
      const lines = Array.from({ length: 8 }, (_, n) =>
        JSON.stringify({ payload: `${n} ${"x".repeat(3000)}` }),
      );
      const push = ["queue", "push", "jobs", "--jsonl", "-"];
      await coop.data(push, { as: "ann", env, stdin: lines.join("\n") });
      for (let n = 1; n <= 8; n++) await coop.data(["queue", "drop", `Q${n}`], { as: "ann", env });
      const move = ["--older", "0s", "--to", file];
      const filler = join(disk, "filler");
      const { bavail, bsize } = await statfs(disk);
      let told: { exit: number; reason?: string; message?: string } = { exit: 0 };
      // How much room it needs until it is in the archive, and no more, is SQLite's affair.
      for (let room = 24; room <= 200 && !told.message?.includes(" too, "); room += 4) {
        await writeFile(filler, Buffer.alloc(bavail * bsize - room * 1024));
        told = await refusal(move, { as: "ann", env });
        await rm(filler);
      }
      expect(told).toMatchObject({
        exit: 6,
        reason: "full",
        message: expect.stringContaining(`is in ${file} too, until the command is repeated`),
      });
      expect(await coop.data(["queue", "list", "--status", "all"], { env })).toHaveLength(8);
      expect(contentOf(file)[0]).toHaveLength(8);
      const done = await coop.data(["queue", "archive", ...move], { as: "ann", env });
      expect(done).toMatchObject({ archived: 8 });
    } finally {
      await command("umount", disk);
    }
    before = contentOf(coop.store);
    await rm(file);
  });

  test("meets a full disk, and goes on when there is room", async () => {
    const disk = join(coop.home, "disk");
    await mkdir(disk);
    await command("mount", "-t", "tmpfs", "-o", "size=320k", "tmpfs", disk);
    try {
      const to = join(disk, "archive.db");
      await coop.data(["queue", "push", "jobs", "x".repeat(100_000)], { as: "ann" });
      await ann("queue drop Q3");
      before = contentOf(coop.store);
      expect(await refusal(["--older", "0s", "--to", to])).toMatchObject({
        exit: 6,
        reason: "full",
      });
      expect(contentOf(to)).toEqual([[], [], []]);
      await command("mount", "-o", "remount,size=16m", disk);
      expect(contentOf(coop.store)).toEqual(before as unknown[][]);
      expect(await archive("", to)).toMatchObject({ archived: 3 });
      expect(contentOf(to)).toEqual(before as unknown[][]);
      before = [[], [], []];
    } finally {
      await command("umount", disk);
    }
  });
});

async function command(...words: string[]): Promise<void> {
  const child = Bun.spawn(words, { stdout: "inherit", stderr: "pipe" });
  const talk = await new Response(child.stderr).text();
  if ((await child.exited) !== 0) throw new Error(`${words.join(" ")} (needs root): ${talk}`);
}
