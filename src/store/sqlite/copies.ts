import { lstat, readdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { CoopError } from "../../errors";
import { isAbsence, isSameFile, ownPath } from "../../files";
import { isPartOfStore } from "../location";
import { originOf } from "../schema";
import type { Sql } from "../sql";
import { backupsFolder, isNamedAsCopy } from "./backups";
import { asSql } from "./connection";
import { openDatabase } from "./open-file";
import { identity } from "./inspect";

/** Where copies were looked for, and what could not be looked into. */
export interface Looked {
  folders: string[];
  failed: string[];
}

/**
 * Looks into the copies of a store in its folder and its backups: snapshots, backups, safety copies, archives and what a
 * cloud's client made. Each is only read.
 * @param origin when the store was made that the records come from, which tells copies of it from those of others.
 */
export async function lookIntoCopies(
  path: string,
  origin: string | undefined,
  look: (copy: Sql, file: string) => Promise<void>,
): Promise<Looked> {
  const folders: string[] = [];
  const failed: string[] = [];
  for (const folder of [dirname(ownPath(path)), backupsFolder(path)]) {
    const names = await readdir(folder).catch(async (thrown) => {
      // A link whose disk is not mounted leads to nothing.
      const isLink = await lstat(folder).catch(() => undefined);
      if (isLink || !isAbsence(thrown)) failed.push(folder);
    });
    if (!names) continue;
    folders.push(folder);
    for (const name of names.filter((each) => !isPartOfStore(each)).sort()) {
      const file = join(folder, name);
      const there = await stat(file).catch(() => undefined);
      // To open and close the store's own file here would drop the locks on it.
      if (!there?.isFile() || (await isSameFile(file, path))) continue;
      try {
        identity(file);
        // What it holds is only told once the write that was cut off is undone.
        if (Bun.file(`${file}-journal`).size > 0) failed.push(file);
        else
          await reading(file, async (copy) => {
            if ((await originOf(copy)) === origin) await look(copy, file);
          });
      } catch (thrown) {
        const foreign = thrown instanceof CoopError && thrown.details.reason === "foreign";
        // What bears the name of a copy and cannot be opened may be a damaged one, or half of one.
        if (!foreign || isNamedAsCopy(path, name)) failed.push(file);
      }
    }
  }
  return { folders, failed };
}

/** Reads a file as it is, and with its log where one is beside it. */
async function reading(file: string, work: (on: Sql) => Promise<void>): Promise<void> {
  const log = await stat(`${file}-wal`).catch(() => undefined);
  using database = openDatabase(file, log && log.size > 0 ? "read-only" : "unchanging");
  await work(asSql(database));
}
