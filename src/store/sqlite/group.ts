import { chmod, lchown, lstat, readdir, readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { unavailable, usage } from "../../errors";
import { asFolderError, giveMode, ownPath } from "../../files";
import { isPartOfStore } from "../location";
import { backupsFolder, isNamedAsCopy } from "./backups";

/** A group of the system's users. */
export interface Group {
  name: string;
  id: number;
}

/**
 * The group with a name.
 * @throws CoopError usage, when the system has none.
 */
export async function findGroup(name: string): Promise<Group> {
  const lists = [
    () => readFile("/etc/group", "utf8"),
    () => said("getent", "group", name),
    async () =>
      (await said("dscl", ".", "-read", `/Groups/${name}`)).replace(
        /^PrimaryGroupID: /m,
        `${name}:*:`,
      ),
  ];
  for (const list of lists) {
    const line = (await list().catch(() => ""))
      .split("\n")
      .find((each) => each.startsWith(`${name}:`));
    const id = /^\d+$/.exec(line?.split(":")[2] ?? "")?.[0];
    if (id !== undefined) return { name, id: Number(id) };
  }
  throw usage(`this system has no group '${name}'`, "name a group that its users are in");
}

const said = async (...words: string[]) =>
  new Response(Bun.spawn(words, { stdin: "ignore", stderr: "ignore" }).stdout).text();

/**
 * Lets a group use a store and its backups: what is there now and what is made later, since what is made in the folder
 * gets its group, and SQLite gives what it keeps beside a store the store's mode.
 * @throws CoopError usage, when the folder holds other things too, or its backups are elsewhere; unavailable access, for
 *   who may not do that.
 */
export async function share(store: string, group: Group): Promise<void> {
  const path = ownPath(store);
  const folder = dirname(path);
  const base = basename(path);
  const stem = `${base.replace(/\.db$/, "")}.`;
  const belongs = (name: string) =>
    name === base || name.startsWith(stem) || (name.startsWith(`${base}-`) && isPartOfStore(name));
  const names = await readdir(folder);
  const other = names.find((name) => !/^(backups$|\.)/.test(name) && !belongs(name));
  if (other !== undefined)
    throw usage(
      `${folder} holds other things too, such as ${other}`,
      "give the store a folder of its own before you let a group in",
    );
  const backups = backupsFolder(path);
  // What is in the folder that it leads to may be anybody's.
  if ((await lstat(backups).catch(() => undefined))?.isSymbolicLink())
    throw usage(
      `${backups} is a link, and what it leads to may be for others`,
      "make it a folder of its own before you let a group in",
    );
  const beside = (await readdir(backups).catch(() => []))
    .filter((name) => isNamedAsCopy(path, name))
    .map((name) => join("backups", name));
  for (const name of ["", ...names, ...beside])
    if (!basename(name).startsWith("."))
      await give(join(folder, name), group, name === base || isPartOfStore(name));
}

/** The modes of what a group shares: its folders and its files. */
export const SHARED = { folder: 0o2770, file: 0o660 } as const;

async function give(path: string, { name, id }: Group, isPart: boolean): Promise<void> {
  try {
    const found = await lstat(path);
    if (found.isSymbolicLink()) return;
    const mode = found.isDirectory() ? SHARED.folder : SHARED.file;
    // What another of the group made has it already, and only its owner may give it.
    if (found.gid === id && (found.mode & 0o7777) === mode) return;
    // In this order: to change the owner takes away what lets the group be handed on.
    await lchown(path, found.uid, id);
    // To open and close the store's own file here would drop the locks on it; what its owner may not read cannot be opened.
    const unseen = (found.mode & 0o400) === 0;
    await (isPart || unseen ? chmod(path, mode) : giveMode(path, mode));
  } catch (thrown) {
    const { code } = thrown as { code?: string };
    // SQLite takes away what is beside a store when its last user leaves.
    if (code === "ENOENT") return;
    if (code !== "EPERM") throw asFolderError(thrown, dirname(path), "--db");
    throw unavailable(
      "access",
      `${path} cannot be given to the group ${name} (EPERM)`,
      "only its owner can do that, for a group that they are in, or root",
      thrown,
    );
  }
}
