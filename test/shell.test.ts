import { expect, test } from "bun:test";
import { shellWord } from "../src/shell";

test("a word is quoted where a shell would take it for more, a path of Windows as cmd knows quotes", () => {
  for (const [text, word] of [
    ["/home/ann/coop.db", "/home/ann/coop.db"],
    ["C:/pippa-db/coop.db", "C:/pippa-db/coop.db"],
    ["two words", "'two words'"],
    ["dad's", "'dad'\\''s'"],
    ["C:\\pippa db\\coop.db", '"C:\\pippa db\\coop.db"'],
    ["\\\\nas\\coop\\coop.db", '"\\\\nas\\coop\\coop.db"'],
    ["C:\\$HOME", "'C:\\$HOME'"],
    ["C:\\%PATH%", "'C:\\%PATH%'"],
    ["C:\\coop\\", "'C:\\coop\\'"],
    ["C:\\a\nb", "'C:\\a\nb'"],
  ] as const)
    expect(shellWord(text)).toBe(word);
});
