import { constants, type Stats } from "node:fs";
import { access, lstat, readdir, stat, statfs } from "node:fs/promises";
import { platform } from "node:os";
import { basename, dirname, join } from "node:path";
import { CoopError } from "../../errors";
import { isAbsence, isSameFile, ownPath, statIfThere } from "../../files";
import { quotedWord } from "../../shell";
import { isPartOfStore } from "../../store/location";
import { mountOf } from "../../store/sqlite/mount";
import { damagesLogs, isTooOld, NEWER_SYSTEM, tooOld } from "../../store/sqlite/version";
import { backupsFolder, isShared, publishedFile } from "../../store/sqlite/backups";
import { SHARED } from "../../store/sqlite/group";
import { choose, probe, type Journal, type Kept } from "../../store/sqlite/journal";
import type { LogHeader } from "../../store/sqlite/log-header";
import { refusal } from "../../store/sqlite/refusal";
import { identity } from "../../store/sqlite/inspect";
import { madeBeside } from "../../store/sqlite/making";
import { requireOwnJournal } from "../../store/sqlite/rollback-journal";
import { age } from "../../time";
import type { Wait } from "../../store/wait";
import { size } from "../size";
import { fail, failed, ok, warn, worst, type Finding } from "./check";

/** What is known of the store's journal; nothing, where it could not be read. */
export interface Journaling {
  actual: Journal;
  kept: Kept;
  sqlite: string;
  /** Those that wrote to it. */
  hosts: string[];
}

/** Whether the store's journal is one that its mount bears. */
export async function mount(path: string, found: Journaling | undefined): Promise<Finding> {
  const { kind, type } = await mountOf(path);
  if (!found) return ok(type);
  const { actual, kept, sqlite, hosts } = found;
  const { journal, because } = choose({ kind, type }, sqlite, kept);
  // What is wrong with a version of SQLite is told of that.
  if (journal === "rollback" && actual === "wal" && !damagesLogs(sqlite))
    return fail(
      `${type}, and the store has a write-ahead log: ${because ?? "it was to have none"}`,
      // What was allowed once is asked for anew with each journal.
      `coop init --journal rollback${kind === "refused" ? " --one-host" : ""}`,
    );
  if (kept.journal === "wal" && actual === "rollback")
    return warn(
      `${type}, and the store has a rollback journal, where it was to have a write-ahead log`,
      "coop init --journal wal",
    );
  if (kind === "refused")
    return warn(
      `${type}, which is safe for one host alone${hosts.length > 1 ? `, and ${hosts.join(", ")} wrote to the store` : ""}`,
      "use the store on this host only, or move it to a local disk or to PostgreSQL",
    );
  return ok(`${type}, ${actual === "wal" ? "write-ahead log" : "rollback journal"}`);
}

/** Whether this version of SQLite is safe with the store's journal. */
export function sqliteOf({ sqlite, actual }: Journaling): Finding {
  if (isTooOld(sqlite)) return fail(tooOld(sqlite).message, NEWER_SYSTEM);
  if (!damagesLogs(sqlite)) return ok(sqlite);
  return actual === "wal"
    ? fail(
        `${sqlite} can damage a write-ahead log when two commands write at once`,
        "coop init --journal rollback",
      )
    : ok(`${sqlite}, which can damage a write-ahead log; the store has none`);
}

/** Whether locks and, for a write-ahead log, shared memory work where the store is: tried on a scratch database. */
export async function locks(path: string, journal: Journal, wait: Wait): Promise<Finding> {
  try {
    await access(dirname(path), constants.W_OK);
  } catch {
    return warn(
      `not tried: ${dirname(path)} may not be written here`,
      "run coop doctor where it may be",
    );
  }
  const found = await probe(path, journal, wait);
  if (found === "works") return ok(`work with the store's ${journal} journal`);
  return fail(
    found === "has no locks" ? "do not work where the store is" : "work, but no memory is shared",
    found === "has no locks"
      ? "move the store to a local disk or to PostgreSQL"
      : `coop init --journal rollback${(await mountOf(path)).kind === "refused" ? " --one-host" : ""}`,
  );
}

