import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmod, mkdir, readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { sshfs } from "../mounts";
import { PASSWORD, postgres, startPostgres, type OwnServer, type Server } from "../postgres";
import { story, times, type Outcome, type RunOptions, type Story } from "../story";
import { turnOf } from "../turn";

/** A story whose store is a schema of a PostgreSQL server. */
async function storyOn(server: Server, { init = true } = {}): Promise<Story> {
  const coop = await story({ init: false });
  const schema = `story_${Bun.randomUUIDv7("hex").replaceAll("-", "")}`;
  const variables = { PIPPA_COOP_DB: server.url(schema) };
  const run: Story["run"] = (words, options = {}) =>
    coop.run(words, { ...options, env: { ...variables, ...options.env } });
  const data: Story["data"] = (words, options = {}) =>
    coop.data(words, { ...options, env: { ...variables, ...options.env } });
  if (init) await data(["init"]);
  return {
    ...coop,
    run,
    data,
    store: variables.PIPPA_COOP_DB,
    [Symbol.asyncDispose]: async () => {
      await server.sql(`drop schema if exists "${schema}" cascade`).catch(() => {});
      await coop[Symbol.asyncDispose]();
    },
  };
}

const failed = ({ exit, err, out }: Outcome) => ({ exit, out, err: err.trimEnd() });

