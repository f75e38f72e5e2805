import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { CoopError } from "../../errors";
import { isAbsence, statIfThere } from "../../files";
import { shellWord } from "../../shell";
import { newestEvent } from "../../store/health";
import { isStale, publishing, tooSlow } from "../../store/publish";
import { identityOf } from "../../store/schema";
import type { Sql } from "../../store/sql";
import {
  backupsFolder,
  datedAt,
  datedIn,
  hasMore,
  publishedFile,
  requireBackupsFolder,
} from "../../store/sqlite/backups";
import type { Journal } from "../../store/sqlite/journal";
import { inspect, type Inspected } from "../../store/sqlite/inspect";
import { age, TOLERANCE_MS } from "../../time";
import { fail, failed, ok, warn, type Finding } from "./check";

const WHY = {
  slow: "the last one took over a second, so other commands make no more than one a day",
  large: "the store is too large for one to be made by other commands",
  rollback: "other commands make none where it would hold writers up",
} as const;

/** Whether the snapshot that any copy of the folder carries is there, whole and new enough. */
export async function published(
  path: string,
  on: Sql,
  now: number,
  journal: Journal | undefined,
): Promise<Finding> {
  try {
    return await renewed(path, on, now, journal);
  } catch (thrown) {
    if (thrown instanceof CoopError && thrown.details.reason === "damaged")
      return restorable(path, now);
    throw thrown;
  }
}

async function renewed(
  path: string,
  on: Sql,
  now: number,
  journal: Journal | undefined,
): Promise<Finding> {
  const kept = await publishing(on);
  const newest = await newestEvent(on);
  const file = publishedFile(path);
  if (kept.every === 0) return ok("none is wanted (init --snapshot-every 0)");
  if (!(await statIfThere(file))) {
    await requireBackupsFolder(path);
    if (!newest) return ok("none yet: nothing was written");
    return warn(`${file} is not there`, "coop backup");
  }
  const found = await whole(file);
  if ("finding" in found) return found.finding;
  const { lastEvent, backup_of: of } = found.contents;
  if (of !== undefined && of !== (await identityOf(on)))
    return warn(
      `${file} is of another store`,
      `coop backup keeps it under its date; or ask the person: coop restore ${shellWord(file)} replaces all that is here by it`,
    );
  if (await hasMore(file, on)) return ahead(file);
  if (kept.closed) return ok("whole; nothing is written to the store any more");
  const old = kept.at === 0 ? "of unknown age" : `${age(now - kept.at)} old`;
  if (!newest || newest.id <= lastEvent) return ok(`whole, ${old}, nothing was written since`);
  if (!isStale(kept, now)) return ok(`whole, ${old}`);
  const why = await tooSlow(on, kept, now);
  // Where the store can only be read, SQLite takes its journal for a rollback one.
  if (why && !(why === "rollback" && journal === "wal"))
    return warn(`${old}: ${WHY[why]}`, "coop backup, again and again");
  if (kept.claimedAt > kept.at)
    return warn(
      `${old}: the last try, ${age(now - kept.claimedAt)} ago, failed`,
      "coop backup, which says why",
    );
  return ok(`whole, ${old}; the next command that writes renews it`);
}

/** Whether the published snapshot is there and whole, of a store that cannot be asked about it. */
export async function restorable(path: string, now: number): Promise<Finding> {
  const file = publishedFile(path);
  const there = await statIfThere(file);
  if (!there) return ok(`${file} is not there`);
  const found = await whole(file);
  if ("finding" in found) return found.finding;
  const { lastEventAt } = found.contents;
  const last =
    lastEventAt === 0 ? "without a change" : `last changed ${age(now - lastEventAt)} ago`;
  return ok(`${file}: whole, ${last}; coop restore takes it`);
}

/**
 * Whether the newest dated backup beside the store is whole, and none of them has what the store has not.
 * @param on the store, where it can be asked.
 */
export async function backup(path: string, now: number, on?: Sql): Promise<Finding> {
  const folder = backupsFolder(path);
  const names = await datedIn(folder, path).catch((thrown) => {
    if (isAbsence(thrown)) return [];
    throw thrown;
  });
  const name = names.find((each) => datedAt(path, each)! <= now + TOLERANCE_MS);
  const [late] = names;
  if (late === undefined) return ok(`none with a date in ${folder}`);
  for (const each of on ? names : []) {
    const file = join(folder, each);
    if (await hasMore(file, on!)) return ahead(file);
  }
  if (late !== name)
    return warn(
      `${late} has a date that is still to come: ${name === undefined ? "none has one that is not" : `the newest that has not is ${name}, ${age(now - datedAt(path, name)!)} old`}`,
      "the clock of this host is wrong, or was that of the one that made it: then move it away",
    );
  const found = await whole(join(folder, name));
  if ("finding" in found) return found.finding;
  return ok(`${name}: whole, ${age(now - datedAt(path, name)!)} old`);
}

const ahead = (file: string) =>
  warn(
    `${file} has what the store has not: an older copy may have been put in its place`,
    `ask the person: coop restore ${shellWord(file)} replaces all that is here by it; move it away once nothing of it is missed`,
  );

/** What is in a snapshot, or what is wrong with it. Throws what the system says where it may not be read. */
async function whole(file: string): Promise<{ contents: Inspected } | { finding: Finding }> {
  await access(file, constants.R_OK);
  if (Bun.file(`${file}-journal`).size > 0) {
    const undo = `coop --db ${shellWord(file)} who, which has it undone`;
    return { finding: warn(`a write into ${file} was cut off, or is under way`, undo) };
  }
  try {
    return { contents: inspect(file) };
  } catch (thrown) {
    const finding = failed(thrown);
    // One that cannot be opened may be good all the same.
    if (thrown instanceof CoopError && thrown.details.reason === "access") return { finding };
    return { finding: fail(finding.message, "move it away, then: coop backup") };
  }
}
