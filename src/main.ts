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
  host: async () => {
    // Read by another thread while the store is opened; to load node:os takes this one a while.
    const name = process.platform === "linux" && (await files.read("/proc/sys/kernel/hostname"));
    return name ? name.trim() : (await import("node:os")).hostname();
  },
  home,
  clock: {
    now: Date.now,
    // The first use of `performance` makes all that belongs to it.
    elapsed: () => Bun.nanoseconds() / 1e6,
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
  print: async (text) => {
    try {
      // Unlike console.log it says what was not written.
      await Bun.write(Bun.stdout, text);
    } catch (thrown) {
      const { stdoutError } = await import("./edge/stdout");
      const error = stdoutError(thrown);
      if (error) throw error;
    }
  },
  versions: async () => (await import("./edge/versions")).versions(),
  complain: (line) => console.error(line),
  progress: async (line) => (await import("./edge/progress")).progress(line),
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
  keep: async (text) => {
    const { keep } = await import("./edge/editor");
    return keep(text);
  },
};

function workingFolder(): string {
  try {
    return process.cwd();
  } catch {
    throw usage("the working folder is gone", "cd to a folder that exists");
  }
}

function home(): string {
  const folder =
    (process.platform !== "win32" && env["HOME"]) || process.getBuiltinModule("node:os").homedir();
  if (isAbsolute(folder)) return folder;
  throw usage(
    `HOME is '${folder}', which is no absolute path`,
    "set HOME, or name the store with --db",
  );
}

process.exitCode = await program(root, process.argv.slice(2), edge);
