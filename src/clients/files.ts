import { lstat, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { usage } from "../errors";
import { ABANDONED_MS, asFolderError, exists, sync, syncFolder } from "../files";
import type { Clock } from "../store/wait";

/** A file that coop writes for another program. */
export interface ClientFile {
  name: string;
  /** Absolute. */
  path: string;
  text: string;
  /** Whoever wrote the one that is there, it serves, and stays. */
  stays?: boolean;
}

/**
 * Puts files into a folder, which is made if it is not there, each one whole or not at all. Those that are there and do
 * not begin with the mark are somebody's own: then nothing is written. The clock makes the names they are first written to.
 * @throws CoopError usage, naming the files that coop did not write, or for what is no folder; unavailable access,
 *   read_only or full.
 */
export async function putFiles(
  folder: string,
  files: readonly ClientFile[],
  mark: string,
  clock: Pick<Clock, "now" | "unique">,
): Promise<{ written: string[]; unchanged: string[] }> {
  try {
    const there = await Promise.all(files.map(({ path }) => textOf(path)));
    const foreign = files.filter(
      ({ stays }, index) => !stays && there[index]?.startsWith(mark) === false,
    );
    if (foreign.length > 0)
      throw usage(
        `coop did not write ${foreign.map(({ path }) => path).join(", ")}, so nothing was written`,
        "name another folder, or move what is there away",
      );
    const stale = files.filter(({ text, stays }, index) =>
      stays ? there[index] === undefined : there[index] !== text,
    );
    await mkdir(folder, { recursive: true });
    if (stale.length > 0) await removeLeft(folder, files, clock.now());
    await replaceAll(stale, clock.unique());
    // Also what an earlier one put there, which was killed before the disk had it.
    await syncFolder(folder);
    const names = (of: readonly ClientFile[]) => of.map(({ name }) => name);
    return {
      written: names(stale),
      unchanged: names(files.filter((file) => !stale.includes(file))),
    };
  } catch (thrown) {
    const { code } = thrown as { code?: string };
    // A link to what is not there is EEXIST too: its disk may not be mounted.
    if (code === "ENOTDIR" || (code === "EEXIST" && (await exists(folder))))
      throw usage(`${folder} is a file, or goes through one`, "name a folder with --dir");
    throw asFolderError(thrown, folder, "--dir");
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

/** Removes what a command that was killed left under the names that files are first written to. */
async function removeLeft(
  folder: string,
  files: readonly ClientFile[],
  now: number,
): Promise<void> {
  const isLeft = (each: string) =>
    files.some(({ name }) => each.startsWith(`${name}.`) && UNIQUE.test(each));
  for (const each of (await readdir(folder).catch(() => [])).filter(isLeft)) {
    const path = join(folder, each);
    const there = await lstat(path).catch(() => undefined);
    if (there?.isFile() && now - there.mtimeMs > ABANDONED_MS) await rm(path).catch(() => {});
  }
}

const UNIQUE = /\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Writes all files under other names before it renames the first. */
async function replaceAll(files: readonly ClientFile[], unique: string): Promise<void> {
  const suffix = `.${unique}`;
  try {
    for (const { path, text } of files) {
      await writeFile(path + suffix, text, { flag: "wx" });
      await sync(path + suffix, "r+");
    }
    for (const { path } of files) await rename(path + suffix, path);
  } finally {
    for (const { path } of files) await rm(path + suffix, { force: true });
  }
}
