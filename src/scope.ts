/** The small files of a git folder. */
export interface Files {
  /** Whether something with content is there. Far cheaper than reading, and nearly always enough. */
  holds(path: string): boolean;
  /** A file's text, or undefined when there is no file to read. */
  read(path: string): Promise<string | undefined>;
}

/** A git work tree, and where git keeps what belongs to it. All paths are absolute. */
export interface WorkTree {
  /** The folder that holds `.git`. */
  top: string;
  /** Where this work tree's HEAD is. */
  gitFolder: string;
  /** Where refs and packed-refs are; the main work tree's git folder for a linked one. */
  commonFolder: string;
  /** The folder that the project is called after: the main work tree's top, also for a linked one. */
  project: string;
}

/** The git work tree that a folder is in, found by walking up. Runs no git. */
export async function findWorkTree(folder: string, files: Files): Promise<WorkTree | undefined> {
  for (let top = folder; ; top = parent(top)) {
    const found = await workTreeAt(top, files);
    if (found || top === parent(top)) return found;
  }
}

async function workTreeAt(top: string, files: Files): Promise<WorkTree | undefined> {
  const { holds, read } = files;
  const dotGit = `${top === "/" ? "" : top}/.git`;
  if (holds(`${dotGit}/HEAD`))
    return { top, gitFolder: dotGit, commonFolder: dotGit, project: top };
  if (!holds(dotGit)) return undefined;
  const pointer = /^gitdir: (.+?)\s*$/.exec((await read(dotGit)) ?? "")?.[1];
  if (pointer === undefined) return undefined;
  const gitFolder = resolve(top, pointer);
  const common = (await read(`${gitFolder}/commondir`))?.trim() ?? unread(gitFolder, files);
  if (common === undefined) return { top, gitFolder, commonFolder: gitFolder, project: top };
  const commonFolder = resolve(gitFolder, common);
  const { mainFolder } = await import("./linked");
  return { top, gitFolder, commonFolder, project: await mainFolder(commonFolder, files) };
}

/** Where the shared git folder of a linked work tree is, where it cannot be looked into: git has one place for it. */
const unread = (gitFolder: string, { holds }: Files) =>
  base(parent(gitFolder)) === "worktrees" && !holds(`${gitFolder}/HEAD`) ? "../.." : undefined;

/** The scope of a work tree: the name of its project's folder, in NFC. */
export const scopeOf = ({ project }: WorkTree) => base(project).normalize("NFC");

/**
 * The commit that HEAD is at, as a full sha, read from the git folder; undefined before the first commit or where the
 * refs are kept in a way that is not files.
 */
export async function headCommit(
  { gitFolder, commonFolder }: WorkTree,
  { read }: Files,
): Promise<string | undefined> {
  let value = (await read(`${gitFolder}/HEAD`))?.trim();
  for (let depth = 0; depth < 5 && value?.startsWith("ref: "); depth++) {
    const name = value.slice("ref: ".length);
    const packed = async () =>
      (await read(`${commonFolder}/packed-refs`))
        ?.split("\n")
        .find((entry) => entry.endsWith(` ${name}`))
        ?.split(" ")[0];
    value =
      (await read(`${gitFolder}/${name}`))?.trim() ??
      (await read(`${commonFolder}/${name}`))?.trim() ??
      (await packed());
  }
  return value !== undefined && /^[0-9a-f]{40,64}$/.test(value) ? value : undefined;
}

/** What is between the parts of an absolute path. Only on Windows none begins with a slash, and a backslash is one too. */
const separator = (path: string) => (path.startsWith("/") ? "/" : /[\\/]/);

/** The last part of an absolute path: the name of what it leads to. */
export const base = (path: string) =>
  path.split(separator(path)).findLast((part) => part !== "") ?? "";

/** The folder that an absolute path's last part is in. */
export function parent(path: string): string {
  const slash = path.lastIndexOf("/");
  const cut = path.startsWith("/") ? slash : Math.max(slash, path.lastIndexOf("\\"));
  return cut <= 0 ? path.slice(0, 1) : path.slice(0, cut);
}

/** A path relative to an absolute folder, with `.` and `..` taken out. */
export function resolve(folder: string, path: string): string {
  const isWhole = folder.startsWith("/") ? path.startsWith("/") : /^([a-z]:)?[\\/]/i.test(path);
  const whole = isWhole ? path : `${folder}/${path}`;
  const parts: string[] = [];
  for (const part of whole.split(separator(whole))) {
    // Above the root is the root.
    if (part === "..") parts.splice(Math.max(1, parts.length - 1));
    else if (part !== "." && (part !== "" || parts.length === 0)) parts.push(part);
  }
  return parts.join("/") || "/";
}
