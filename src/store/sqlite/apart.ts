import type { Stats } from "node:fs";
import { platform } from "node:os";
import { CoopError } from "../../errors";
import { ownPath } from "../../files";
import type { Store, Warn } from "../open";
import type { Wait } from "../wait";
import { SqliteConnection } from "./connection";
import { keptJournal, refused } from "./journal";
import { isOnMacDisk, mountOf } from "./mount";
import { openToRead } from "./reading";

/**
 * Opens for reading a store on a mount where hosts do not see each other's locks. There SQLite takes itself for the
 * store's only user: it would write into the log of a host that is at work, and remove it in the end. Gives undefined
 * where the mount is another, or somebody has said that only this host uses the store.
 * @throws CoopError unavailable access, where neither the file alone nor its snapshot can be read.
 */
export async function openApart(
  path: string,
  file: Stats,
  wait: Wait,
  warn: Warn,
): Promise<Store | undefined> {
  if (platform() === "darwin" && isOnMacDisk(file)) return undefined;
  const why = await apart(path, wait);
  if (!why) return undefined;
  const open = () => openToRead(path, wait, why, warn, true);
  return again(wait, open, (thrown) => thrown === why);
}

/** Why a store is not to be opened as usual where it is mounted; undefined where it is. */
export async function apart(path: string, wait: Wait): Promise<CoopError | undefined> {
  const { kind, type } = await mountOf(ownPath(path));
  return kind !== "refused" || (await isOfOneHost(path, wait)) ? undefined : refused(type);
}

/** Whether one host alone uses a store. What is no store its user is told where it is opened. */
async function isOfOneHost(path: string, wait: Wait): Promise<boolean> {
  const look = async () => {
    await using connection = await SqliteConnection.open(path, wait, "unchanging");
    return (await keptJournal(connection)).oneHost;
  };
  try {
    // One that is being written to can look damaged, and stays so where a writer was killed.
    return await again(wait, look, (thrown) => reasonOf(thrown) === "damaged");
  } catch (thrown) {
    return ["no_store", "foreign"].includes(reasonOf(thrown));
  }
}

const reasonOf = (thrown: unknown) =>
  (thrown instanceof CoopError && thrown.details.reason) || "none";

/** Looks again where somebody may be writing just now: a few times, as long as there is time to wait. */
function again<T>(
  wait: Wait,
  look: () => Promise<T>,
  isWriting: (thrown: unknown) => boolean,
): Promise<T> {
  let tries = 0;
  return wait.retry(look, (thrown) => isWriting(thrown) && ++tries < MOST_TRIES);
}

/** With the pauses between them that is about a third of a second. */
const MOST_TRIES = 25;
