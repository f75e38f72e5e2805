import { writeSync } from "node:fs";

const STDOUT = 1;

/** Writes a text to stdout, all of it and nothing else; a reader that closed the pipe has had what it wanted. */
export async function writeAll(text: string): Promise<void> {
  const bytes = Buffer.from(text);
  for (let offset = 0; offset < bytes.length;) {
    try {
      offset += writeSync(STDOUT, bytes, offset);
    } catch (thrown) {
      const { code } = thrown as { code?: string };
      if (code === "EPIPE") return;
      if (code !== "EAGAIN") throw thrown;
      await Bun.sleep(1);
    }
  }
}
