import { closeSync, openSync, readSync } from "node:fs";

const CHUNK_BYTES = 64 * 1024;

/** What an open file holds from where it stands: what is before that, another command has read. */
export function* rest(file: number): Generator<Uint8Array> {
  for (;;) {
    const chunk = new Uint8Array(CHUNK_BYTES);
    const length = readSync(file, chunk, 0, CHUNK_BYTES, null);
    if (length === 0) return;
    yield chunk.subarray(0, length);
  }
}

/** What can be read at a path: a file, a pipe or a device. */
export function* contents(path: string): Generator<Uint8Array> {
  const file = openSync(path, "r");
  try {
    yield* rest(file);
  } finally {
    closeSync(file);
  }
}
