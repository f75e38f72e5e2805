import type { CoopError } from "../../errors";
import { ownPath } from "../../files";
import type { Store, Warn } from "../open";
import type { Wait } from "../wait";
import { SqliteConnection } from "./connection";
import { keptJournal, refused } from "./journal";
import { mountOf } from "./mount";
import { openToRead } from "./reading";

/**
 * Opens for reading a store on a mount where hosts do not see each other's locks. There SQLite takes itself for the
 * store's only user: it would write into the log of a host that is at work, and remove it in the end. Gives undefined
 * where the mount is another, or somebody has said that only this host uses the store.
 * @throws CoopError unavailable access, where neither the file alone nor its snapshot can be read.
 */
export async function openApart(path: string, wait: Wait, warn: Warn): Promise<Store | undefined> {
  const why = await apart(path, wait);
  return why && openToRead(path, wait, why, warn);
}

/** Why a store is not to be opened as usual where it is mounted; undefined where it is. */
export async function apart(path: string, wait: Wait): Promise<CoopError | undefined> {
  const { kind, type } = await mountOf(ownPath(path));
  return kind !== "refused" || (await isOfOneHost(path, wait)) ? undefined : refused(type);
}

/** What is no store its user is told where it is opened. */
async function isOfOneHost(path: string, wait: Wait): Promise<boolean> {
  try {
    const connection = await SqliteConnection.open(path, wait, "unchanging");
    const kept = await keptJournal(connection).finally(() => connection.close());
    return kept.oneHost;
  } catch {
    return true;
  }
}