describe("a store on PostgreSQL", () => {
  let server: Server;
  beforeAll(async () => {
    server = await postgres();
  });

  test("is only made by init, in a schema of its own", async () => {
    await using coop = await storyOn(server, { init: false });
    const none = await coop.run(["letter", "list"]);
    expect(none.exit).toBe(6);
    expect(none.err).toContain("no store in the schema story_");
    expect(none.err).not.toContain("init");
    const made = await times(6, () => coop.data(["init"]));
    expect(made.filter(({ created }) => created)).toHaveLength(1);
    expect(await coop.data(["init"])).toMatchObject({ created: false });
  });

  test("never takes a schema of another program", async () => {
    await using coop = await storyOn(server, { init: false });
    const schema = /schema=(\w+)/.exec(coop.store)![1]!;
    await server.sql(`create schema "${schema}"; create table "${schema}".meta (id int)`);
    for (const words of [["init"], ["letter", "list"]]) {
      const outcome = await coop.run(["--json", ...words]);
      expect(outcome.exit).toBe(6);
      expect(outcome.json().error.reason).toBe("foreign");
    }
    const [row] = await server.sql(
      `select count(*)::int as tables from pg_tables where schemaname = '${schema}'`,
    );
    expect(row).toEqual({ tables: 1 });
  });

  test.each([
    "create type {}.todos as enum ('one')",
    "create type {}.keys as (one int)",
    "create sequence {}.letters",
  ])("never takes a schema that holds what is called like one of its tables: %s", async (sql) => {
    await using coop = await storyOn(server, { init: false });
    const schema = /schema=(\w+)/.exec(coop.store)![1]!;
    await server.sql(`create schema "${schema}"; ${sql.replace("{}", `"${schema}"`)}`);
    const outcome = await coop.run(["--json", "init"]);
    expect(outcome.exit).toBe(6);
    expect(outcome.json().error.reason).toBe("foreign");
    expect((await coop.run(["letter", "list"])).exit).toBe(6);
  });

  test.each([
    ["drop table {}.keys", ["todo", "add", "x", "--key", "once"]],
    ["drop table {}.todos cascade", ["todo", "list"]],
    ["alter table {}.todos drop column priority", ["todo", "add", "x"]],
    ["alter table {}.counters drop constraint counters_pkey", ["todo", "add", "x"]],
  ])("that lacks a part is damaged: %s", async (sql, words) => {
    await using coop = await storyOn(server);
    const schema = /schema=(\w+)/.exec(coop.store)![1]!;
    await server.sql(sql.replace("{}", `"${schema}"`));
    const outcome = await coop.run(["--json", ...words], { as: "ann" });
    expect(outcome.exit).toBe(6);
    expect(outcome.json().error.reason).toBe("damaged");
  });

  test("is not copied to itself by another of its server's names", async () => {
    await using coop = await storyOn(server);
    const other = coop.store.replace("127.0.0.1", "localhost");
    const { exit, err } = await coop.run(["copy", "--from", coop.store, "--to", other]);
    expect({ exit, err }).toMatchObject({ exit: 2, err: expect.stringContaining("same store") });
    await coop.data(["todo", "add", "x"], { as: "ann" });
  });

  test.each(["$user", "pg_x"])("takes %s for no schema's name", async (name) => {
    await using coop = await storyOn(server, { init: false });
    const url = coop.store.replace(/schema=\w+/, `schema=${encodeURIComponent(name)}`);
    expect((await coop.run(["init", "--db", url])).exit).toBe(2);
  });

  test("says to init too that a user may not use the schema", async () => {
    await using coop = await storyOn(server);
    const schema = /schema=(\w+)/.exec(coop.store)![1]!;
    await server.sql(`create role out_${schema} login password 'SECRET'`);
    const url = server.url(schema).replace(/\/\/.*@/, `//out_${schema}:SECRET@`);
    const outcome = await coop.run(["--json", "init", "--db", url]);
    expect(outcome.exit).toBe(6);
    expect(outcome.json().error).toMatchObject({ reason: "access" });
  });

  test("is backed up into a folder that bears no store of two hosts", async () => {
    await using coop = await storyOn(server);
    await coop.data(["todo", "add", "one"], { as: "ann" });
    const [disk, remote] = [join(coop.home, "disk"), join(coop.home, "remote")];
    await mkdir(disk);
    await using _mount = await sshfs(disk, remote);
    const { file } = await coop.data(["backup", "--to", remote]);
    expect(await coop.data(["todo", "list", "--db", join(disk, basename(file))])).toHaveLength(1);
    expect(await readdir(disk)).toEqual([basename(file)]);
  });

  test("keeps the session ritual", async () => {
    await using coop = await storyOn(server);
    const claude = (...words: string[]) => coop.run(words, { as: "claude-code-pippa" });
    await claude("letter", "write", "Where I stopped", "--body", "tests next");
    expect((await claude("letter", "read")).out).toContain("tests next");
    expect((await claude("letter", "start", "L1")).out).toBe(
      "L1 working to claude-code-pippa: Where I stopped\n",
    );
    expect((await claude("letter", "ack", "L1", "--body", "shipped abc1234")).exit).toBe(0);
    expect((await claude("letter", "read")).out).toBe("no open letters to claude-code-pippa\n");
  });

  test("is not restored into, and it is said how a server's store goes on from a backup", async () => {
    await using coop = await storyOn(server);
    await coop.data(["todo", "add", "x"], { as: "ann" });
    const { file } = await coop.data(["backup", "--to", coop.folder]);
    const refused = await coop.run(["--json", "restore", file], { as: "ann" });
    expect({ exit: refused.exit, ...refused.json().error }).toMatchObject({
      exit: 2,
      message: expect.stringContaining("is on a server, and what is restored is a store in a file"),
      hint: expect.stringContaining(`then coop copy --from ${file} --to that one`),
    });
    const db = `${coop.store}_new`;
    await coop.data(["--db", db, "init"]);
    await coop.data(["copy", "--from", file, "--to", db]);
    expect(await coop.data(["--db", db, "todo", "list"])).toMatchObject([{ title: "x" }]);
    await server.sql(`drop schema "${/schema=(\w+)/.exec(db)![1]}" cascade`);
  });

  test("keeps all that 16 machines write at once", async () => {
    const [machines, writes] = [16, 12];
    await using coop = await storyOn(server);
    await times(machines, async (writer) => {
      for (let n = 0; n < writes; n++) {
        await coop.data(["todo", "add", `${writer}.${n}`, "--wait", "60"], {
          as: `brain-${writer}`,
        });
      }
    });
    const all = await coop.data(["todo", "list", "--limit", "0"]);
    expect(all.map(({ ref }: { ref: string }) => ref)).toEqual(
      Array.from({ length: machines * writes }, (_, index) => `T${machines * writes - index}`),
    );
    const titles = new Set(all.map(({ title }: { title: string }) => title));
    expect(titles.size).toBe(machines * writes);
  });

  test("has one winner of 20 that start a letter", async () => {
    await using coop = await storyOn(server);
    await coop.data(["letter", "write", "--body", "x"], { as: "ann" });
    const outcomes = await times(20, (n) =>
      coop.run(["--json", "letter", "start", "L1", "--wait", "60"], { as: `brain-${n}` }),
    );
    expect(outcomes.map(({ exit }) => exit).toSorted()).toEqual([0, ...Array(19).fill(4)]);
    const loser = outcomes.find(({ exit }) => exit === 4)!;
    expect(loser.json().error).toMatchObject({ reason: "state", current: { state: "working" } });
  });

  test("gives each item of 4 producers to one of 3 takers", async () => {
    await using coop = await storyOn(server);
    const taken: string[] = [];
    let pushing = true;
    const produce = async (n: number) => {
      const lines = Array.from({ length: 10 }, (_, line) =>
        JSON.stringify({ payload: { n, line } }),
      ).join("\n");
      for (let batch = 0; batch < 5; batch++)
        await coop.data(["queue", "push", "jobs", "--jsonl", "-"], { as: `p-${n}`, stdin: lines });
    };
    const take = async (n: number) => {
      for (;;) {
        const done = !pushing;
        const words = ["--json", "queue", "take", "jobs", "--count", "7"];
        const outcome = await coop.run(words, { as: `t-${n}` });
        if (outcome.exit === 0)
          taken.push(...outcome.json().data.map(({ ref }: { ref: string }) => ref));
        else if (outcome.exit !== 5) throw new Error(outcome.err);
        else if (done) return;
      }
    };
    await Promise.all([times(4, produce).then(() => (pushing = false)), times(3, take)]);
    expect(taken).toHaveLength(200);
    expect(new Set(taken).size).toBe(200);
  }, 60_000);

  test("holds a command no longer than --wait while another has the store", async () => {
    await using coop = await storyOn(server);
    const schema = /schema=(\w+)/.exec(coop.store)![1]!;
    {
      await using _turn = await turnOf(server, schema);
      const outcome = await coop.run(["todo", "add", "x", "--wait", "0.5"], { as: "ann" });
      expect(outcome.exit).toBe(7);
      expect(outcome.err).toContain("no turn within 0.5 s (55P03)");
      expect((await coop.run(["todo", "list"])).exit).toBe(0);
    }
    expect(await coop.data(["todo", "add", "x"], { as: "ann" })).toMatchObject({ ref: "T1" });
  });

  /** Keeps all others from a table of a store until it is disposed of. */
  async function locked(coop: Story, table: string): Promise<AsyncDisposable> {
    const schema = /schema=(\w+)/.exec(coop.store)![1]!;
    const connection = new Bun.SQL(coop.store.replace(/[?&]schema=[^&]*/, ""), { max: 1 });
    const session = await connection.reserve();
    await session.unsafe(`begin; lock table "${schema}".${table} in access exclusive mode`);
    return {
      [Symbol.asyncDispose]: async () => {
        await session.unsafe("rollback");
        await connection.close({ timeout: 0 });
      },
    };
  }

  test.each([
    ["meta", ["todo", "list"]],
    ["meta", ["queue", "push", "jobs", "x"]],
    ["meta", ["backup", "--to", "copy.db"]],
    ["queue_items", ["queue", "list", "--limit", "1"]],
    ["queue_items", ["backup", "--to", "copy.db"]],
    ["letters", ["letter", "read"]],
    ["events", ["log"]],
    ["events", ["letter", "read"]],
  ])("waits for a lock on %s no longer than --wait: %j", async (table, words) => {
    await using coop = await storyOn(server);
    // What is not bounded hangs, and is killed: the lock is there until the end.
    await using _locked = await locked(coop, table);
    const outcome = await coop.run(["--json", "--wait", "0.3", ...words], { as: "ann" });
    expect(outcome.exit).toBe(7);
    expect(outcome.json().error).toMatchObject({
      code: "busy",
      message: expect.stringContaining("no turn within 0.3 s (55P03)"),
    });
  });

  test("shows a letter that cannot be marked since others are not let at the events", async () => {
    await using coop = await storyOn(server);
    await coop.data(["letter", "write", "--body", "hello"], { as: "ann" });
    {
      await using _locked = await locked(coop, "events");
      const read = await coop.run(["--json", "--wait", "0.3", "letter", "read"], { as: "ann" });
      expect(read.exit).toBe(0);
      expect(read.json()).toMatchObject({
        data: [{ body: "hello", state: "unread", marked: false }],
        warnings: [{ code: "not_marked" }],
      });
    }
    expect(await coop.data(["letter", "read"], { as: "ann" })).toMatchObject([{ marked: true }]);
  });
});

