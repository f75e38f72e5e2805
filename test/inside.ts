import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Edge } from "../src/cli/context";
import { program } from "../src/cli/program";
import { files } from "../src/edge/files";
import { contents } from "../src/edge/read";
import root from "../src/root";
import type { Store } from "../src/store/open";
import { clock, PLAINLY, type Engine } from "./engines";
import type { Outcome, RunOptions } from "./story";

/** Command lines run inside this process, for where many are tried: the same as a story, with a made-up edge. */
export interface Inside extends AsyncDisposable {
  /** The working folder, in no git work tree. */
  folder: string;
  run(words: readonly string[], options?: InsideOptions): Promise<Outcome>;
  /** Runs one command that must succeed with `--json`, and gives its `data`. */
  // oxlint-disable-next-line no-explicit-any
  data(words: readonly string[], options?: InsideOptions): Promise<any>;
}

export type InsideOptions = Pick<RunOptions, "as" | "stdin" | "cwd" | "env"> & {
  /** What the person writes in the editor, seeing what it begins with. */
  edit?: (initial: string) => string;
  /** What prints the answer, where that is not kept. */
  print?: Edge["print"];
};

/** Runs commands on a store that is open here too; without one, where there is no store. */
export async function inside(store?: Store): Promise<Inside> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "coop-inside-")));
  const variables: Record<string, string> = store
    ? { PIPPA_COOP_DB: nameOf(store), ...PLAINLY }
    : {};
  const run: Inside["run"] = async (words, { as, stdin, cwd = folder, env, edit, print } = {}) => {
    const argv = as === undefined ? words : ["--as", as, ...words];
    const out: string[] = [];
    const err: string[] = [];
    const edge: Edge = {
      env: { ...variables, ...env },
      folder: cwd,
      pid: 1,
      clock,
      host: async () => "host",
      home: () => folder,
      versions: async () => ({ coop: "1", bun: "1", sqlite: "1" }),
      colour: async () => false,
      print: print ?? (async (text) => void out.push(text)),
      complain: async (text) => void err.push(text),
      progress: async () => {},
      files,
      stdin: async () => {
        if (stdin === undefined)
          throw new Error("standard input was read, and nothing asked for it");
        return new Blob([stdin as string]).stream();
      },
      file: async (path) => contents(path),
      rawArguments: async () => Buffer.from(argv.join("\0")),
      edit: async (initial) => {
        if (!edit) throw new Error("an editor was opened, and nothing asked for it");
        return Buffer.from(edit(initial));
      },
      keep: async (text) => {
        await Bun.write(join(folder, "kept.md"), text);
        return join(folder, "kept.md");
      },
    };
    const exit = await program(root, argv, edge);
    const text = out.join("");
    return {
      exit,
      out: text,
      err: err.join(""),
      bytes: Buffer.from(text),
      json: () => JSON.parse(exit === 0 ? text : err.join("")),
    };
  };
  return {
    folder,
    run,
    data: async (words, options) => {
      const outcome = await run(["--json", ...words], options);
      if (outcome.exit === 0) return outcome.json().data;
      throw new Error(`coop ${words.join(" ")}: exit ${outcome.exit}\n${outcome.err}`);
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}

/** What `--db` calls a store. */
export const nameOf = ({ location }: Store) =>
  location.engine === "sqlite" ? location.path : location.url;

/** A store as `coop init` makes it, and command lines on it; `close` takes both away. */
export async function insideFresh(openFresh: Engine["openFresh"]) {
  const { store, close } = await openFresh();
  const coop = await inside(store);
  return {
    store,
    coop,
    close: async () => {
      await coop[Symbol.asyncDispose]();
      await close();
    },
  };
}
