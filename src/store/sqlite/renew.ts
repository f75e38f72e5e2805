import { noteSnapshot } from "../publish";
import type { Store } from "../open";
import type { Clock } from "../wait";
import { makeBackupsFolder, publishedFile } from "./backups";
import { snapshot } from "./snapshot";

/**
 * Puts a new snapshot of a store in the place of its published one, and notes in the store when that was.
 * @param keep what is done first for the one that is there.
 * @throws the errors of `snapshot`.
 */
export async function renew(
  store: Store,
  path: string,
  clock: Clock,
  keep: () => Promise<unknown>,
): Promise<void> {
  await makeBackupsFolder(path);
  await keep();
  const [at, begun] = [clock.now(), clock.elapsed()];
  await snapshot(store, publishedFile(path), { clock });
  // Without the note a later command makes it once more.
  await noteSnapshot(store, { at, took: clock.elapsed() - begun }).catch(() => {});
}