/** Who may use the store's file and folder, and whether that is who should; `readable` where this process could read it. */
export async function permissions(
  path: string,
  { group, readable }: { group: string | undefined; readable: boolean },
): Promise<Finding> {
  const findings: Finding[] = [];
  const folder = dirname(path);
  // Who is shut out cannot read that a group was let in, and sees it all the same.
  const around = await stat(folder).catch(() => undefined);
  const isGroups =
    group !== undefined || (!readable && around !== undefined && isShared(around.mode));
  const [folderMode, fileMode] = isGroups ? [SHARED.folder, SHARED.file] : [0o700, 0o600];
  const files = [path, `${path}-wal`, `${path}-shm`, publishedFile(path)];
  for (const [each, allowed] of [
    ...[folder, backupsFolder(path)].map((name) => [name, folderMode] as const),
    ...files.map((name) => [name, fileMode] as const),
  ]) {
    const there = await stat(each).catch(() => undefined);
    if (!there) continue;
    const mode = there.mode & 0o7777;
    const others = mode & ~allowed & 0o777;
    if (platform() !== "win32" && others > 0)
      findings.push(
        warn(
          `${each} has mode ${octal(mode)}: ${others & 0o007 ? "every user" : "its group"} may ${others & 0o022 ? "write" : "read"} it`,
          each === folder && (mode & EVERYBODYS) === EVERYBODYS
            ? "give the store a folder of its own"
            : `chmod ${octal(allowed)} ${quotedWord(each)}`,
        ),
      );
    // The rest is made with the store's own mode.
    const shared = [folder, backupsFolder(path), path].includes(each);
    if (group !== undefined && shared && allowed & ~mode)
      findings.push(
        fail(
          `${each} has mode ${octal(mode)}, which shuts the group ${group} out`,
          `coop init --group ${group}`,
        ),
      );
  }
  const barred = await Promise.all(
    [folder, ...files.slice(0, 3)].map((each) =>
      access(each, constants.W_OK).then(() => "", codeOf),
    ),
  );
  if (barred.some((code) => code !== "" && code !== "ENOENT")) {
    const { message, details } = await refusal(path, undefined);
    findings.push(warn(`${message}${readable ? "; reading goes on" : ""}`, details.hint ?? ""));
  }
  const whom = group === undefined ? "only yours" : `yours and of the group ${group}`;
  return worst(findings, ok(platform() === "win32" ? "may be written" : `${whom}, may be written`));
}

/** The mode of a folder where all may write, and each remove what is theirs, such as /tmp. */
const EVERYBODYS = 0o1002;

const octal = (mode: number) => mode.toString(8).padStart(4, "0");

const codeOf = (thrown: unknown) => (thrown as { code?: string }).code ?? "EIO";

const ROOM = { least: 1e9, none: 1e6 } as const;

/** Whether there is room to write, and for a copy of the store. */
export async function space(path: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(dirname(path));
  const free = Number(bavail) * Number(bsize);
  if (free < ROOM.none) return fail(`${size(free)} free`, "free some space");
  const { size: bytes } = await stat(path);
  if (free < ROOM.least || free < 2 * bytes)
    return warn(`${size(free)} free, and the store has ${size(bytes)}`, "free some space");
  return ok(`${size(free)} free`);
}

/** A safety copy from before a change of the schema is of no use any more when that has held for this long. */
const SAFETY_MS = 30 * 24 * 3_600_000;

/** What commands that were killed, and changes of the schema, have left in the store's folder and its backups. */
export async function leftovers(path: string, now: number): Promise<Finding> {
  const findings: Finding[] = [];
  const left: string[] = [];
  const base = basename(path);
  for (const folder of [dirname(path), backupsFolder(path)])
    await eachFile(folder, (file, name, there) => {
      const old = now - there.mtimeMs;
      const made = madeBeside(base, name);
      if (made === "in the making" || (made === "safety copy" && old > SAFETY_MS))
        left.push(`${file} (${size(there.size)}, ${age(old)} old)`);
    }).catch((thrown) => findings.push(failed(thrown)));
  if (left.length > 0)
    findings.unshift(
      warn(
        `left by commands that were killed, or of no use any more: ${left.join(", ")}`,
        "remove them, unless a command is just running",
      ),
    );
  return worst(findings, ok("none"));
}

