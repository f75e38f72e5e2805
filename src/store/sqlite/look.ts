import type { Stats } from "node:fs";
import { parent } from "../../scope";

/** What the system says of a file; undefined when there is none that this process is let see. */
export type Look = Stats | undefined;

/** Looks at a file, in another thread: node:fs would take four times as long to load. */
export const lookAt = (path: string): Promise<Look> =>
  Bun.file(path)
    .stat()
    .catch(() => undefined);

/**
 * Whether a file can be on a file system where hosts do not see each other's locks. On Linux those have no device of
 * their own, as has most of what is no disk: the number of its kind is 0 then.
 */
export const mayBeApart = ({ dev }: Stats) => ((dev >>> 8) & 0xfff) === 0;

/** What the system says of a file and of the folder that its path names. */
export interface Place {
  file: Look;
  folder: Look;
}

/** Looks at a file and its folder at once. */
export async function lookAround(path: string): Promise<Place> {
  const [file, folder] = await Promise.all([lookAt(path), lookAt(parent(path))]);
  return { file, folder };
}
