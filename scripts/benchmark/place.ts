import { Database } from "bun:sqlite";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { build } from "../build.ts";

const ROOT = join(import.meta.dir, "../..");

/** Where a bench works: a folder on a disk, with what it runs. */
export interface Place extends AsyncDisposable {
  folder: string;
  fileSystem: string;
  /** The executables. */
  coop: string;
  hello: string;
  byHand: string;
  /** Where a store of this name is, and what its commands run with. */
  home(name: string): Home;
}

/** A home folder with a store, and commands in it. */
export interface Home {
  store: string;
  init(): void;
  /** Runs one command, which must end with one of the exits; gives its stdout. */
  run(words: readonly string[], options?: { stdin?: string; exits?: readonly number[] }): string;
  /** The most memory that a command has, in bytes. */
  memoryOf(words: readonly string[]): number;
  /** One number asked of the store. */
  count(query: string): number;
}

const MEMORY_FILE_SYSTEMS = ["tmpfs", "ramfs"];

/** Makes a place in a folder (the system's for temporary files, unless that is in memory), and builds what is run. */
export async function place(parent: string | undefined): Promise<Place> {
  const inMemory = MEMORY_FILE_SYSTEMS.includes(fileSystemOf(tmpdir()));
  const above = parent ?? (inMemory ? join(ROOT, "node_modules/.cache") : tmpdir());
  await mkdir(above, { recursive: true });
  const folder = await mkdtemp(join(above, "coop-bench-"));
  const executable = async (entry: string, name: string) => {
    const outfile = join(folder, "bin", name);
    await build({ entry, outfile });
    return outfile;
  };
  try {
    const coop = await executable(join(ROOT, "src/main.ts"), "coop");
    const hello = await executable(join(import.meta.dir, "hello.ts"), "hello");
    const byHand = await executable(join(import.meta.dir, "by-hand.ts"), "by-hand");
    return {
      folder,
      fileSystem: fileSystemOf(folder),
      coop,
      hello,
      byHand,
      home: (name) => home(join(folder, name), coop),
      [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
    };
  } catch (thrown) {
    await rm(folder, { recursive: true });
    throw thrown;
  }
}

/** The kind of file system that a folder is on, where the system tells it in /proc. */
function fileSystemOf(folder: string): string {
  if (!existsSync("/proc/self/mountinfo")) return "unknown";
  const mounts = readFileSync("/proc/self/mountinfo", "utf8")
    .trim()
    .split("\n")
    .map((line) => ({ at: line.split(" ")[4]!, type: line.split(" - ")[1]!.split(" ")[0]! }))
    .filter(({ at }) => `${folder}/`.startsWith(at === "/" ? at : `${at}/`));
  return mounts.reduce((one, other) => (other.at.length >= one.at.length ? other : one)).type;
}

function home(folder: string, coop: string): Home {
  const store = join(folder, "pippa-db/coop.db");
  const env = { HOME: folder, PATH: process.env["PATH"] ?? "", PIPPA_COOP_ID: "reader" };
  const run: Home["run"] = (words, { stdin, exits = [0] } = {}) => {
    const child = Bun.spawnSync([coop, ...words], {
      cwd: folder,
      env,
      stdin: stdin === undefined ? "ignore" : Buffer.from(stdin),
      stdout: "pipe",
      stderr: "pipe",
    });
    if (!exits.includes(child.exitCode))
      throw new Error(
        `coop ${words.join(" ")}: exit ${child.exitCode}: ${child.stderr.toString()}`,
      );
    return child.stdout.toString();
  };
  return {
    store,
    run,
    memoryOf: (words) => memoryOf([coop, ...words], { cwd: folder, env }),
    init: () => {
      mkdirSync(folder, { recursive: true });
      run(["init"]);
    },
    count: (query) => {
      using database = new Database(store, { readonly: true });
      return database.query<{ found: number }, []>(query).get()!.found;
    },
  };
}

/** Runs a program that must say this. */
export function runOther(command: readonly string[], says: string | RegExp): void {
  const child = Bun.spawnSync([...command], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const out = child.stdout.toString();
  if (!new RegExp(says).test(out)) throw new Error(`${command.join(" ")} said ${out}`);
}

/**
 * The most memory that a program has, in bytes, by looking at it all the while it runs: what the system says after its
 * end counts in the process that started it.
 */
export function memoryOf(
  command: readonly string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): number {
  const child = Bun.spawn([...command], { ...options, stdio: ["ignore", "ignore", "ignore"] });
  const name = basename(command[0]!);
  let most = 0;
  for (;;) {
    const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
    const peak = /^VmHWM:\s+(\d+) kB/m.exec(status)?.[1];
    if (peak === undefined) return most;
    if (status.startsWith(`Name:\t${name}\n`)) most = Number(peak) * 1024;
  }
}
