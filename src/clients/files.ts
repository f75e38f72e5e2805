import { lstat, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { CoopError, usage } from "../errors";

/** A file that coop writes for another program. */
export interface ClientFile {
  name: string;
  /** Absolute. */
  path: string;
  text: string;
}

/**
 * Puts files into a folder, which is made if it is not there, each one whole or not at all. Those that are there and do
 * not begin with the mark are somebody's own: then nothing is written.
 * @throws CoopError usage, naming the files that coop did not write; unavailable access, read_only or full.
 */
export async function putFiles(
  folder: string,
  files: readonly ClientFile[],
  mark: string,
): Promise<{ written: string[]; unchanged: string[] }> {
  try {
    const there = await Promise.all(files.map(({ path }) => textOf(path)));
    const foreign = files.filter((_, index) => there[index]?.startsWith(mark) === false);
    if (foreign.length > 0)
      throw usage(
        `coop did not write ${foreign.map(({ path }) => path).join(", ")}, so nothing was written`,
        "name another folder, or move what is there away",
      );
    const stale = files.filter(({ text }, index) => there[index] !== text);
    await mkdir(folder, { recursive: true });
    await replaceAll(stale);
    const names = (of: readonly ClientFile[]) => of.map(({ name }) => name);
    return {
      written: names(stale),
      unchanged: names(files.filter((file) => !stale.includes(file))),
    };
  } catch (thrown) {
    throw asAccessError(thrown, folder);
  }
}

/** A file's text; "" for what is there and is no file, undefined when nothing is there. */
async function textOf(path: string): Promise<string | undefined> {
  try {
    return (await lstat(path)).isFile() ? await readFile(path, "utf8") : "";
  } catch (thrown) {
    if ((thrown as { code?: string }).code === "ENOENT") return undefined;
    throw thrown;
  }
}

/** Writes all files under other names before it renames the first. */
async function replaceAll(files: readonly ClientFile[]): Promise<void> {
  const suffix = `.${Bun.randomUUIDv7()}`;
  try {
    for (const { path, text } of files) await writeFile(path + suffix, text, { flag: "wx" });
    for (const { path } of files) await rename(path + suffix, path);
  } finally {
    for (const { path } of files) await rm(path + suffix, { force: true });
  }
}

const REASONS = {
  EACCES: "access",
  EPERM: "access",
  EEXIST: "access",
  ENOTDIR: "access",
  EROFS: "read_only",
  ENOSPC: "full",
  EDQUOT: "full",
} as const;

function asAccessError(thrown: unknown, folder: string): unknown {
  const { code = "" } = thrown as { code?: string };
  if (!Object.hasOwn(REASONS, code)) return thrown;
  return new CoopError("unavailable", `cannot write into ${folder} (${code})`, {
    reason: REASONS[code as keyof typeof REASONS],
    hint: "name another folder with --dir, or check this one",
    cause: thrown,
  });
}
