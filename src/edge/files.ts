import type { Files } from "../scope";

/** The file system's small files, looked at without the thread that reading one takes. */
export const files: Files = {
  holds: (path) => {
    const file = Bun.file(path);
    return file.size > 0 && hasSize(file);
  },
  read: async (path) => {
    const file = Bun.file(path);
    // What comes out of a pipe or a device may never end.
    if (!hasSize(file)) return undefined;
    try {
      return await file.text();
    } catch {
      return undefined;
    }
  },
};

/** Whether it is a file or a folder, neither a pipe nor a device: only those have a size. */
export const hasSize = ({ size }: Bun.BunFile) => Number.isFinite(size);
