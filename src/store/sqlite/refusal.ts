import {
  access,
  constants,
  mkdtemp,
  open,
  readFile,
  readlink,
  realpath,
  rmdir,
  stat,
} from "node:fs/promises";
import { userInfo } from "node:os";
import { dirname, join } from "node:path";
import { CoopError, unavailable } from "../../errors";
import { shellWord } from "../../shell";
import { BESIDE } from "../location";
import { isShared } from "./backups";
import { codeOf } from "./errors";

const { R_OK, W_OK, X_OK } = constants;

/** Why SQLite was not let at a store, found by looking at what the system lets this process do there. */
export async function refusal(path: string, thrown: unknown): Promise<CoopError> {
  const file = await realpath(path).catch(() => path);
  const folder = dirname(file);
  const absent = await absence(path);
  if (absent) return absent;
  if (await handlesAreOut(folder))
    return unavailable(
      "access",
      `${path} cannot be opened: no file handles are left`,
      "allow the program more with `ulimit -n`",
      thrown,
    );

  const unreadable = await firstBarrier(file, R_OK);
  const found = unreadable ?? (await firstBarrier(file, R_OK | W_OK));
  const full = !found && thrown !== undefined && (await outOfRoom(path, thrown));
  if (full) return full;
  const [reason, what] = unreadable
    ? (["access", `${path} cannot be read`] as const)
    : (["read_only", `${path} cannot be written`] as const);
  const allow = `let your sandbox ${unreadable ? "read" : "write"} the folder ${folder}`;
  // Permissions are refused with EACCES, by a sandbox of macOS or a file's flags with EPERM.
  if (!found || found.code === "EPERM")
    return unavailable(
      reason,
      `${what}, though its permissions allow it (${codeOf(thrown)}): a sandbox may be in the way`,
      allow,
      thrown,
    );
  if (found.code === "EROFS")
    return unavailable(reason, `${what}: its file system is read-only here`, allow, thrown);
  const { owner, mine, mode } = found;
  const group = await groupOf(folder);
  const letIn =
    group === undefined
      ? `as ${owner}, \`coop --db ${shellWord(path)} init --group NAME\` lets a group in`
      : `ask ${owner} to add you to the group ${group}, which may use it`;
  return unavailable(
    reason,
    `${what}: ${found.path} is ${mine ? "yours" : `${owner}'s`} with mode ${mode}`,
    mine ? `change its mode (chmod), or ${allow}` : `${letIn}; or ${allow}`,
    thrown,
  );
}

/** The error where nothing more can be made beside a store for want of room, which SQLite does not tell; else undefined. */
export async function outOfRoom(path: string, thrown: unknown): Promise<CoopError | undefined> {
  try {
    await rmdir(await mkdtemp(join(dirname(path), ".coop-room-")));
    return undefined;
  } catch (refused) {
    if (!["ENOSPC", "EDQUOT"].includes((refused as { code?: string }).code ?? "")) return undefined;
    return unavailable(
      "full",
      `${path} cannot be used: its disk has no room for another file`,
      "free some space or some files, and repeat; nothing was written",
      thrown,
    );
  }
}

/** The group that `coop init --group` let into a store's folder. */
async function groupOf(folder: string): Promise<string | undefined> {
  const found = await stat(folder).catch(() => undefined);
  return found && isShared(found.mode) ? nameIn("/etc/group", found.gid, "group") : undefined;
}

const ABSENT = ["ENOENT", "ENOTDIR", "ELOOP"];

/** Why a path is not that of a file, or undefined when it is. */
export async function absence(path: string): Promise<CoopError | undefined> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => error);
  if (found instanceof Error) {
    if (!ABSENT.includes(found.code ?? "")) return undefined;
    const target = await readlink(path).catch(() => undefined);
    return noStore(path, target === undefined ? "" : `: it is a link to ${target}`);
  }
  if (!found.isDirectory()) return undefined;
  return unavailable(
    "foreign",
    `${path} is a folder, not a store`,
    "name the file in it: --db FOLDER/coop.db",
  );
}

