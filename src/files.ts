import { existsSync, lstatSync, realpathSync, type Stats } from "node:fs";
import { constants, link, lstat, open, rename, rm, stat, type FileHandle } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { unavailable, usage } from "./errors";

/** What the file system refuses, and why. */
const REASONS = {
  EACCES: "access",
  EPERM: "access",
  EEXIST: "access",
  ENOTDIR: "access",
  ENOENT: "access",
  EISDIR: "access",
  ENOTSUP: "access",
  ELOOP: "access",
  ENAMETOOLONG: "access",
  EBUSY: "access",
  EMFILE: "access",
  ENFILE: "access",
  EIO: "access",
  // So Bun tells an I/O error of what it removes.
  EFAULT: "access",
  EROFS: "read_only",
  ENOSPC: "full",
  EDQUOT: "full",
  EFBIG: "full",
} as const;

/**
 * An error met while writing files into a folder, as the CoopError that a user should see; anything else as it is.
 * @param flag the flag that names another folder.
 */
export function asFolderError(thrown: unknown, folder: string, flag: string): unknown {
  const { code = "" } = thrown as { code?: string };
  if (!Object.hasOwn(REASONS, code)) return thrown;
  // The system says that there is something, or nothing, according to how it was asked.
  const dead = ["ENOENT", "EEXIST"].includes(code) && linkToNothing(folder);
  if (dead) return toNothing(dead, flag, thrown);
  const reason = REASONS[code as keyof typeof REASONS];
  return unavailable(
    reason,
    `cannot write into ${folder} (${code})`,
    reason === "full"
      ? "free some space, or raise your limits"
      : code === "ENAMETOOLONG"
        ? `name a shorter one with ${flag}`
        : `check its permissions and the sandbox you run in, or name another with ${flag}`,
    thrown,
  );
}

/** The link on the way to a folder that leads to what is not there, if that is why the folder is not. */
function linkToNothing(folder: string): string | undefined {
  for (let at = folder; !existsSync(at) && at !== dirname(at); at = dirname(at))
    if (lstatSync(at, { throwIfNoEntry: false })?.isSymbolicLink()) return at;
  return undefined;
}

const toNothing = (path: string, flag: string, cause?: unknown) =>
  unavailable(
    "access",
    `${path} is a link to what is not there`,
    `is the disk mounted? mount it, or name another with ${flag}`,
    cause,
  );

/** A store's own path, by whatever links it was named: what belongs to it is beside it there, and named after it. */
export function ownPath(store: string): string {
  try {
    return realpathSync.native(store);
  } catch {
    // One that is not there, or not to be seen.
    return store;
  }
}

/** Gives what was just made the owner and the group of `like`, where that can be: what root makes is for the store's user. */
export const giveOwner = (like: Stats, path: string): Promise<void> =>
  withMade(path, (made) => own(made, like));

async function own(made: FileHandle, { uid, gid }: Stats): Promise<void> {
  const is = await made.stat();
  if (is.uid !== uid || is.gid !== gid) await made.chown(uid, gid).catch(() => {});
}

/** Gives what was just made a mode. */
export const giveMode = (path: string, mode: number): Promise<void> =>
  withMade(path, (made) => made.chmod(mode));

/**
 * Gives what was just made the owner, the group and the mode of `like`, as far as this process may; its owner may write it in
 * any case. Where the group cannot be given, what `like` lets its group do is given to no other.
 */
export const giveLike = (like: Stats, path: string): Promise<void> =>
  withMade(path, async (made) => {
    await own(made, like);
    const others = (await made.stat()).gid === like.gid ? 0 : 0o070;
    await made.chmod((like.mode & 0o777 & ~others) | 0o600).catch(() => {});
  });

/**
 * Does something to what was just made, and to nothing else that its path leads to by now: others of a group may write in its
 * folder. Throws what the system says, ELOOP for a link. Windows knows neither owners nor modes.
 */
async function withMade(path: string, work: (made: FileHandle) => Promise<void>): Promise<void> {
  if (constants.O_NOFOLLOW === undefined) return;
  const made = await open(path, ITSELF);
  try {
    await work(made);
  } finally {
    await made.close();
  }
}

/** To read what is at a path itself: no other file by a link, nor what somebody writes into a pipe some day. */
const ITSELF = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * A path as given, from a working folder on.
 * @throws CoopError usage, where the folder is known by no name that leads to it.
 */
export function pathFrom(folder: string, given: string): string {
  const [first, ...others] = given.split(/(?:^|[\\/])\.\.(?=[\\/]|$)/);
  let path = resolve(folder, first!);
  // What is above a link is above what it leads to.
  for (const below of others) path = resolve(dirname(ownPath(path)), `./${below}`);
  if (!path.includes("\ufffd")) return path;
  throw usage(
    "the working folder's path holds U+FFFD or is not valid UTF-8, so nothing is found from there",
    "give the whole path",
  );
}

