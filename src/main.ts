import { files, hasSize } from "./edge/files";
import { program } from "./cli/program";
import type { Edge } from "./cli/context";
import { usage } from "./errors";
import { isAbsolute } from "./store/location";
import root from "./root";

// The process edge: with `edge/`, all that touches `process`, the clock, chance and the standard streams. It avoids
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
      await write(Bun.stdout, text);
    } catch (thrown) {
      const { stdoutError } = await import("./edge/stdout");
      const error = stdoutError(thrown);
      if (error) throw error;
    }
  },
  versions: async () => (await import("./edge/versions")).versions(),
  // Nobody can be told that stderr is gone.
  complain: (text) => write(Bun.stderr, text).catch(() => {}),
  progress: async (line) => (await import("./edge/progress")).progress(line),
  stdin: async () =>
    hasSize(Bun.stdin) ? (await import("./edge/read")).rest(0) : Bun.stdin.stream(),
  file: async (path, most) => {
    const file = Bun.file(path);
    // Of files that the system makes up, such as those of /proc, some say that they are empty.
    return hasSize(file) && file.size > 0
      ? [await file.slice(0, most + 1).bytes()]
      : (await import("./edge/read")).contents(path);
  },
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

/** Writes all of a text as it is, or throws: console.log colours it, and does not say what was not written. */
async function write(to: Bun.BunFile, text: string): Promise<void> {
  // For more than a KiB Bun.write makes room in a file before it writes, also where it then appends: a hole of zeros.
  if (text.length < ALWAYS_UNDER_1_KIB || !hasSize(to)) {
    await Bun.write(to, text);
    return;
  }
  const sink = to.writer();
  await sink.write(text);
  await sink.end();
}

/** In UTF-16 units, of which each takes three bytes at most. */
const ALWAYS_UNDER_1_KIB = 341;

function workingFolder(): string {
  try {
    return process.cwd();
  } catch {
    throw usage("the working folder is gone", "cd to a folder that exists");
  }
}

function home(): string {
  const folder = (process.platform !== "win32" && env["HOME"]) || homeOfUser();
  if (isAbsolute(folder)) return folder;
  throw usage(
    `HOME is '${folder}', which is no absolute path`,
    "set HOME, or name the store with --db",
  );
}

function homeOfUser(): string {
  try {
    return process.getBuiltinModule("node:os").homedir();
  } catch {
    throw usage(
      "no home folder is known: HOME is not set, and this user is not in the system's list",
      "set HOME, or name the store with --db",
    );
  }
}

process.exitCode = await program(root, process.argv.slice(2), edge);