/** The two ends of a way to a server. */
interface Ends {
  toServer(bytes: Uint8Array): void;
  toClient(bytes: Uint8Array): void;
  /** Closes the client's end, and the server's after so many milliseconds. */
  end(later: number): void;
}

type Passes = (bytes: Buffer, ends: Ends) => void;

/** A way to a server on which something sees all that goes either way, and hands it on as it likes. */
function between(
  url: string,
  { client: fromClient, server: fromServer }: Record<"client" | "server", Passes>,
) {
  const port = Number(/:(\d+)\//.exec(url)![1]);
  const way = Bun.listen<{ ends: Ends; server: Bun.Socket | undefined; ended: boolean }>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open: (client) => {
        const waiting: Uint8Array[] = [];
        const ends: Ends = {
          toServer: (bytes) => {
            const { server } = client.data;
            if (server) server.write(bytes);
            else waiting.push(Buffer.from(bytes));
          },
          toClient: (bytes) => void client.write(bytes),
          end: (later) => {
            client.data.ended = true;
            client.end();
            setTimeout(() => client.data.server?.end(), later);
          },
        };
        client.data = { ends, server: undefined, ended: false };
        const connected = Bun.connect({
          hostname: "127.0.0.1",
          port,
          socket: {
            data: (_, bytes) => fromServer(bytes, ends),
            close: () => void client.end(),
          },
        });
        connected.then((server) => {
          client.data.server = server;
          for (const bytes of waiting) server.write(bytes);
        });
      },
      data: (client, bytes) => fromClient(bytes, client.data.ends),
      close: (client) => void (client.data.ended || client.data.server?.end()),
    },
  });
  const changed = `${url.replace(`:${port}/`, `:${way.port}/`)}&sslmode=disable`;
  return { url: changed, [Symbol.dispose]: () => way.stop(true) };
}

test("doctor calls a table that is locked no missing one, and a server that is far away no replica", async () => {
  const server = await postgres();
  await using coop = await storyOn(server);
  const schema = /schema=(\w+)/.exec(coop.store)![1];
  const lock = new Bun.SQL(server.url(schema!).replace(/[?&]schema=[^&]*/, ""), { max: 1 });
  try {
    await lock.unsafe("begin");
    await lock.unsafe(`lock table ${schema}.todos in access exclusive mode`);
    const { exit, out, err } = await coop.run(["doctor", "--wait", "0.3"]);
    expect(out + err).not.toContain("not there");
    expect(out + err).toContain("is locked by another command");
    expect(exit).toBe(0);
    await lock.unsafe("rollback");
  } finally {
    await lock.close({ timeout: 0 });
  }
  const far = await coop.run(["doctor", "--wait", "0.01"]);
  expect(far.out).toContain("ok permissions: may be written");
});

test("a role's own bounds on statements and transactions bound no command", async () => {
  const server = await postgres();
  await using coop = await storyOn(server);
  const schema = /schema=(\w+)/.exec(coop.store)![1];
  await using _turn = await turnOf(server, schema!);
  const env = { PGOPTIONS: "-c statement_timeout=50 -c transaction_timeout=50" };
  const { exit, err } = await coop.run(["todo", "add", "x", "--wait", "0.5"], { as: "ann", env });
  expect({ exit, err }).toEqual({
    exit: 7,
    err: expect.stringContaining("is locked by another command: no turn within 0.5 s"),
  });
});

test("a copy from a store that cannot be marked, such as a standby's, leaves its target open", async () => {
  await using coop = await storyOn(await postgres());
  await coop.data(["todo", "add", "x"], { as: "ann" });
  const young = join(coop.home, "young.db");
  await coop.data(["init", "--db", young]);
  const env = { PGOPTIONS: "-c default_transaction_read_only=on" };
  const words = ["--json", "copy", "--from", coop.store, "--to", young];
  const refused = await coop.run(words, { env });
  expect([refused.exit, refused.json().error.reason]).toEqual([6, "read_only"]);
  await coop.data(["--db", young, "todo", "add", "y"], { as: "ann" });
  await coop.data(["todo", "add", "z"], { as: "ann" });
});

