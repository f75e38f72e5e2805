import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { CoopError, usage } from "../errors";

/** Keeps a text in a new file that only its owner can read, and gives the file's path. */
export async function keep(text: string): Promise<string> {
  const file = join(await mkdtemp(join(tmpdir(), "coop-")), "text.md");
  await writeFile(file, text, { mode: 0o600 });
  return file;
}

/**
 * Lets the person write a text in `$VISUAL` or `$EDITOR`.
 * @throws CoopError usage, when neither is set, the editor fails, or what it leaves is empty or no text.
 */
export async function edit(
  initial: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const editor = env["VISUAL"] || env["EDITOR"];
  if (!editor)
    throw usage("--edit needs an editor", "set VISUAL or EDITOR, or give the text with --body");
  let folder: string | undefined;
  try {
    const file = await keep(initial);
    folder = dirname(file);
    const child = Bun.spawn(commandFor(editor, file, process.platform), {
      stdio: ["inherit", "inherit", "inherit"],
      windowsVerbatimArguments: true,
    });
    if ((await child.exited) !== 0)
      throw usage(`the editor ended with ${child.exitCode}`, "nothing was written");
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
      await readFile(file),
    );
    if (text.trim() === "") throw usage("the text was left empty", "nothing was written");
    return text;
  } catch (thrown) {
    if (thrown instanceof CoopError) throw thrown;
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw usage(`the text could not be edited: ${why}`, "nothing was written; use --body-file");
  } finally {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }
}

/** The words that let an editor edit a file. As git does, its variable is a command of the shell, such as `code --wait`. */
export const commandFor = (editor: string, file: string, platform: string): string[] =>
  platform === "win32"
    ? // cmd takes away the outermost quotes alone, and knows no escaped ones.
      ["cmd", "/d", "/s", "/c", `"${editor} "${file}""`]
    : ["sh", "-c", `${editor} "$@"`, "sh", file];
