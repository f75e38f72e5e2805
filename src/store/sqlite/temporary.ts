import { access, constants } from "node:fs/promises";
import { tmpdir } from "node:os";
import { raw, type Sql } from "../sql";

/** Where SQLite looks for a folder for its temporary files, but for variables of its own. */
const FOLDERS = [tmpdir(), "/var/tmp", "/usr/tmp", "/tmp"];

/**
 * Lets a connection keep in temporary files what a change as large as the store needs for itself, as much as it changes
 * otherwise held in memory. Where there is no folder for them it stays in memory. Not to be asked inside a transaction.
 */
export async function useTemporaryFiles(on: Sql): Promise<void> {
  for (const folder of FOLDERS) {
    const usable = await access(folder, constants.W_OK | constants.X_OK).then(
      () => true,
      () => false,
    );
    if (usable) {
      await on.all(raw("pragma temp_store = file"));
      return;
    }
  }
}