describe("a pooler between that does not pass on what a connection begins with", () => {
  /** What a client begins with, without one of its parameters. */
  function without(name: string, bytes: Buffer): Buffer {
    const words = bytes.subarray(8).toString("latin1").split("\0");
    const at = words.indexOf(name);
    if (at < 0) return bytes;
    words.splice(at, 2);
    const rest = Buffer.from(words.join("\0"), "latin1");
    const head = Buffer.from(bytes.subarray(0, 8));
    head.writeInt32BE(8 + rest.length);
    return Buffer.concat([head, rest]);
  }
  const pooler = (url: string) =>
    between(url, {
      client: (bytes, { toServer }) => toServer(without("search_path", bytes)),
      server: (bytes, { toClient }) => toClient(bytes),
    });

  test("is told, and neither makes a store in another schema nor reads one", async () => {
    const server = await postgres();
    await using coop = await storyOn(server);
    using way = pooler(coop.store);
    const env = { PIPPA_COOP_DB: way.url };
    const tables = () =>
      server.sql("select count(*)::int as count from pg_tables where schemaname = 'public'");
    const before = await tables();
    for (const words of [["todo", "add", "x"], ["todo", "list"], ["init"], ["doctor"]]) {
      const { exit, json } = await coop.run(["--json", ...words], { as: "ann", env });
      expect([words, exit]).toEqual([words, 6]);
      if (words[0] !== "doctor")
        expect(json().error).toMatchObject({
          reason: "connection",
          hint: expect.stringMatching(
            / alter role coop in database postgres set search_path = "story_/,
          ),
          message: expect.stringMatching(
            /^what is between does not pass on the schema story_\S+ of /,
          ),
        });
    }
    expect(await tables()).toEqual(before);
    expect(await coop.data(["todo", "list"])).toEqual([]);
  });

  test("is no matter where another client of it changes the schema in between", async () => {
    await using coop = await storyOn(await postgres());
    let begun = false;
    using way = between(coop.store, {
      // As if the server's process had been another client's meanwhile.
      client: (bytes, { toServer }) => {
        if (!begun && bytes.includes("begin isolation level read committed")) {
          begun = true;
          const text = bytes
            .toString("latin1")
            .replace(/begin isolation level/, "set search_path to public;begin isolation level");
          const changed = Buffer.from(text, "latin1");
          changed.writeInt32BE(bytes.readInt32BE(1) + changed.length - bytes.length, 1);
          toServer(changed);
        } else toServer(bytes);
      },
      server: (bytes, { toClient }) => toClient(bytes),
    });
    const { exit } = await coop.run(["todo", "add", "x"], {
      as: "ann",
      env: { PIPPA_COOP_DB: way.url },
    });
    expect([exit, begun]).toEqual([0, true]);
    expect(await coop.data(["todo", "list"])).toHaveLength(1);
  });
});

describe("a connection that breaks", () => {
  /** A way to the server that breaks at the first message with a word in it, before or after handing it on. */
  function breaking(url: string, word: string, handsOn: boolean) {
    let broke = false;
    return between(url, {
      client: (bytes, { toServer, end }) => {
        const breaks = !broke && bytes.includes(word);
        if (!breaks || handsOn) toServer(bytes);
        if (!breaks) return;
        broke = true;
        // The server must have the time to do what it was told.
        end(handsOn ? 200 : 0);
      },
      server: (bytes, { toClient }) => {
        if (!broke) toClient(bytes);
      },
    });
  }

  test.each([true, false])(
    "at COMMIT is exit 8, and the repeat with the same --key is right (written: %p)",
    async (written) => {
      await using coop = await storyOn(await postgres());
      using way = breaking(coop.store, "commit\0", written);
      const words = ["--json", "todo", "add", "x", "--key", "once"];
      const cut = await coop.run(words, { as: "ann", env: { PIPPA_COOP_DB: way.url } });
      expect(cut.exit).toBe(8);
      expect(cut.json().error).toMatchObject({ code: "unknown" });
      const again = await coop.run(words, { as: "ann" });
      expect(again.json()).toMatchObject({ data: { ref: "T1" } });
      expect(again.json().replayed ?? false).toBe(written);
      expect(await coop.data(["todo", "list"])).toHaveLength(1);
    },
  );

  /** What a command comes to whose COMMIT the server answers by an error, after or instead of doing it. */
  async function answered(coop: Story, severity: string, state: string, commits: boolean) {
    let committed = false;
    const fields = [`S${severity}`, `V${severity}`, `C${state}`, "Mthe end", ""];
    const text = Buffer.from(`${fields.join("\0")}\0`);
    const length = Buffer.alloc(4);
    length.writeInt32BE(4 + text.length);
    const error = Buffer.concat([Buffer.from("E"), length, text]);
    using way = between(coop.store, {
      client: (bytes, { toServer, toClient }) => {
        const isCommit = bytes.includes("commit\0");
        committed ||= isCommit;
        // That is followed by the server's word that it is ready for the next statement.
        if (isCommit && !commits)
          return toClient(Buffer.concat([error, Buffer.from("Z\0\0\0\x05I")]));
        toServer(bytes);
      },
      server: (bytes, { toClient, end }) => {
        if (!commits || !committed) return toClient(bytes);
        toClient(error);
        end(200);
      },
    });
    const { exit, json } = await coop.run(["--json", "todo", "add", "x"], {
      as: "ann",
      env: { PIPPA_COOP_DB: way.url },
    });
    return [exit, json().error.code];
  }

  test.each([
    ["PANIC", "53100"],
    ["PANIC", "58030"],
    ["FATAL", "57P01"],
    ["FATAL", "25P04"],
  ])(
    "by a %s %s in answer to COMMIT is exit 8: it may have been written",
    async (severity, state) => {
      await using coop = await storyOn(await postgres());
      expect(await answered(coop, severity, state, true)).toEqual([8, "unknown"]);
      expect(await coop.data(["todo", "list"])).toHaveLength(1);
    },
  );

  test("is none by an ERROR in answer to COMMIT, which was undone for certain", async () => {
    await using coop = await storyOn(await postgres());
    expect(await answered(coop, "ERROR", "53100", false)).toEqual([6, "unavailable"]);
    expect(await coop.data(["todo", "list"])).toEqual([]);
  });

  test("before COMMIT is exit 6, and nothing is written", async () => {
    await using coop = await storyOn(await postgres());
    using way = breaking(coop.store, "insert into todos", true);
    const env = { PIPPA_COOP_DB: way.url };
    const cut = await coop.run(["--json", "todo", "add", "x"], { as: "ann", env });
    expect(cut.exit).toBe(6);
    expect(cut.json().error).toMatchObject({ reason: "connection" });
    expect(await coop.data(["todo", "list"])).toEqual([]);
  });

  test("after COMMIT is exit 8, and says that it was written", async () => {
    await using coop = await storyOn(await postgres());
    await coop.data(["todo", "add", "a secret"], { as: "ann" });
    // What is left to do then is to name other stores that may hold it.
    using way = breaking(coop.store, "copied_from", true);
    const words = ["--json", "redact", "T1", "--text", "secret"];
    const cut = await coop.run(words, { as: "ann", env: { PIPPA_COOP_DB: way.url } });
    expect(cut.exit).toBe(8);
    expect(cut.json().error).toMatchObject({
      code: "unknown",
      message: expect.stringMatching(/^it was written, but .* was lost/),
    });
    expect((await coop.data(["todo", "show", "T1"])).title).not.toContain("secret");
  });
});

