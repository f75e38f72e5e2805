import { createConsola } from "consola/core";

/** The talk beside a result: stderr only, one line an entry, nothing folded or dropped. */
export const talk = (print: (line: string) => void) =>
  createConsola({
    level: 3,
    throttle: 0,
    reporters: [
      {
        log: ({ type, args }) =>
          print(`coop: ${type === "warn" ? "warning: " : ""}${args.join(" ")}`),
      },
    ],
  });
