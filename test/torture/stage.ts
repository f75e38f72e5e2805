import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Campaign } from "./campaign";

/** How a process ended and what it said. */
export interface Ended {
  argv: readonly string[];
  /** null for one that a signal ended. */
  exit: number | null;
  out: string;
  err: string;
  /** How long it ran, in ms. */
  ms: number;
  /**
   * The whole document on stdout, where there is one. What was said counts, even if the process was killed after
   * saying it: it says nothing before it has committed.
   */
  // oxlint-disable-next-line no-explicit-any
  answer: { data: any; replayed?: true } | undefined;
}

export interface LaunchOptions {
  /** More words at the end. */
  flags?: readonly string[];
  stdin?: string;
  cwd?: string;
  env?: Record<string, string>;
  /** Another executable instead of the built one. */
  program?: string;
  /** What the executable is run by, such as `["sh", "-c", …]`. */
  under?: readonly string[];
  /** When it is killed, in ms from its start. */
  lifetime?: number | undefined;
  /** Told of the process when it is started. */
  started?: (running: Running) => void;
}

/** A process at work. */
export interface Running {
  pid: number;
  kill(signal: NodeJS.Signals): void;
  ended: Promise<Ended>;
}

const LONGEST_RUN_MS = 120_000;

/** A throwaway home with a store in which processes are run. */
export class Stage {
  readonly home: string;
  store: string;

  constructor(
    readonly campaign: Campaign,
    readonly name: string,
  ) {
    this.home = join(campaign.folder, name);
    this.store = join(this.home, "pippa-db/coop.db");
  }

  /** Makes the folder, and the store by `coop init` with these words. */
  async open(...words: string[]): Promise<this> {
    await mkdir(this.home, { recursive: true });
    await this.must(["init", ...words]);
    return this;
  }

  /** Takes the folder away, unless it is evidence: campaigns can be longer than a disk has room for. */
  async close(): Promise<void> {
    if (this.campaign.violations.length === 0) await rm(this.home, { recursive: true });
  }

  /** Says what should not be, with all that is needed to find the place again. */
  violate(what: string): void {
    this.campaign.violations.push(`${this.name} (seed ${this.campaign.chance.seed}): ${what}`);
  }

  /** Runs coop with these words, always with `--json`. */
  launch(words: readonly string[], options: LaunchOptions = {}): Running {
    const { stdin, cwd = this.home, env = {}, program = this.campaign.coop, under = [] } = options;
    const argv = [...under, program, "--json", ...words, ...(options.flags ?? [])];
    const start = performance.now();
    const child = Bun.spawn(argv, {
      cwd,
      env: { PATH: process.env["PATH"], HOME: this.home, PIPPA_COOP_DB: this.store, ...env },
      stdin: stdin === undefined ? "ignore" : new TextEncoder().encode(stdin),
      stdout: "pipe",
      stderr: "pipe",
    });
    const killed = options.lifetime;
    const end = setTimeout(() => child.kill("SIGKILL"), killed ?? LONGEST_RUN_MS);
    const finish = async (): Promise<Ended> => {
      const [out, err] = await Promise.all([
        new Response(child.stdout).text(),
        new Response(child.stderr).text(),
        child.exited,
      ]);
      clearTimeout(end);
      const ms = performance.now() - start;
      if (killed === undefined && ms >= LONGEST_RUN_MS)
        this.violate(`hung for ${Math.round(ms)} ms: ${argv.join(" ")}`);
      return {
        argv,
        exit: child.signalCode === null ? child.exitCode : null,
        out,
        err,
        ms,
        answer: out.endsWith("\n") ? JSON.parse(out) : undefined,
      };
    };
    return { pid: child.pid, kill: (signal) => child.kill(signal), ended: finish() };
  }

  run(words: readonly string[], options?: LaunchOptions): Promise<Ended> {
    const running = this.launch(words, options);
    options?.started?.(running);
    return running.ended;
  }

  /** Runs a command that nothing may keep from succeeding, and gives its data; a failure is a violation. */
  // oxlint-disable-next-line no-explicit-any
  async must(words: readonly string[], options?: LaunchOptions): Promise<any> {
    const ended = await this.run(words, options);
    if (ended.exit === 0) return ended.answer?.data;
    this.violate(`should have succeeded: ${told(ended)}`);
    throw new Error(told(ended));
  }
}

/** A command line and how it ended, on one line. */
export const told = ({ argv, exit, out, err }: Ended) =>
  `${argv.map(quoted).join(" ")}: ${exit === null ? "killed" : `exit ${exit}`} ${shortened(err + out)}`;

const quoted = (word: string) =>
  /^[\w@%+=:,./-]+$/.test(word) ? shortened(word) : JSON.stringify(shortened(word));

const shortened = (text: string) =>
  text.length > 400 ? `${text.slice(0, 400)}… (${text.length} characters)` : text.trimEnd();
