import { writeSync } from "node:fs";
import { isatty } from "node:tty";

const STDERR = 2;

/** Shows a line that each later one replaces, "" for none; nothing where stderr is no terminal. */
export function progress(line: string): void {
  if (isatty(STDERR)) writeSync(STDERR, `\r\u001b[K${line}`);
}
