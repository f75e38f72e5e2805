import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { shellWord } from "../src/shell.ts";

import { build } from "./build.ts";

/** Builds the binary and plays a day of two brains, a person and a web site on a store that is thrown away after. */
const ROOT = resolve(import.meta.dir, "..");
const COOP = join(ROOT, process.platform === "win32" ? "dist/coop.exe" : "dist/coop");

class Stage {
  readonly #env: Record<string, string | undefined>;

  constructor(
    home: string,
    readonly folder: string,
  ) {
    const inherited = Object.entries(process.env).filter(
      ([name]) => !/^(PIPPA_COOP|GIT)_/.test(name),
    );
    this.#env = { ...Object.fromEntries(inherited), HOME: home, USERPROFILE: home };
  }

  say(text: string): void {
    console.log(`\n# ${text}`);
  }

  /** Runs a program, showing the command and what it prints. */
  async run(program: string, ...words: string[]): Promise<void> {
    console.log(`$ ${[program, ...words].map(shellWord).join(" ")}`);
    await this.#spawn([program === "coop" ? COOP : program, ...words]);
  }

  /** Runs coop with a text on its standard input. */
  async pipe(text: string, ...words: string[]): Promise<void> {
    const lines = text.trimEnd().split("\n").map(shellWord).join(" ");
    console.log(`$ printf '%s\\n' ${lines} | coop ${words.map(shellWord).join(" ")}`);
    await this.#spawn([COOP, ...words], text);
  }

  async #spawn(command: string[], stdin?: string): Promise<void> {
    const child = Bun.spawn(command, {
      cwd: this.folder,
      env: this.#env,
      stdin: stdin === undefined ? "ignore" : new TextEncoder().encode(stdin),
      stdout: "pipe",
      stderr: "pipe",
    });
    const [out, talk] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ]);
    process.stdout.write(out + talk);
    if ((await child.exited) !== 0)
      throw new Error(`${command.join(" ")} ended with ${child.exitCode}`);
  }
}

async function play(stage: Stage): Promise<void> {
  const { run, pipe, say } = {
    run: stage.run.bind(stage),
    pipe: stage.pipe.bind(stage),
    say: stage.say.bind(stage),
  };
  const claude = (...words: string[]) => run("coop", "--as", "claude-code-pippa", ...words);
  const codex = (...words: string[]) => run("coop", "--as", "codex-pippa", ...words);

  say("Once, the person makes the store.");
  await run("coop", "init");

  say("A session ends: a past self writes to its future self.");
  await claude(
    "letter",
    "write",
    "Where I stopped",
    "--body",
    "The parser is done. Tests next: begin with empty input.",
  );

  say("A new session of the same brain begins, and remembers nothing. It reads, starts and acks.");
  await claude("letter", "read");
  await claude("letter", "start", "L1");
  await claude("letter", "ack", "L1", "--body", "got it. tests are green");

  say("A request goes back and forth between two brains.");
  await claude(
    "request",
    "open",
    "Review the parser",
    "--to",
    "codex-pippa",
    "--kind",
    "review",
    "--body",
    "Is the error message clear?",
  );
  await codex("request", "list", "--waiting-on", "me");
  await codex("request", "accept", "R1");
  await codex("request", "reply", "R1", "It is. What of a file with no newline at its end?");
  await claude("request", "reply", "R1", "Handled now, with a test.");
  await codex("request", "done", "R1", "--body", "Then it is good.");
  await run("coop", "request", "show", "R1");

  say("What is to be done, and what it waits on.");
  await run(
    "coop",
    "--as",
    "dad",
    "todo",
    "add",
    "Publish the parser",
    "--to",
    "claude-code-pippa",
    "--priority",
    "1",
  );
  await run("coop", "--as", "dad", "todo", "add", "Write the announcement", "--after", "T1");
  await claude("todo", "ready");

  say("The why of a commit is written before it, and its sha filled in after.");
  await run("git", "init", "--quiet");
  await claude(
    "history",
    "add",
    "Split the parser",
    "--body",
    "One file did two things: reading and checking.",
  );
  await run(
    "git",
    "-c",
    "user.name=Pippa",
    "-c",
    "user.email=pippa@example.org",
    "commit",
    "--quiet",
    "--allow-empty",
    "-m",
    "Split the parser",
  );
  await claude("history", "commit", "HEAD");
  await run("coop", "history", "list");

  say(
    "A web site pushes into a queue; a dispatcher fans the question out and gathers the replies.",
  );
  await run(
    "coop",
    "--as",
    "site",
    "queue",
    "push",
    "questions",
    '{"q":"Which name is better, coop or nest?"}',
  );
  await run("coop", "--as", "dispatcher", "queue", "take", "questions");
  await run(
    "coop",
    "--as",
    "dispatcher",
    "queue",
    "push",
    "answers",
    "coop or nest?",
    "--to",
    "claude-code-pippa,codex-pippa",
    "--re",
    "Q1",
  );
  await claude("queue", "take", "answers");
  await claude("queue", "done", "Q2", "--reply", "coop: it says what happens there");
  await run("coop", "--as", "dispatcher", "queue", "replies", "F1");
  await codex("queue", "take", "answers");
  await pipe("coop, too\n", "--as", "codex-pippa", "queue", "done", "Q3", "--reply", "-");
  await run("coop", "--as", "dispatcher", "queue", "replies", "F1");
  await run("coop", "--as", "dispatcher", "queue", "done", "Q1", "--reply", "coop, by two of two");

  say("At a glance: who takes part and what is open on whom.");
  await run("coop", "who");
}

await build({ entry: join(ROOT, "src/main.ts"), outfile: COOP });
const home = await mkdtemp(join(tmpdir(), "coop-start-"));
try {
  const folder = join(home, "parser");
  await mkdir(folder);
  await play(new Stage(home, folder));
  console.log(
    `\nThe binary is ${COOP}; the store of this play is gone. Copy the binary onto your PATH and go on with README.md.`,
  );
} finally {
  await rm(home, { recursive: true, force: true });
}
