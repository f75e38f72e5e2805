import { writeSync } from "node:fs";
import { CoopError } from "../errors";

const STDOUT = 1;

/**
 * Writes a text to stdout, all of it and nothing else; a reader that closed the pipe has had what it wanted.
 * @throws CoopError unavailable full or access.
 */
export async function writeAll(text: string): Promise<void> {
  const bytes = Buffer.from(text);
  for (let offset = 0; offset < bytes.length;) {
    try {
      offset += writeSync(STDOUT, bytes, offset);
    } catch (thrown) {
      const { code } = thrown as { code?: string };
      if (code === "EPIPE") return;
      if (code !== "EAGAIN")
        throw new CoopError("unavailable", `standard output could not be written (${code})`, {
          reason: code === "ENOSPC" ? "full" : "access",
          hint: "send it elsewhere",
          cause: thrown,
        });
      await Bun.sleep(1);
    }
  }
}