describe("a server that is not as it should be", () => {
  let server: OwnServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  /** Fails one command on a store of the server, which may show the password nowhere; gives its error. */
  async function refusal(coop: Story, url: string, { env = {}, ...options }: RunOptions = {}) {
    const given = { as: "ann", ...options, env: { ...env, PIPPA_COOP_DB: url } };
    const json = await coop.run(["--json", "--wait", "1", "todo", "add", "x"], given);
    const text = await coop.run(["--wait", "1", "todo", "add", "x"], given);
    const all = [json, text].map(({ out, err }) => out + err).join("\n");
    for (const secret of ["SECRET", PASSWORD, encodeURIComponent(PASSWORD)])
      expect(all).not.toContain(secret);
    expect(text.err.trimEnd().split("\n")).toHaveLength(1);
    expect(text.exit).toBe(json.exit);
    return { exit: json.exit, ...json.json().error };
  }
  const connection = { exit: 6, code: "unavailable", reason: "connection" };

  test("is told of in one line, with what to do and without the password", async () => {
    await using coop = await storyOn(server);
    const at = (rest: string) => `postgres://coop:SECRET@127.0.0.1:${server.port}/${rest}`;
    expect(await refusal(coop, at("postgres"))).toMatchObject({
      ...connection,
      message: `the store postgres://coop@127.0.0.1:${server.port}/postgres refused the user or the password (28P01)`,
    });
    expect(await refusal(coop, server.url("x").replace("/postgres?", "/nada?"))).toMatchObject({
      ...connection,
      message: expect.stringContaining("no such database"),
    });
    for (const url of ["postgres://u:SECRET@127.0.0.1:1/x", "postgres://u:SECRET@no.invalid/x"])
      expect(await refusal(coop, url)).toMatchObject({
        ...connection,
        message: expect.stringContaining("cannot be reached"),
      });
    expect(await refusal(coop, `${server.url("x")}&sslmode=require`)).toMatchObject({
      ...connection,
      message: expect.stringContaining("does not speak TLS"),
    });
  });

  test("that keeps everyone from a database is told of", async () => {
    await using coop = await storyOn(server);
    await server.sql("create database shut allow_connections false");
    const url = coop.store.replace("/postgres?", "/shut?");
    expect(await refusal(coop, url)).toMatchObject({
      ...connection,
      message: expect.stringContaining("takes no connections (55000)"),
    });
  });

  test("says what it cannot read without showing it", async () => {
    await using coop = await story({ init: false });
    for (const url of [
      "postgres://u:SEC/RET@h/x",
      "postgres://u:SECRET@h/x?nonsense=1",
      "postgres://u:SECRET@h/x?sslmode=nonsense",
      "postgres://u:SECRET@h:99999/x",
      "postgres://u:SECRET@h,i/x",
      "postgers://u:SECRET@h/x",
      "postgres//u:SECRET@h/x",
      "postgres:/u:SECRET@h/x",
      "u:SECRET@h/x",
    ])
      expect(await refusal(coop, url)).toMatchObject({ exit: 2, code: "usage" });
  });

  test("that accepts and says nothing is given up within --wait", async () => {
    await using coop = await story({ init: false });
    let said = 0;
    // It is there until the end: a command that does not give up by itself hangs.
    const socket = { data: () => void said++ };
    using silent = Bun.listen({ hostname: "127.0.0.1", port: 0, socket });
    const url = `postgres://u:SECRET@127.0.0.1:${silent.port}/x`;
    expect(await refusal(coop, url)).toMatchObject(connection);
    expect(said).toBeGreaterThan(0);
  });

  /** Lets the server fail each new todo with an SQLSTATE, or only the first few. */
  async function failing(schema: string, state: string, often = 1_000_000) {
    const place = `"${schema}"`;
    await server.sql(`create sequence if not exists ${place}.tries;
      create or replace function ${place}.refuse() returns trigger language plpgsql as $$ begin
        if nextval('${place}.tries') <= ${often} then
          raise exception 'the password is %', '${PASSWORD.replaceAll("'", "''")}' using errcode = '${state}';
        end if;
        return new;
      end $$;
      create or replace trigger refuse before insert on ${place}.todos for each row execute function ${place}.refuse()`);
  }

  test.each([
    ["53100", 6, "unavailable", "full"],
    ["25006", 6, "unavailable", "read_only"],
    ["42501", 6, "unavailable", "access"],
    ["XX001", 6, "unavailable", "damaged"],
    ["58030", 6, "unavailable", "damaged"],
    ["58P01", 6, "unavailable", "damaged"],
    ["57P01", 6, "unavailable", "connection"],
    ["40001", 7, "busy", undefined],
    ["40P01", 7, "busy", undefined],
    ["55P03", 7, "busy", undefined],
    ["57014", 7, "busy", undefined],
    ["53200", 7, "busy", undefined],
    ["P0001", 6, "unavailable", "access"],
    ["XX000", 1, "failed", undefined],
  ])("that answers %s ends a command with %d, %s %s", async (state, exit, code, reason) => {
    await using coop = await storyOn(server);
    await failing(/schema=(\w+)/.exec(coop.store)![1]!, state);
    const error = await refusal(coop, coop.store);
    expect({ exit: error.exit, code: error.code, reason: error.reason }).toEqual({
      exit,
      code,
      reason,
    });
    expect(await coop.data(["todo", "list"])).toEqual([]);
  });

  test("that undoes a transaction for others is asked again within --wait", async () => {
    await using coop = await storyOn(server);
    await failing(/schema=(\w+)/.exec(coop.store)![1]!, "40001", 3);
    const added = await coop.run(["--json", "todo", "add", "x"], { as: "ann" });
    expect(added).toMatchObject({ exit: 0, err: "" });
    expect(added.json().data.ref).toBe("T1");
    expect((await coop.data(["log"])).events).toHaveLength(1);
  });

  test("that is lost while a store is copied to it leaves that closed, says so, and takes it the next time", async () => {
    await using coop = await storyOn(server);
    await failing(/schema=(\w+)/.exec(coop.store)![1]!, "57P01", 1);
    const from = join(coop.home, "old.db");
    await coop.data(["init", "--db", from]);
    await coop.data(["todo", "add", "one", "--db", from], { as: "ann" });
    const copy = () => coop.run(["--json", "copy", "--from", from, "--to", coop.store]);
    const lost = await copy();
    expect(lost.exit).toBe(6);
    expect(lost.json().error).toMatchObject({
      reason: "connection",
      hint: `${from} is closed, and nothing is copied yet: give the same command again, or with --undo to write to the old store again`,
    });
    const early = await coop.run(["--json", "todo", "add", "two"], { as: "ann" });
    expect(early.json().error).toMatchObject({
      reason: "moved",
      message: expect.stringContaining(`is not filled yet: ${from} is being copied into it`),
    });
    expect((await copy()).json().data).toMatchObject({ copied: true, rows: { todos: 1 } });
  });

  test("takes the password from where libpq does", async () => {
    await using coop = await storyOn(server);
    const schema = /schema=(\w+)/.exec(coop.store)![1]!;
    const without = `postgres://coop@127.0.0.1:${server.port}/postgres?schema=${schema}`;
    const list = (url: string, env: Record<string, string> = {}) =>
      coop.run(["todo", "list"], { env: { PIPPA_COOP_DB: url, ...env } });

    expect((await list(without)).exit).toBe(6);
    expect((await list(without, { PGPASSWORD: PASSWORD })).exit).toBe(0);
    const variables = {
      PGPASSWORD: PASSWORD,
      PGHOST: "127.0.0.1",
      PGPORT: String(server.port),
      PGUSER: "coop",
      PGDATABASE: "postgres",
    };
    expect((await list(`postgres:///?schema=${schema}`, variables)).exit).toBe(0);
    const socket = `postgres://coop@/postgres?host=${server.folder}&port=${server.port}&schema=${schema}`;
    expect((await list(socket, { PGPASSWORD: PASSWORD })).exit).toBe(0);

    const file = join(coop.home, ".pgpass");
    const kept = PASSWORD.replace(/[:\\]/g, "\\$&");
    await Bun.write(file, `# mine\nelsewhere:*:*:*:no\n127.0.0.1:${server.port}:*:coop:${kept}\n`);
    await chmod(file, 0o600);
    expect(failed(await list(without))).toMatchObject({ exit: 0, err: "" });
    for (const mode of [0o604, 0o640]) {
      await chmod(file, mode);
      expect((await list(without)).exit).toBe(6);
    }
    await chmod(file, 0o600);
    // After the user all is the password, also a colon that is not escaped.
    await Bun.write(file, `127.0.0.1:${server.port}:*:coop:${PASSWORD.replace(/\\/g, "\\\\")}\n`);
    expect(failed(await list(without))).toMatchObject({ exit: 0, err: "" });
    const elsewhere = { HOME: coop.folder, PGPASSFILE: file };
    expect((await list(without, elsewhere)).exit).toBe(0);
  });

  test("that only reads is told of, and is still read", async () => {
    await using coop = await storyOn(server);
    await coop.data(["letter", "write", "--body", "hello"], { as: "ann" });
    const readOnly = { PGOPTIONS: "-c default_transaction_read_only=on" };
    const outcome = await coop.run(["--json", "todo", "add", "x"], { as: "ann", env: readOnly });
    expect(outcome.exit).toBe(6);
    expect(outcome.json().error.reason).toBe("read_only");
    // Before anything is made elsewhere of what cannot leave it.
    await coop.data(["queue", "push", "jobs", "x"], { as: "ann" });
    await coop.data(["queue", "drop", "Q1"], { as: "ann" });
    const archive = join(coop.folder, "archive.db");
    const words = ["--json", "queue", "archive", "--older", "0s", "--to", archive];
    const kept = await coop.run(words, { as: "ann", env: readOnly });
    expect([kept.exit, kept.json().error.reason]).toEqual([6, "read_only"]);
    expect(await Bun.file(archive).exists()).toBe(false);
    const read = await coop.run(["letter", "read"], { as: "ann", env: readOnly });
    expect(read.exit).toBe(0);
    expect(read.out).toContain("hello");
    expect(await permissions(coop)).toMatchObject({ status: "ok" });
    expect(await permissions(coop, readOnly)).toMatchObject({
      status: "warn",
      message: expect.stringMatching(/ cannot be written: .*; reading goes on$/),
      fix: expect.stringContaining("not a replica"),
    });
  });

  /** What the doctor says of one thing. */
  const checkOf = async (coop: Story, what: string, env: Record<string, string> = {}) =>
    (await coop.data(["doctor"], { env })).checks.find(
      ({ name }: { name: string }) => name === what,
    );

  /** What the doctor says of writing to a store. */
  const permissions = (coop: Story, env?: Record<string, string>) =>
    checkOf(coop, "permissions", env);

  test("that gives a user too little is told of", async () => {
    await using coop = await storyOn(server);
    const schema = /schema=(\w+)/.exec(coop.store)![1]!;
    await server.sql(`create role guest_${schema} login password 'SECRET'`);
    const url = server.url(schema).replace(/\/\/.*@/, `//guest_${schema}:SECRET@`);
    expect(await refusal(coop, url)).toMatchObject({ exit: 6, reason: "access" });
    await server.sql(`grant usage on schema "${schema}" to guest_${schema}`);
    expect(await refusal(coop, url)).toMatchObject({ exit: 6, reason: "access" });
    await server.sql(`grant select on all tables in schema "${schema}" to guest_${schema}`);
    expect(await refusal(coop, url)).toMatchObject({ exit: 6, reason: "access" });
    expect(await permissions(coop, { PIPPA_COOP_DB: url })).toMatchObject({
      status: "warn",
      message: expect.stringMatching(/ cannot be written: .* letters, meta, .*; reading goes on$/),
      fix: "ask the person to grant it",
    });
    const grant = (what: string) =>
      server.sql(`grant ${what} on all tables in schema "${schema}" to guest_${schema}`);
    await grant("insert, update");
    expect(await permissions(coop, { PIPPA_COOP_DB: url })).toMatchObject({
      status: "warn",
      message: expect.stringMatching(
        /^this user may write, but delete nothing from counters, .*, as some commands do$/,
      ),
    });
    await coop.data(["todo", "add", "x"], { as: "ann", env: { PIPPA_COOP_DB: url } });
    await grant("delete");
    expect(await permissions(coop, { PIPPA_COOP_DB: url })).toMatchObject({ status: "ok" });
    await coop.data(["todo", "add", "x"], { as: "ann", env: { PIPPA_COOP_DB: url } });
    const init = await coop.run(["--json", "init"], {
      env: { PIPPA_COOP_DB: url.replace(schema, schema).replace(/schema=\w+/, "schema=new") },
    });
    expect(init.exit).toBe(6);
    expect(init.json().error.reason).toBe("access");
  });

  test("that hides rows from a user lets them copy nothing, and is told of", async () => {
    await using coop = await storyOn(server);
    const schema = /schema=(\w+)/.exec(coop.store)![1]!;
    const rules = (env = {}) => checkOf(coop, "rules", env);
    expect(await rules()).toMatchObject({ status: "ok" });
    for (const title of ["one", "two"])
      await coop.data(["todo", "add", title, "--scope", title], { as: "ann" });
    await server.sql(`create role half_${schema} login password 'SECRET';
      grant usage on schema "${schema}" to half_${schema};
      grant all on all tables in schema "${schema}" to half_${schema};
      alter table "${schema}".todos enable row level security;
      create policy one on "${schema}".todos to half_${schema} using (scope = 'one');
      create rule none as on delete to "${schema}".todos do instead nothing`);
    const url = server.url(schema).replace(/\/\/.*@/, `//half_${schema}:SECRET@`);
    const half = { env: { PIPPA_COOP_DB: url } };
    expect(await coop.data(["todo", "list", "--all-scopes"], half)).toHaveLength(1);
    const target = join(coop.home, "target.db");
    await coop.data(["init", "--db", target]);
    for (const words of [
      ["backup", "--to", join(coop.home, "copy.db")],
      ["copy", "--from", url, "--to", target],
    ]) {
      const { exit, json } = await coop.run(["--json", ...words], half);
      expect([exit, json().error]).toMatchObject([
        6,
        {
          reason: "access",
          message: expect.stringContaining("hides rows from this user (42501)"),
          hint: expect.stringContaining("row-level security is on"),
        },
      ]);
    }
    await coop.data(["queue", "push", "jobs", "secret"], { as: "ann" });
    await coop.data(["queue", "drop", "Q1"], { as: "ann" });
    const archive = join(coop.home, "archive.db");
    await server.sql(`alter table "${schema}".events enable row level security;
      create policy one on "${schema}".events to half_${schema} using (verb = 'add')`);
    for (const words of [
      ["redact", "T1", "--text", "one"],
      ["redact", "Q1"],
      ["queue", "archive", "--older", "0s", "--to", archive],
    ]) {
      const { exit, json } = await coop.run(["--json", ...words], { as: "ann", ...half });
      expect([exit, json().error]).toMatchObject([
        6,
        { reason: "access", message: expect.stringContaining("hides rows from this user") },
      ]);
    }
    expect(await Bun.file(archive).exists()).toBe(false);
    await server.sql(`drop policy one on "${schema}".events;
      alter table "${schema}".events disable row level security`);
    await coop.data(["todo", "add", "three", "--scope", "one"], { as: "ann", ...half });
    for (const [env, message] of [
      [{}, /^the rule none on todos: /],
      [half.env, /^row-level security on todos, the rule none on todos: /],
    ] as const)
      expect(await rules(env)).toMatchObject({
        status: "warn",
        message: expect.stringMatching(message),
      });
  });

  test("with too many connections is busy, and waited for", async () => {
    await using coop = await storyOn(server);
    const schema = /schema=(\w+)/.exec(coop.store)![1]!;
    await server.sql(
      `create role few_${schema} login superuser password 'SECRET' connection limit 0`,
    );
    await server.sql(`alter role few_${schema} nosuperuser`);
    const url = server.url(schema).replace(/\/\/.*@/, `//few_${schema}:SECRET@`);
    expect(await refusal(coop, url)).toMatchObject({ exit: 7, code: "busy" });
    await server.sql(`grant all on schema "${schema}" to few_${schema}`);
    await server.sql(`grant all on all tables in schema "${schema}" to few_${schema}`);
    const list = (wait: string) =>
      coop.run(["--wait", wait, "todo", "list"], { env: { PIPPA_COOP_DB: url } });
    expect((await list("0")).exit).toBe(7);
    const waiting = list("10");
    await Bun.sleep(300);
    await server.sql(`alter role few_${schema} connection limit 5`);
    expect(await waiting).toMatchObject({ exit: 0, err: "" });
  });

  test("speaks TLS as sslmode asks", async () => {
    await using coop = await storyOn(server);
    await server.shell(`
      openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout ca.key -out ca.crt -subj "/CN=test" 2>/dev/null
      openssl req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj "/CN=localhost" 2>/dev/null
      printf 'subjectAltName=DNS:localhost' >names
      openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.crt 2>/dev/null
      chmod 600 server.key; cp ca.crt ..; chmod 755 ..; chmod 644 ../ca.crt`);
    const speaksTls = async (ssl: "on" | "off") => {
      await server.sql(`alter system set ssl = ${ssl}`);
      await server.sql("select pg_reload_conf()");
      while ((await server.sql("show ssl"))[0]!["ssl"] !== ssl) await Bun.sleep(5);
    };
    await speaksTls("on");
    const ca = join(server.folder, "ca.crt");
    const exit = async (host: string, mode: string, root?: string) => {
      const url = coop.store.replace("127.0.0.1", host);
      const more = root === undefined ? "" : `&sslrootcert=${root}`;
      const env = { PIPPA_COOP_DB: `${url}&sslmode=${mode}${more}` };
      return (await coop.run(["todo", "list"], { env })).exit;
    };
    for (const mode of ["disable", "allow", "prefer", "require"])
      expect(await exit("127.0.0.1", mode)).toBe(0);
    expect(await exit("localhost", "verify-full")).toBe(6);
    expect(await exit("localhost", "verify-full", ca)).toBe(0);
    expect(await exit("127.0.0.1", "verify-full", ca)).toBe(6);
    expect(await exit("127.0.0.1", "verify-ca", ca)).toBe(0);
    // The name is proved, and the address connected to.
    for (const [host, proved] of [
      ["localhost", 0],
      ["elsewhere.invalid", 6],
    ] as const)
      expect(await exit(host, "verify-full", `${ca}&hostaddr=127.0.0.1`)).toBe(proved);
    const garbage = join(coop.folder, "garbage.pem");
    await Bun.write(garbage, "garbage");
    expect(await exit("localhost", "require", garbage)).toBe(2);
    // As libpq has it, an authority's certificate at its place is asked for what it proves.
    expect(await exit("localhost", "require")).toBe(0);
    const place = join(coop.home, ".postgresql/root.crt");
    await server.shell(`openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout other.key -out other.crt -subj "/CN=other" 2>/dev/null
      cp other.crt ..; chmod 644 ../other.crt`);
    await Bun.write(place, Bun.file(join(server.folder, "other.crt")));
    expect(await exit("localhost", "require")).toBe(6);
    await Bun.write(place, Bun.file(ca));
    expect(await exit("localhost", "require")).toBe(0);
    const rules = (rule: string) =>
      server.shell(`test -e rules || cp pg_hba.conf rules
        { ${rule}; cat rules; } >pg_hba.conf
        kill -HUP $(head -1 postmaster.pid)`);
    // What the rules let in by one way only is reached by it, and says so where the mode wants the other.
    for (const [refused, mode] of [
      ["hostssl", "require"],
      ["hostnossl", "disable"],
    ] as const) {
      await rules(`echo ${refused} all all localhost reject`);
      while ((await exit("localhost", mode)) !== 6) await Bun.sleep(5);
      for (const open of ["allow", "prefer"]) expect(await exit("localhost", open)).toBe(0);
    }
    await rules(":");
    while ((await exit("localhost", "disable")) !== 0) await Bun.sleep(5);
    await speaksTls("off");
  });

  test("when it is killed and started again under 8 writers, has lost nothing it acknowledged", async () => {
    await using coop = await storyOn(server);
    const acknowledged = new Map<string, string>();
    const unsure = new Set<string>();
    const exits = new Set<number>();
    let writing = true;
    const write = async (writer: number) => {
      for (let n = 0; ; n++) {
        if (!writing) return;
        const title = `${writer}.${n}`;
        const words = ["--json", "todo", "add", title, "--key", title, "--wait", "5"];
        for (;;) {
          const outcome = await coop.run(words, { as: `brain-${writer}` });
          exits.add(outcome.exit);
          if (outcome.exit === 0) {
            acknowledged.set(title, outcome.json().data.ref);
            unsure.delete(title);
            break;
          }
          expect([6, 7, 8]).toContain(outcome.exit);
          unsure.add(title);
          if (!writing) break;
          await Bun.sleep(50);
        }
      }
    };
    const writers = times(8, write);
    for (let crash = 0; crash < 4; crash++) {
      await Bun.sleep(700);
      await server.kill();
      await Bun.sleep(200);
      await server.start();
    }
    await Bun.sleep(700);
    writing = false;
    await writers;

    const all = await coop.data(["todo", "list", "--limit", "0"]);
    const refs = new Map(all.map(({ title, ref }: { title: string; ref: string }) => [title, ref]));
    expect(refs.size).toBe(all.length);
    for (const [title, ref] of acknowledged) expect(refs.get(title)).toBe(ref);
    for (const title of refs.keys())
      expect(acknowledged.has(title as string) || unsure.has(title as string)).toBe(true);
    expect(acknowledged.size).toBeGreaterThan(20);
    expect([...exits]).toContain(6);
  }, 120_000);
});

