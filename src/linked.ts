import { base, parent, resolve, type Files } from "./scope";

/**
 * The folder that linked work trees are called after: the main work tree's top or, where there is none or git cannot tell,
 * the git folder, without `.git` at the end of its name; the folder around it where it is hidden, such as `.bare`.
 * @param commonFolder the git folder that they share.
 */
export async function mainFolder(commonFolder: string, { read }: Files): Promise<string> {
  if (base(commonFolder) === GIT) return parent(commonFolder);
  let workTree: string | undefined;
  // With `extensions.worktreeConfig` a work tree's own settings are in the second.
  for (const name of ["config", "config.worktree"])
    workTree = coreWorkTree((await read(`${commonFolder}/${name}`)) ?? "") ?? workTree;
  if (workTree !== undefined) return resolve(commonFolder, workTree);
  if (base(commonFolder).startsWith(".")) return parent(commonFolder);
  return commonFolder.endsWith(GIT) ? commonFolder.slice(0, -GIT.length) : commonFolder;
}

const GIT = ".git";

/** The last `core.worktree` in a file of git's settings; see "Syntax" in git-config(1). */
function coreWorkTree(config: string): string | undefined {
  let found: string | undefined;
  let inCore = false;
  for (const line of config.split("\n")) {
    const [header, section] = /^\s*\[([^\]]*)\]/.exec(line) ?? [""];
    if (section !== undefined) inCore = section.trim().toLowerCase() === "core";
    const value = /^\s*worktree\s*=\s*(.*?)\s*$/i.exec(line.slice(header.length))?.[1];
    if (inCore && value !== undefined) found = unquoted(value);
  }
  return found;
}

/** A value as it was before git quoted it and put backslashes into it. */
function unquoted(value: string): string {
  const inner = /^"((?:[^"\\]|\\.)*)"/.exec(value)?.[1] ?? value.replace(/\s*[#;].*$/, "");
  return inner.replace(/\\(.)/g, "$1");
}
