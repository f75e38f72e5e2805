import { Database } from "bun:sqlite";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** A queue inside this process, durable at each step. */
export interface Peer {
  name: string;
  add(): unknown;
  /** Claims the next item and completes it. */
  finishOne(): unknown;
  addMany?(payloads: readonly unknown[]): unknown;
  /** How many were added in all, and how many of them are completed. */
  counts(): { added: number; finished: number };
  close(): unknown;
}

const FOLDER = join(import.meta.dir, "peers");

/** What was installed, and for which machine: a folder can be shared between two. */
const STAMP = join(FOLDER, "node_modules/.installed");

/** Installs the packages that coop is compared with, at the versions of the lock file. They are no part of coop. */
export function installPeers(): void {
  const locks = ["package.json", "package-lock.json", "bun.lock"];
  const wanted = [
    `${process.platform} ${process.arch}\n`,
    ...locks.map((name) => readFileSync(join(FOLDER, name), "utf8")),
  ].join("");
  if (existsSync(STAMP) && readFileSync(STAMP, "utf8") === wanted) return;
  console.error("bench: installing what coop is compared with");
  rmSync(STAMP, { force: true });
  const npm = Bun.which("npm") !== null && Bun.which("node") !== null;
  const command = npm
    ? ["npm", "ci", "--ignore-scripts", "--loglevel=error"]
    : [process.execPath, "install", "--frozen-lockfile", "--ignore-scripts"];
  const { exitCode } = Bun.spawnSync(command, {
    cwd: FOLDER,
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (exitCode !== 0) throw new Error(`${command.join(" ")} ended with ${exitCode}`);
  writeFileSync(STAMP, wanted);
}

/** The packages, each with a new database of its own, synced at each commit as coop's is. */
export async function peers(folder: string, payload: string): Promise<Peer[]> {
  const data: unknown = JSON.parse(payload);
  const file = (name: string) => join(folder, `${name}.db`);
  return [
    await plainjob(file("plainjob"), data),
    await liteque(file("liteque"), data),
    await bunqueue(file("bunqueue"), data),
  ];
}

/** One number asked of a database. */
const counted = (database: Database, query: string) =>
  database.query<{ found: number }, []>(query).get()!.found;

const load = (name: string) => import(Bun.resolveSync(name, FOLDER));

/** The npm package plainjob. */
export async function plainjob(path: string, data: unknown): Promise<Peer> {
  const { bun, defineQueue } = await load("plainjob");
  const database = new Database(path, { create: true, strict: true });
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  const queue = defineQueue({ connection: bun(database), logger: silent });
  database.run("pragma synchronous = full");
  return {
    name: "plainjob",
    add: () => queue.add("jobs", data),
    finishOne: () => {
      const { id } = queue.getAndMarkJobAsProcessing("jobs");
      queue.getJobById(id);
      queue.markJobAsDone(id);
    },
    addMany: (payloads) => queue.addMany("jobs", payloads),
    counts: () => ({
      added: counted(database, "select count(*) as found from plainjob_jobs"),
      finished: counted(database, "select count(*) as found from plainjob_jobs where status = 2"),
    }),
    close: () => queue.close(),
  };
}

/** The npm package liteque, through drizzle's driver for Bun. It deletes what is completed. */
async function liteque(path: string, data: unknown): Promise<Peer> {
  const { SqliteQueue } = await load("liteque");
  const { drizzle } = await load("drizzle-orm/bun-sqlite");
  const { migrate } = await load("drizzle-orm/bun-sqlite/migrator");
  const database = new Database(path, { create: true });
  database.run("pragma journal_mode = wal");
  database.run("pragma synchronous = full");
  const db = drizzle(database);
  const migrationsFolder = join(dirname(Bun.resolveSync("liteque", FOLDER)), "drizzle");
  migrate(db, { migrationsFolder });
  const queue = new SqliteQueue("jobs", db, {
    defaultJobArgs: { numRetries: 0 },
    keepFailedJobs: false,
  });
  let finished = 0;
  return {
    name: "liteque",
    add: () => queue.enqueue(data),
    finishOne: async () => {
      const { id, allocationId } = await queue.attemptDequeue({ timeoutSecs: 60 });
      await queue.finalize(id, allocationId, "completed");
      finished++;
    },
    counts: () => ({ added: counted(database, "select count(*) as found from tasks"), finished }),
    close: () => database.close(),
  };
}

/** The npm package bunqueue, embedded, with its option `durable`. */
async function bunqueue(path: string, data: unknown): Promise<Peer> {
  const { QueueManager } = await load("bunqueue/queue");
  const manager = new QueueManager({ dataPath: path });
  const database: Database = manager.storage.db;
  database.run("pragma synchronous = full");
  return {
    name: "bunqueue",
    add: () => manager.push("jobs", { data, durable: true }),
    finishOne: async () => {
      const { id } = await manager.pull("jobs");
      await manager.ack(id);
    },
    counts: () => ({
      added: counted(database, "select count(*) as found from jobs"),
      finished: counted(database, "select count(*) as found from jobs where state = 'completed'"),
    }),
    close: () => manager.shutdown(),
  };
}
