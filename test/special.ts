import { join } from "node:path";

/** What has a path and is neither a file nor a folder; gives its path, and makes it in a folder where the machine has none. */
export const SPECIAL: Record<string, (folder: string) => string> = {
  "a device that is empty": () => "/dev/null",
  "a device that never ends": () => "/dev/zero",
  "a pipe": (folder) => {
    const path = join(folder, "pipe");
    const { exitCode } = Bun.spawnSync(["mkfifo", path]);
    if (exitCode !== 0) throw new Error(`mkfifo ${path}: exit ${exitCode}`);
    return path;
  },
};
