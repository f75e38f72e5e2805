import { closeSync, openSync, readFileSync, realpathSync } from "node:fs";
import { platform } from "node:os";
import { dirname } from "node:path";

/** What lies under a folder, and what SQLite may do there. */
export interface Mount {
  /**
   * local: all of it. network: locks work, shared memory does not. refused: a probe passes, and then writes that were
   * reported done get lost or the file is damaged, as soon as two hosts use it. file: the store's file alone is mounted,
   * apart from what SQLite keeps beside it. unknown: the system does not tell.
   */
  kind: "local" | "network" | "refused" | "file" | "unknown";
  /** The file system as the system names it, with what matters of its options, such as `nfs (nolock)`. */
  type: string;
}

/** One mount as the system lists it. */
export interface MountEntry {
  type: string;
  source: string;
  options: readonly string[];
}

/**
 * What a store's folder is on, symbolic links followed; for one that is not there, what its nearest parent is on.
 * @param store its own path, with no link in it.
 */
export async function mountOf(store: string): Promise<Mount> {
  const system = platform();
  try {
    const there = existing(dirname(store));
    if (system === "linux") {
      const mounts = readFileSync("/proc/self/mountinfo", "utf8");
      return isMountPoint(mounts, store)
        ? { kind: "file", type: "a mount of the file alone" }
        : ofLinux(linuxEntry(mounts, there));
    }
    if (system === "darwin") return ofMac(macEntry(await macMounts(), there));
    if (system === "win32") return ofWindows(there, await driveType(there));
  } catch {
    // A sandbox that hides the list of mounts, or too few file handles to read it.
  }
  return UNKNOWN;
}

const UNKNOWN: Mount = { kind: "unknown", type: "an unknown file system" };

function existing(folder: string): string {
  for (let path = folder; ; path = dirname(path)) {
    try {
      return realpathSync.native(path);
    } catch (thrown) {
      if (path === dirname(path)) throw thrown;
    }
  }
}

/** Whether a store's file is mounted without the folder around it, as far as the system tells. */
export function isMountedAlone(store: string): boolean {
  if (platform() !== "linux") return false;
  try {
    return isMountPoint(readFileSync("/proc/self/mountinfo", "utf8"), store);
  } catch {
    return false;
  }
}

/** File systems of one machine that have no device of their own; all others tell by their device. */
const LOCAL = new Set(["tmpfs", "ramfs", "rootfs", "overlay", "aufs", "ecryptfs", "zfs", "ubifs"]);

/** File systems that several machines have on one device. */
const SHARED = new Set(["ocfs2", "gfs2"]);

/** The policy for Linux. */
export function ofLinux(entry: MountEntry | undefined): Mount {
  if (!entry) return UNKNOWN;
  const { type, source } = entry;
  const alone = apart(entry);
  if (alone !== undefined) return { kind: "refused", type: `${type} (${alone})` };
  if (/^(nfs4?|cifs|smb\w*)$/.test(type)) return { kind: "network", type };
  const onDevice = source.startsWith("/dev/") && !/^fuse(\.|$)/.test(type) && !SHARED.has(type);
  return { kind: LOCAL.has(type) || onDevice ? "local" : "refused", type };
}

/** The policy for macOS. */
export function ofMac(entry: MountEntry | undefined): Mount {
  if (!entry) return UNKNOWN;
  const { type, options } = entry;
  const alone = apart(entry);
  if (alone !== undefined) return { kind: "refused", type: `${type} (${alone})` };
  if (/fuse/i.test(type)) return { kind: "refused", type };
  if (options.includes("local")) return { kind: "local", type };
  return { kind: /^(nfs|smbfs)$/.test(type) ? "network" : "refused", type };
}

/** The policy for Windows, where `GetDriveTypeW` tells what a drive is. */
export function ofWindows(folder: string, drive: number): Mount {
  if (/^\\\\wsl(\$|\.localhost)\\/i.test(folder)) return { kind: "refused", type: "9p" };
  if (/^\\\\(?![?.]\\(?!UNC\\))/i.test(folder)) return { kind: "network", type: "smb" };
  const type = DRIVES[drive];
  return type ? { kind: drive === REMOTE ? "network" : "local", type } : UNKNOWN;
}

const REMOTE = 4;
const DRIVES: Record<number, string> = {
  2: "a removable drive",
  3: "a fixed drive",
  [REMOTE]: "a network drive",
  5: "a CD",
  6: "a RAM disk",
};

/** The option by which each host keeps its locks to itself. */
const apart = ({ options }: MountEntry) =>
  options.find((option) => /^(nolocks?|nobrl|locallocks|local_lock=(?!none$).*)$/.test(option));

function linuxEntry(mountinfo: string, folder: string): MountEntry | undefined {
  const O_PATH = 0o10000000;
  const handle = openSync(folder, O_PATH);
  try {
    const id = /^mnt_id:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${handle}`, "utf8"))?.[1];
    return id === undefined ? undefined : mountinfoEntry(mountinfo, id);
  } finally {
    closeSync(handle);
  }
}

/** The mount with an id in the text of `/proc/self/mountinfo` (proc_pid_mountinfo(5)). */
export function mountinfoEntry(mountinfo: string, id: string): MountEntry | undefined {
  const line = mountinfo.split("\n").find((each) => each.startsWith(`${id} `));
  const [mount, device] = line?.split(" - ") ?? [];
  if (mount === undefined || device === undefined) return undefined;
  const [type = "", source = "", options = ""] = device.split(" ");
  return { type, source, options: [...mount.split(" ")[5]!.split(","), ...options.split(",")] };
}

/** Whether something is mounted at just this path, by the text of `/proc/self/mountinfo`, which has odd characters in octal. */
function isMountPoint(mountinfo: string, path: string): boolean {
  const escaped = path.replace(
    /[ \t\n\\]/g,
    (each) => `\\${each.charCodeAt(0).toString(8).padStart(3, "0")}`,
  );
  return mountinfo.split("\n").some((line) => line.split(" ")[4] === escaped);
}

/**
 * Whether macOS surely has a file on a disk of its own, which spares starting a program to ask. The upper eight bits of a
 * device are its driver's number; disks are among the first, and what has no device is numbered on from the last, some 24
 * (XNU, vfs_getnewfsid).
 */
export const isOnMacDisk = ({ dev }: { dev: number }) => dev >>> 24 < 16;

async function macMounts(): Promise<string> {
  return new Response(Bun.spawn(["/sbin/mount"], { stderr: "ignore" }).stdout).text();
}

/** The mount that a folder is on, in what macOS's `mount` prints: the longest path that it is in. */
export function macEntry(output: string, folder: string): MountEntry | undefined {
  const mounts = Array.from(
    output.matchAll(/^(.+?) on (\/.*) \(([^()]*)\)$/gm),
    ([, source, point, words]) => {
      const [type = "", ...options] = words!.split(", ");
      return { source: source!, point: point!, type, options };
    },
  );
  return mounts
    .filter(({ point }) => point === "/" || folder === point || folder.startsWith(`${point}/`))
    .sort((a, b) => b.point.length - a.point.length)[0];
}

async function driveType(folder: string): Promise<number> {
  const { dlopen, ptr } = await import("bun:ffi");
  const kernel = dlopen("kernel32.dll", { GetDriveTypeW: { args: ["ptr"], returns: "u32" } });
  const root = Buffer.from(`${folder.slice(0, 2)}\\\0`, "utf16le");
  return kernel.symbols.GetDriveTypeW(ptr(root));
}
