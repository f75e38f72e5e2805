import { existsSync } from "node:fs";
import { resolve } from "node:path";

/** The built executable, by its absolute path, for tests that run it as a user would. */
export const COOP = resolve(import.meta.dir, "../dist/coop");

if (!existsSync(COOP)) throw new Error(`${COOP} is not built: run scripts/build, or npm test`);
