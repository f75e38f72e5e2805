import { chmod, copyFile, link } from "node:fs/promises";
import { dirname, join } from "node:path";
import { COOP } from "./binary";
import type { RunOptions, Story } from "./story";

/** An ordinary user, whom permissions stop as they do not stop root, and that user's own group. */
export const NOBODY = 65534;

/** How to run a story's commands as an ordinary user: an executable within reach, and folders that may be looked into. */
export async function ordinary(coop: Story): Promise<RunOptions> {
  if (process.getuid?.() !== 0) return {};
  const top = dirname(coop.home);
  for (const folder of [top, coop.folder, coop.home]) await chmod(folder, 0o755);
  const program = join(top, "coop");
  await link(COOP, program).catch(() => copyFile(COOP, program));
  return { user: NOBODY, program };
}