describe("the URL of a server where none belongs", () => {
  test.each([
    [2, ["letter", "postgres://u:SECRET@h/x"]],
    [2, ["letter", "write", "--body-file", "postgres://u:SECRET@h/x"]],
    [2, ["todo", "list", "postgres://u:SECRET@h/x"]],
    [6, ["backup", "--to", "postgres:/u:SECRET@h/x"]],
    [6, ["backup", "--to", "postgres//u:SECRET@h/x"]],
    [3, ["restore", "postgres:/u:SECRET@h/x"]],
    [6, ["doctor", "--db", "/x/postgres:/u:SECRET@h/x"]],
    [6, ["todo", "list", "--db", "/x/postgres:/u:SECRET@h/x"]],
    [0, ["queue", "list", "postgres://u:SECRET@h/x"]],
  ])("keeps its password to itself in what is said of it: exit %d, %j", async (exit, words) => {
    await using coop = await story();
    await coop.data(["queue", "push", "postgres://u@h/x", "x"], { as: "ann" });
    for (const form of [[], ["--json"]]) {
      const outcome = await coop.run([...form, ...words], { as: "ann" });
      const said = outcome.out + outcome.err;
      expect(outcome.exit).toBe(exit);
      expect(said).toContain("/u:…@h");
      expect(said).not.toContain("SECRET");
    }
  });

  test.each([
    [["backup", "--to"], "coop copy --from STORE --to URL moves the store to a server"],
    [["restore"], "coop copy --from URL --to STORE brings a store back from a server"],
    [["queue", "archive", "--older", "1d", "--to"], "name one by its path"],
    [["shim", "python", "--dir"], "name one by its path"],
  ])("is no file: %j", async (words, instead) => {
    await using coop = await story();
    const { exit, err } = await coop.run([...words, "postgres://u:SECRET@h/x"], { as: "ann" });
    expect({ exit, err }).toEqual({
      exit: 2,
      err: expect.stringContaining(`: a URL is no file; ${instead}`),
    });
    expect(err).not.toContain("SECRET");
    expect(await readdir(coop.folder)).toEqual([]);
    const other = await coop.run([...words, "https://h/x"], { as: "ann" });
    expect(other.exit).toBe(2);
    expect(other.err).toContain("a URL is no file; name one by its path");
  });
});
