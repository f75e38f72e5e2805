import { mkdtemp, open, readdir, readFile, rm, writeFile, type FileHandle } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { isatty } from "node:tty";
import { CoopError, usage } from "../errors";

/** Keeps a text in a new file that only its owner can read, and gives the file's path. */
export async function keep(text: string | Uint8Array): Promise<string> {
  const file = join(await mkdtemp(join(tmpdir(), "coop-")), "text.md");
  await writeFile(file, text, { mode: 0o600 });
  return file;
}

/**
 * Lets the person write a text in `$VISUAL` or `$EDITOR`, and gives its bytes as the editor left them.
 * @throws CoopError usage, when neither is set, the editor fails, or what it leaves is empty. What was written in an
 * editor that failed is left where it is.
 */
export async function edit(
  initial: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Uint8Array> {
  const editor = env["VISUAL"] || env["EDITOR"];
  if (!editor)
    throw usage("--edit needs an editor", "set VISUAL or EDITOR, or give the text without --edit");
  let folder: string | undefined;
  try {
    const file = await keep(initial);
    folder = dirname(file);
    const how = await run(commandFor(editor, file, process.platform));
    if (how !== undefined) {
      const left = await remains(file, initial);
      if (left !== undefined) folder = undefined;
      throw usage(
        `the editor ${how}`,
        left === undefined
          ? "nothing was written"
          : `nothing was written; the text is kept in ${left}`,
      );
    }
    const text = await readFile(file);
    if (text.toString().trim() === "")
      throw usage("the text was left empty", "nothing was written");
    return text;
  } catch (thrown) {
    if (thrown instanceof CoopError) throw thrown;
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw usage(
      `the text could not be edited: ${why}`,
      "nothing was written; give the text without --edit",
    );
  } finally {
    // What was written is not to be lost for a file that somebody still has open.
    if (folder !== undefined) await rm(folder, { recursive: true, force: true }).catch(() => {});
  }
}

/** Runs an editor to its end; says how it ended, if not well. */
async function run(command: string[]): Promise<string | undefined> {
  const screen = isatty(1) ? undefined : await terminal();
  const ignore = () => {};
  // What is typed is meant for the editor, also the key that interrupts.
  for (const signal of ["SIGINT", "SIGQUIT"] as const) process.on(signal, ignore);
  try {
    const child = Bun.spawn(command, {
      // Standard output that is no terminal is for the answer alone.
      stdio: ["inherit", isatty(1) ? "inherit" : (screen?.fd ?? 2), "inherit"],
      windowsVerbatimArguments: true,
    });
    if ((await child.exited) === 0) return undefined;
    return child.signalCode ? `was ended by ${child.signalCode}` : `ended with ${child.exitCode}`;
  } finally {
    for (const signal of ["SIGINT", "SIGQUIT"] as const) process.off(signal, ignore);
    await screen?.close();
  }
}

/** The terminal itself, where there is one. Windows has none by that name, and would make a file of it. */
async function terminal(): Promise<FileHandle | undefined> {
  if (process.platform === "win32") return undefined;
  return open("/dev/tty", "w").catch(() => undefined);
}

/** Where an editor left what was written in it: in its file, or beside that in one of its own; undefined for nothing. */
async function remains(file: string, initial: string): Promise<string | undefined> {
  const folder = dirname(file);
  if ((await readdir(folder)).some((name) => join(folder, name) !== file)) return folder;
  const text = await readFile(file, "utf8").catch(() => "");
  return text.trim() === "" || text === initial ? undefined : file;
}

/** The words that let an editor edit a file. As git does, its variable is a command of the shell, such as `code --wait`. */
export const commandFor = (editor: string, file: string, platform: string): string[] =>
  platform === "win32"
    ? // cmd takes away the outermost quotes alone, and knows no escaped ones.
      ["cmd", "/d", "/s", "/c", `"${editor} "${file}""`]
    : ["sh", "-c", `${editor} "$@"`, "sh", file];
