import { mkdtemp, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Context } from "../cli/context";
import { asFolderError } from "../files";
import { fillFrom } from "../store/contents";
import { openStore, type Store } from "../store/open";
import { meta, MOVED_TO, requireKnown, setMeta } from "../store/schema";
import { createSqliteStore } from "../store/sqlite/create";
import { removeAbandonedStages, STAGED } from "../store/sqlite/making";

/**
 * Runs `work` on a store in a file that holds what a server's store holds now; it is taken away after. It is made in
 * the folder that `to` is, or that holds it: there is the room for what `work` makes of it.
 * @throws CoopError unavailable: newer, for a store that this binary does not know all of; access, full or read_only for
 * the folder; and what the server throws.
 */
export async function withFileOf<T>(
  store: Store,
  to: string,
  { wait }: Context,
  work: (file: Store, path: string) => Promise<T>,
): Promise<T> {
  requireKnown(store);
  const there = await stat(to).catch(() => undefined);
  const beside = there?.isDirectory() ? to : dirname(to);
  let folder: string | undefined;
  try {
    await removeAbandonedStages(beside, wait.clock);
    folder = await mkdtemp(join(beside, STAGED));
    const path = join(folder, "coop.db");
    // Nobody else ever opens it: where a mount is none for two hosts, it is good for this.
    await createSqliteStore(path, wait, { oneHost: true });
    const file = await openStore({ engine: "sqlite", path }, wait);
    try {
      await fillFrom(store, file);
      const moved = await meta(store, MOVED_TO);
      if (moved !== undefined) await file.transaction((tx) => setMeta(tx, MOVED_TO, moved));
      return await work(file, path);
    } finally {
      await file.close();
    }
  } catch (thrown) {
    throw asFolderError(thrown, beside, "--to");
  } finally {
    if (folder !== undefined) {
      // What is left goes with the next.
      await rm(folder, { recursive: true, force: true }).catch(() => {});
    }
  }
}
