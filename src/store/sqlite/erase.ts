import { CoopError } from "../../errors";
import type { Store } from "../open";
import { raw } from "../sql";
import type { Wait } from "../wait";
import { useTemporaryFiles } from "./temporary";

/** Makes a connection overwrite what it deletes. */
export const overwriteDeleted = (store: Store) => store.all(raw("pragma secure_delete = on"));

/**
 * Rewrites a store's file and empties its log, so that no byte of what was deleted or changed before is left in either.
 * Overwriting what is deleted does not reach that far: pages that were split keep copies of what they held.
 * @param wait the store's own, which is renewed.
 * @throws CoopError busy, while another command reads what was there before; unavailable full.
 */
export async function rewrite(store: Store, wait: Wait): Promise<void> {
  await overwriteDeleted(store);
  await useTemporaryFiles(store);
  // Each can take long by itself, and only waits for others at its beginning.
  wait.renew();
  await store.all(raw("vacuum"));
  wait.renew();
  await wait.retry(
    async () => {
      const [log] = await store.all<{ busy: number }>(raw("pragma wal_checkpoint(truncate)"));
      if (log && log.busy !== 0) throw new Reading();
    },
    (thrown) => thrown instanceof Reading,
  );
}

/** Somebody still reads the store as it was. */
class Reading extends CoopError {
  constructor() {
    super("busy", "another command is still reading the store as it was", {
      hint: "repeat the command",
    });
  }
}
