import { access, chmod, constants, mkdir } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { CoopError, unavailable, usage } from "../../errors";
import { asFolderError, exists, renameUnlessThere, statIfThere, syncFolder } from "../../files";
import { byteLength } from "../../words";
import { GROUP, migrate, setIdentity, setMeta } from "../schema";
import type { Sql } from "../sql";
import type { Wait } from "../wait";
import { SqliteConnection } from "./connection";
import { naming } from "./errors";
import { findGroup, share } from "./group";
import { chooseByMount, decideAsked, keepJournal, MODES, type Journal } from "./journal";
import { lookAt } from "./look";
import { discard, inMaking } from "./making";
import { outOfRoom } from "./refusal";
import { hostOf, stamp } from "./store";

/** How a store is to be made; what is left out is found out. */
export interface Making {
  journal?: Journal | undefined;
  oneHost?: boolean | undefined;
  /** The group of the system's users that may use it. */
  group?: string | undefined;
  /** The host that makes it. */
  host?: string | undefined;
}

/**
 * Makes the store if nothing is at its path, and says whether it did. The store is made whole under another name and
 * linked into place, so that no command ever meets half of one, and of several that make it at once one does.
 * @throws CoopError unavailable: access, read_only, full, and foreign for what another store left; usage for an unknown
 *   group, or a name that its backups could not have.
 */
export async function createSqliteStore(
  path: string,
  wait: Wait,
  { journal: asked, oneHost = false, group: groupName, host }: Making = {},
): Promise<boolean> {
  const folder = dirname(path);
  const temporary = inMaking(path, "init", wait.clock);
  try {
    if (await exists(path)) return false;
    await requireOwnName(path);
    await requireNothingLeft(path);
    const kept = { journal: asked, oneHost };
    await chooseByMount(path, kept);
    const group = groupName === undefined ? undefined : await findGroup(groupName);
    const made = await mkdir(folder, { recursive: true, mode: 0o700 });
    await access(folder, constants.W_OK | constants.X_OK);
    const { journal } = await decideAsked(path, wait, kept);
    await build(temporary, wait, journal, async (tx) => {
      await keepJournal(
        tx,
        { journal, oneHost },
        host === undefined ? host : await hostOf(host, temporary, await lookAt(temporary)),
      );
      if (group) await setMeta(tx, GROUP, group.name);
    });
    await chmod(temporary, 0o600);
    if (group) await share(path, group);
    if (!(await renameUnlessThere(temporary, path))) return false;
    // Its name, and those of the folders that were made for it.
    const above = made === undefined ? folder : dirname(made);
    for (let at = folder; ; at = dirname(at)) {
      await syncFolder(at);
      if (at === above || at === dirname(at)) return true;
    }
  } catch (thrown) {
    if (!(thrown instanceof CoopError)) throw asFolderError(thrown, folder, "--db");
    // What is being made was not there before.
    const full = thrown.details.reason === "no_store" && (await outOfRoom(path, thrown));
    throw full || naming(thrown, temporary, path);
  } finally {
    await discard(temporary);
  }
}

/** What is in the making beside a store and its backups has up to 100 bytes more than the store's own name, of 255. */
const LONGEST_NAME = 150;

/** The backups of a store are known by its name, of which `.db` at its end is no part. */
async function requireOwnName(path: string): Promise<void> {
  if (byteLength(basename(path)) > LONGEST_NAME)
    throw usage(
      `the name of ${path} is over ${LONGEST_NAME} bytes`,
      "its backups have longer ones: give it a shorter one",
    );
  const twin = path.endsWith(".db") ? path.slice(0, -".db".length) : `${path}.db`;
  if (!(await statIfThere(twin))?.isFile()) return;
  throw usage(
    `${twin} is there, and the backups of both would have the same names`,
    "give the store another name, or a folder of its own",
  );
}

/** A log that another store left would put that store's content into a new one, or is all that is left of it. */
async function requireNothingLeft(path: string): Promise<void> {
  for (const left of [`${path}-wal`, `${path}-journal`]) {
    if (!(await exists(left)) || Bun.file(left).size === 0) continue;
    throw unavailable(
      "foreign",
      `${path} is not there, but ${left} is: writes of a store that is gone`,
      "ask the person: put it back beside its store, or move it away before you make a new one",
    );
  }
}

/** Makes a whole store in a file that is not there yet. */
async function build(
  path: string,
  wait: Wait,
  journal: Journal,
  settings: (tx: Sql) => Promise<void>,
): Promise<void> {
  await using connection = await SqliteConnection.open(path, wait, "new");
  // Half of SQLite's own choice: a commit touches many pages, and of texts of 2 KB those hold hardly one.
  await connection.run("pragma page_size = 2048");
  await connection.run(`pragma journal_mode = ${MODES[journal]}`);
  await connection.transaction(async (tx) => {
    await migrate(tx, 0);
    await stamp(connection);
    await setIdentity(tx, wait.clock.now(), wait.clock);
    await settings(tx);
  });
  // What SQLite does at the end too, but says nothing when the disk is full: the file would be half of a store.
  if (journal === "wal") await connection.run("pragma wal_checkpoint(truncate)");
}