/** There is no store. Never suggests making one: the real one may be on a folder that is not mounted. */
const noStore = (path: string, more = "") =>
  unavailable("no_store", `no store at ${path}${more}`, "is the folder mounted? ask the person");

/** The file is there, and no coop store. */
export async function foreign(path: string): Promise<CoopError> {
  const { size } = await stat(path);
  return unavailable(
    "foreign",
    size === 0
      ? `${path} is an empty file, not a coop store`
      : `${path} is a database of another program, not a coop store`,
    "leave it as it is and ask the person; check --db and PIPPA_COOP_DB",
  );
}

/** The file went while a transaction was open on it, so that nobody would find what the transaction wrote. */
export async function moved(path: string): Promise<CoopError> {
  const absent = await absence(path);
  return absent
    ? unavailable(
        "no_store",
        `the store ${path} went away while this command ran; nothing was written`,
        "is the folder mounted? ask the person",
      )
    : unavailable(
        "access",
        `the store ${path} was replaced while this command ran; nothing was written`,
        "repeat the command",
      );
}

/** What SQLite opens to write a store: the file, its log, the memory that is shared, and the folder to sync it. */
const HANDLES = 4;

/** Whether there are fewer handles left than SQLite needs; what it had of them it has closed. */
async function handlesAreOut(folder: string): Promise<boolean> {
  const tries = await Promise.allSettled(Array.from({ length: HANDLES }, () => open(folder)));
  for (const each of tries) if (each.status === "fulfilled") await each.value.close();
  return tries.some(
    (each) => each.status === "rejected" && ["EMFILE", "ENFILE"].includes(each.reason.code),
  );
}

/** A file or folder that this process may not use, and why. */
interface Barrier {
  path: string;
  /** The system's code, such as EACCES. */
  code: string;
  owner: string;
  mine: boolean;
  mode: string;
}

/** The first barrier to reading or writing a store: on the way to it, the file, or what SQLite keeps beside it. */
async function firstBarrier(file: string, wish: number): Promise<Barrier | undefined> {
  const folders = [dirname(file)];
  while (folders[0] !== dirname(folders[0]!)) folders.unshift(dirname(folders[0]!));
  const steps: [path: string, wish: number][] = [
    ...folders.map((folder): [string, number] => [folder, X_OK]),
    [dirname(file), X_OK | (wish & W_OK)],
    ...["", ...BESIDE].map((suffix): [string, number] => [file + suffix, wish]),
  ];
  for (const [path, wished] of steps) {
    const found = await barrier(path, wished);
    if (found) return found;
  }
  return undefined;
}

async function barrier(path: string, wish: number): Promise<Barrier | undefined> {
  try {
    await access(path, wish);
    return undefined;
  } catch (thrown) {
    const { code = "" } = thrown as { code?: string };
    const found = code === "ENOENT" ? undefined : await stat(path).catch(() => undefined);
    if (!found) return undefined;
    const { uid, mode } = found;
    return {
      path,
      code,
      owner: await nameIn("/etc/passwd", uid, "user"),
      mine: uid === myId(),
      mode: (mode & 0o7777).toString(8).padStart(4, "0"),
    };
  }
}

/** The name of a user or a group, where the machine's own list has it. */
async function nameIn(list: string, id: number, what: string): Promise<string> {
  const lines = (await readFile(list, "utf8").catch(() => "")).split("\n");
  const line = lines.find((each) => each.split(":")[2] === String(id));
  return line?.split(":")[0] ?? `${what} ${id}`;
}

function myId(): number | undefined {
  try {
    return userInfo().uid;
  } catch {
    // Not in the list of users, as often in a container.
    return undefined;
  }
}

/** The error for what another store has left beside one. */
export const leftBy = (suffix: "-wal" | "-journal", path: string) =>
  unavailable(
    "damaged",
    `${path}${suffix} was left by another store: it does not fit ${path}`,
    `ask the person: the store is whole without it; move the ${suffix === "-wal" ? "-wal and the -shm" : "-journal"} away, and keep ${suffix === "-wal" ? "them" : "it"}`,
  );
