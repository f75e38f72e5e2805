import { files } from "./edge/files";
import { program } from "./cli/program";
import type { Edge } from "./cli/context";
import { usage } from "./errors";
import { isAbsolute } from "./store/location";
import root from "./root";

// The process edge: the only file that touches `process`, the clock, chance and the standard streams. It avoids
// process.stdin, stdout and stderr, which cost as much to touch as the rest of a start.

const { env } = process;

const edge: Edge = {
  env,
  pid: process.pid,
  get folder() {
    return workingFolder();
  },
  host: () => os().hostname(),
  home,
  clock: {
    now: Date.now,
    elapsed: () => performance.now(),
    random: Math.random,
    unique: Bun.randomUUIDv7,
    sleep: Bun.sleep,
  },
  colour: async () => {
    // The first tells of stderr too; the second is dear, and only asked on a terminal.
    if (!Bun.enableANSIColors) return false;
    const { isatty } = await import("node:tty");
    return isatty(1);
  },
  print: (text) => console.log(text),
  versions: async () => (await import("./edge/versions")).versions(),
  complain: (line) => console.error(line),
  progress: async (line) => (await import("./edge/progress")).progress(line),
  printRaw: async (text) => {
    const { writeAll } = await import("./edge/stdout");
    await writeAll(text);
  },
  stdin: () => Bun.stdin.stream(),
  file: (path) => Bun.file(path).stream(),
  files,
  rawArguments: async () => {
    if (process.platform !== "linux") return undefined;
    return Bun.file("/proc/self/cmdline").bytes();
  },
  edit: async (initial) => {
    const { edit } = await import("./edge/editor");
    return edit(initial, env);
  },
};

function workingFolder(): string {
  try {
    return process.cwd();
  } catch {
    throw usage("the working folder is gone", "cd to a folder that exists");
  }
}

/** Loaded only where it is needed, which is not where nothing is written. */
const os = () => process.getBuiltinModule("node:os");

function home(): string {
  const folder = (process.platform !== "win32" && env["HOME"]) || os().homedir();
  if (isAbsolute(folder)) return folder;
  throw usage(
    `HOME is '${folder}', which is no absolute path`,
    "set HOME, or name the store with --db",
  );
}

process.exitCode = await program(root, process.argv.slice(2), edge);