/** Whether two paths lead to one file; not where one of them leads to none that can be seen. */
export async function isSameFile(one: string, other: string): Promise<boolean> {
  // Windows has numbers of files that a double rounds.
  const look = (path: string) => stat(path, { bigint: true }).catch(() => undefined);
  const [a, b] = await Promise.all([look(one), look(other)]);
  return a !== undefined && a.dev === b?.dev && a.ino === b.ino;
}

/** What the system says of a file; undefined where there is none. Throws what else keeps it from being looked at. */
export async function statIfThere(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (thrown) {
    if (isAbsence(thrown)) return undefined;
    throw thrown;
  }
}

/** Never makes a folder: where a disk is not mounted, what is to be kept would end up on the wrong one. */
export const noFolder = (folder: string, orElse = "") =>
  unavailable(
    "access",
    `there is no folder ${folder}`,
    `is the disk mounted? ask the person; or name another place with --to${orElse}`,
  );

/**
 * Looks at a file that `--to` names; undefined where it can be made.
 * @throws CoopError unavailable access, where its folder is not there, or it is a link to what is not there: a file in the
 *   link's place would not be where the link's one belongs.
 */
export async function lookAtPlace(file: string): Promise<Stats | undefined> {
  try {
    const there = await statIfThere(file);
    if (there) return there;
    if (!(await statIfThere(dirname(file)))?.isDirectory()) throw noFolder(dirname(file));
  } catch (thrown) {
    throw asFolderError(thrown, dirname(file), "--to");
  }
  if (!(await lstat(file).catch(() => undefined))) return undefined;
  throw toNothing(file, "--to");
}

/**
 * Refuses a device, a pipe or a socket, which to open can wait for ever or change the machine.
 * @throws CoopError usage.
 */
export function requireRegular(path: string, found: Stats): void {
  if (found.isFile()) return;
  throw usage(`${path} is no regular file`, "name a file on a disk");
}

/** Whether the system says of a file or folder that there is none. */
export const isAbsence = (thrown: unknown) =>
  ["ENOENT", "ENOTDIR"].includes((thrown as { code?: string }).code ?? "");

/** What is said of a file system without hard links; the last by Windows. */
const NO_LINKS = ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EISDIR"];

/** Like a rename that never replaces: false when a file is there already. */
export async function renameUnlessThere(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (thrown) {
    const { code } = thrown as { code?: string };
    if (code === "EEXIST") return false;
    // A file system without hard links: the moment between look and rename is the best that it can give.
    if (!NO_LINKS.includes(code ?? "")) throw thrown;
    if (await exists(to)) return false;
    await rename(from, to);
    return true;
  }
}

/** Whether something is at a path, links followed. Throws what else keeps it from being looked at. */
export const exists = (path: string) =>
  stat(path).then(
    () => true,
    (error: { code?: string }) => {
      if (error.code === "ENOENT") return false;
      throw error;
    },
  );

/** Gives a file a second name, or where the file system has no hard links, copies it, but no other by a link. Never replaces. */
export async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch {
    await giveLike(await copyPrivately(from, to), to);
  }
}

/**
 * Copies a file, but no other by a link, to where nothing is, for nobody else to read and durably but for its name, and
 * gives what the system says of it. Throws what the system says; then nothing is left.
 */
export async function copyPrivately(from: string, to: string): Promise<Stats> {
  const source = await open(from, ITSELF);
  try {
    const found = await source.stat();
    requireRegular(from, found);
    const copy = await open(to, "wx", 0o600);
    try {
      const chunk = new Uint8Array(CHUNK_BYTES);
      for (;;) {
        const { bytesRead } = await source.read(chunk, 0, CHUNK_BYTES, null);
        if (bytesRead === 0) break;
        await copy.appendFile(chunk.subarray(0, bytesRead));
      }
      await copy.sync();
      return found;
    } catch (thrown) {
      await rm(to, { force: true }).catch(() => {});
      throw thrown;
    } finally {
      await copy.close();
    }
  } finally {
    await source.close();
  }
}

const CHUNK_BYTES = 1024 * 1024;

/** Nothing is written into what is in the making for this long, in ms, unless its process is gone. */
export const ABANDONED_MS = 3_600_000;

/** Makes an empty file that nobody else may read, and that nobody has made yet. */
export async function makePrivate(path: string): Promise<void> {
  await (await open(path, "wx", 0o600)).close();
}

/** Makes a file's content durable. Windows wants one that is open to be written: `r+`. */
export async function sync(path: string, flags: string): Promise<void> {
  const file = await open(path, flags);
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes a rename durable. Windows has no such thing, and some mounts have none either. */
export async function syncFolder(folder: string): Promise<void> {
  try {
    await sync(folder, "r");
  } catch (thrown) {
    if ((thrown as { code?: string }).code === "EIO") throw thrown;
  }
}