/** Looks at each file in a folder by name; at none where the folder is not there. Throws what keeps it from looking. */
async function eachFile(
  folder: string,
  look: (file: string, name: string, there: Stats) => unknown,
): Promise<void> {
  let names: string[] = [];
  try {
    await access(folder, constants.X_OK);
    names = await readdir(folder);
  } catch (thrown) {
    if (!isAbsence(thrown)) throw thrown;
  }
  for (const name of names.sort()) {
    const file = join(folder, name);
    const there = await stat(file).catch(() => undefined);
    if (there?.isFile()) await look(file, name, there);
  }
}

/** A journal beside the store while nobody writes is that of a write that was interrupted. */
export async function interrupted(path: string, now: number): Promise<Finding> {
  const there = await statIfThere(`${path}-journal`);
  if (!there || there.size === 0 || now - there.mtimeMs < WRITING_MS) return ok("no write");
  try {
    await requireOwnJournal(path);
  } catch (thrown) {
    // The store is not opened then, and says what to do.
    if (thrown instanceof CoopError) return ok("no write of this store's");
    throw thrown;
  }
  return warn(
    `${path}-journal is that of a write that was cut off`,
    "leave it there: the next command undoes that write by it",
  );
}

const WRITING_MS = 60_000;

/** Whether SQLite will take in what the log beside the store holds. */
export function logOf(path: string, header: LogHeader): Finding {
  if (header === "none") return ok("empty");
  if (header === "sound") return ok("can be read");
  const why =
    header === "blank"
      ? "its header is blank: a crash before the first commit leaves that, and nothing is lost; but after damage"
      : "its header is damaged:";
  return warn(
    `${path}-wal cannot be read, ${why} what only it holds is not in the store`,
    "copy it away before any other command, which removes it, and ask the person what is missing",
  );
}

/** How the clients of clouds, file managers and people call a second copy of a file. */
const SECOND =
  /conflict|kopie|cop(y|ie)\b|\(\d+\)|[ _-]\d+\.|\.(bak|backup|old|orig|save)\b|~$|backup|sauvegarde/i;

/** Second stores beside the store, which nobody reads and somebody may have written to, and second names of its file. */
export async function strays(path: string, created_at: string | undefined): Promise<Finding> {
  const base = basename(path);
  const found: string[] = [];
  const links: string[] = [];
  const there = await statIfThere(path);
  const names = there?.isFile() ? there.nlink : 1;
  await eachFile(dirname(path), async (file, name) => {
    // What coop and SQLite themselves put beside a store.
    if (isPartOfStore(name) || madeBeside(base, name) !== undefined) return;
    if (await isSameFile(file, path)) {
      if (name !== base && !(await lstat(file)).isSymbolicLink()) links.push(file);
    } else if (isSecond(name, path, file, created_at)) found.push(file);
  });
  const findings: Finding[] = [];
  if (names > 1)
    findings.push(
      warn(
        `${path} is a file of ${names} names${links.length > 0 ? `, also ${links.join(", ")}` : ""}: each has a log of its own, and what is written by one is lost to the other`,
        "keep one name: remove the others while nobody uses the store",
      ),
    );
  if (found.length > 0)
    findings.push(
      warn(
        `${found.join(", ")}: a second copy of the store?`,
        "compare with `coop log --db FILE`, and move it out of the folder",
      ),
    );
  return worst(findings, ok("none"));
}

/** Whether a file has a name made from the store's, or holds a store that was made together with this one. */
function isSecond(
  name: string,
  path: string,
  file: string,
  created_at: string | undefined,
): boolean {
  const stem = basename(path).replace(/\.[^.]*$/, "");
  const isCalledSo = name.toLowerCase().includes(stem.toLowerCase()) && SECOND.test(name);
  try {
    const {
      created_at: made,
      archive_of: archive,
      backup_of: backup,
      counterparts,
      closed,
    } = identity(file);
    // Nobody writes to any of them.
    if (archive !== undefined || backup !== undefined || closed) return false;
    // One of the two is closed, and says so.
    if (counterparts.some((other) => ownPath(other) === ownPath(path))) return false;
    return isCalledSo || (made !== undefined && made === created_at);
  } catch {
    return isCalledSo;
  }
}
