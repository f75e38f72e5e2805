import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { build } from "../build.ts";

const ROOT = join(import.meta.dir, "../..");

/** Where a bench works: a folder on a disk, with what it runs. */
export interface Place extends Disposable {
  folder: string;
  fileSystem: string;
  /** The executables. */
  coop: string;
  hello: string;
  byHand: string;
  /** A home of this name, with more in its environment. */
  home(name: string, env?: Record<string, string>): Home;
}

type Command = readonly string[];

/** What a command must end with and print. */
interface Expected {
  stdin?: string;
  exit?: number;
  says?: RegExp;
}

/** A bare folder, a store in it, and few variables: all that is compared runs so, coop and what is not coop. */
export interface Home {
  folder: string;
  env: Record<string, string>;
  store: string;
  /** Makes the store. */
  init(): void;
  /** Runs coop; gives its stdout. */
  run(words: Command, expected?: Expected): string;
  /** Runs any program. */
  runOther(command: Command, expected?: Expected): string;
  /** The most memory that a program has, in bytes. It must print something other than that there is nothing. */
  memoryOf(command: Command): Promise<number>;
}

const MEMORY_FILE_SYSTEMS = ["tmpfs", "ramfs"];

/** Makes a place in a folder (the system's for temporary files, unless that is in memory), and builds what is run. */
export async function place(parent: string | undefined): Promise<Place> {
  const inMemory = MEMORY_FILE_SYSTEMS.includes(fileSystemOf(tmpdir()));
  const above = resolve(
    process.env["CALLER"] ?? "",
    parent ?? (inMemory ? join(ROOT, "node_modules/.cache") : tmpdir()),
  );
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
      home: (name, env) => home(join(folder, name), coop, env),
      // At once: a connection whose statements are only collected meanwhile would take its log away from under it.
      [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
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

function home(folder: string, coop: string, more: Record<string, string> = {}): Home {
  const env = { HOME: folder, PATH: process.env["PATH"] ?? "", PIPPA_COOP_ID: "reader", ...more };
  const runOther: Home["runOther"] = (command, { stdin, exit = 0, says = /\S/ } = {}) => {
    const child = Bun.spawnSync([...command], {
      cwd: folder,
      env,
      stdin: stdin === undefined ? "ignore" : Buffer.from(stdin),
      stdout: "pipe",
      stderr: "pipe",
    });
    const out = child.stdout.toString();
    requireSaid(command, { exit, says }, child.exitCode, out + child.stderr.toString());
    return out;
  };
  const run: Home["run"] = (words, expected) => runOther([coop, ...words], expected);
  return {
    folder,
    env,
    store: join(folder, "pippa-db/coop.db"),
    init: () => {
      mkdirSync(folder, { recursive: true });
      run(["init"]);
    },
    run,
    runOther,
    memoryOf: (command) => memoryOf(command, { cwd: folder, env }),
  };
}

function requireSaid(
  command: Command,
  { exit, says }: Required<Pick<Expected, "exit" | "says">>,
  ended: number | null,
  said: string,
): void {
  if (ended !== exit || !says.test(said))
    throw new Error(`${command.join(" ")}: exit ${ended}: ${said}`);
}

const SOMETHING = /^(?!(no|nothing) )./;

/**
 * The most memory that a program has, by looking at it all the while it runs: what the system says after its end counts
 * in the process that started it. What it prints must fit into a pipe.
 */
async function memoryOf(
  command: Command,
  options: Pick<Home, "env"> & { cwd: string },
): Promise<number> {
  const child = Bun.spawn([...command], { ...options, stdio: ["ignore", "pipe", "pipe"] });
  const name = basename(command[0]!);
  let most = 0;
  for (;;) {
    const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
    const peak = /^VmHWM:\s+(\d+) kB/m.exec(status)?.[1];
    if (peak === undefined) break;
    if (status.startsWith(`Name:\t${name}\n`)) most = Number(peak) * 1024;
  }
  const said = (await child.stdout.text()) + (await child.stderr.text());
  requireSaid(command, { exit: 0, says: SOMETHING }, await child.exited, said);
  return most;
}
