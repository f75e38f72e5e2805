import { mkdir, mkdtemp, realpath, rm } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { createSqliteStore } from "../src/store/sqlite/create";
import { Wait } from "../src/store/wait";
import { COOP } from "./binary";
import { machineClock } from "./clock";

/** How a command ended and what it said. */
export interface Outcome {
  exit: number;
  out: string;
  err: string;
  /** stdout as it was written. */
  bytes: Uint8Array;
  /** The one document on stdout; on stderr, when the command failed. */
  // oxlint-disable-next-line no-explicit-any
  json(): any;
}

export interface RunOptions {
  /** Who speaks. */
  as?: string;
  /** What standard input holds. Without it, standard input is an open pipe that never ends. */
  stdin?: string | Uint8Array;
  /** The working folder; the story's own unless another is named. */
  cwd?: string;
  /** Variables beside HOME and PATH. */
  env?: Record<string, string>;
  /** The ids of the user and the group to run as. */
  user?: number;
  /** Another program instead of the built one, such as git. */
  program?: string;
}

/** A throwaway home in which the built executable is run as users run it. */
export interface Story extends AsyncDisposable {
  home: string;
  /** The working folder, in no git work tree. */
  folder: string;
  /** Where the store is, or would be. */
  store: string;
  /** Runs one command as a process of its own. */
  run(words: readonly string[], options?: RunOptions): Promise<Outcome>;
  /** Runs one command that must succeed with `--json`, and gives its `data`. */
  // oxlint-disable-next-line no-explicit-any
  data(words: readonly string[], options?: RunOptions): Promise<any>;
}

const LONGEST_RUN_MS = 30_000;

/** Begins a story: `await using coop = await story()`. The store is made unless `init` is false. */
export async function story({ init = true }: { init?: boolean } = {}): Promise<Story> {
  const top = await realpath(await mkdtemp(join(tmpdir(), "coop-story-")));
  const home = join(top, "home");
  const folder = join(top, "folder");
  await mkdir(home);
  await mkdir(folder);
  const run: Story["run"] = (words, options = {}) => runProcess(words, { home, folder }, options);
  const coop: Story = {
    home,
    folder,
    store: join(home, "pippa-db/coop.db"),
    run,
    data: async (words, options) => {
      const outcome = await run(["--json", ...words], options);
      if (outcome.exit === 0) return outcome.json().data;
      throw new Error(`coop ${words.join(" ")}: exit ${outcome.exit}\n${outcome.err}`);
    },
    [Symbol.asyncDispose]: () => rm(top, { recursive: true }),
  };
  // As `coop init` does, but for the process: most stories begin so, and are about something else.
  if (init) await createSqliteStore(coop.store, new Wait(10, machineClock), { host: hostname() });
  return coop;
}

async function runProcess(
  words: readonly string[],
  { home, folder }: { home: string; folder: string },
  { as, stdin, cwd = folder, env = {}, user, program = COOP }: RunOptions,
): Promise<Outcome> {
  const argv = [program, ...(as === undefined ? [] : ["--as", as]), ...words];
  const child = Bun.spawn(argv, {
    cwd,
    env: { PATH: process.env["PATH"], HOME: home, ...env },
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
    ...(user !== undefined && { uid: user, gid: user }),
  });
  let hung = false;
  const limit = setTimeout(() => {
    hung = true;
    child.kill("SIGKILL");
  }, LONGEST_RUN_MS);
  const fed = stdin === undefined ? undefined : feed(child.stdin, stdin);
  const [bytes, err, exit] = await Promise.all([
    new Response(child.stdout).bytes(),
    new Response(child.stderr).text(),
    child.exited,
    fed,
  ]);
  clearTimeout(limit);
  if (stdin === undefined) await closed(child.stdin);
  if (hung) throw new Error(`hung, and was killed: ${argv.join(" ")}\n${err}`);
  const out = new TextDecoder().decode(bytes);
  return { exit, out, err, bytes, json: () => JSON.parse(exit === 0 ? out : err) };
}

async function feed(to: Bun.FileSink, content: string | Uint8Array): Promise<void> {
  try {
    to.write(content);
  } finally {
    await closed(to);
  }
}

/** Ends a pipe; a command that ended without reading all of it has closed it already. */
const closed = async (to: Bun.FileSink) => {
  try {
    await to.end();
  } catch (thrown) {
    if ((thrown as { code?: string }).code !== "EPIPE") throw thrown;
  }
};

/** Runs git in a folder with no settings of the machine's, and gives what it said. */
export async function git(cwd: string, ...words: string[]): Promise<string> {
  const env = {
    PATH: process.env["PATH"],
    HOME: cwd,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_AUTHOR_NAME: "ann",
    GIT_AUTHOR_EMAIL: "ann@localhost",
    GIT_COMMITTER_NAME: "ann",
    GIT_COMMITTER_EMAIL: "ann@localhost",
  };
  const child = Bun.spawn(["git", ...words], { cwd, env, stdout: "pipe", stderr: "pipe" });
  const [out, err, exit] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (exit === 0) return out.trim();
  throw new Error(`git ${words.join(" ")}: exit ${exit}\n${err}`);
}

/** Counts from 0: `times(20, (n) => coop.run(…))` runs twenty at once. */
export const times = <T>(count: number, each: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => each(index)));
