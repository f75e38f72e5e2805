import { describe, expect, test } from "bun:test";
import { readdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { story } from "../story";

describe("an editor", () => {
  const written = async (script: string, env: Record<string, string> = {}) => {
    await using coop = await story();
    const editor = join(coop.home, "editor");
    await writeFile(editor, script);
    const run = await coop.run(["--json", "letter", "write", "--edit"], {
      as: "ann",
      env: { VISUAL: `sh ${editor}`, ...env },
    });
    const letters = await coop.data(["letter", "list"]);
    return { ...run, letters: letters.map(({ body }: { body: string }) => body) };
  };

  test("gives the text that it leaves", async () => {
    const { exit, letters } = await written('printf "한글\\n" >"$1"');
    expect({ exit, letters }).toEqual({ exit: 0, letters: ["한글\n"] });
  });

  test.each([
    ["leaves what is no UTF-8", 'printf "\\377\\376" >"$1"', "not valid"],
    ["takes the file away", 'rm "$1"', "ENOENT"],
    ["leaves nothing", ':>"$1"', "left empty"],
    ["fails", "exit 3", "ended with 3"],
    ["leaves too much", 'head -c 4200000 /dev/zero | tr "\\0" x >"$1"', "up to 4 MiB"],
  ])("that %s is an error of usage, and nothing is written", async (_, script, says) => {
    const { exit, letters, json } = await written(script);
    expect({ exit, letters }).toEqual({ exit: 2, letters: [] });
    expect(json().error.message).toContain(says);
  });

  test("without a folder for temporary files is an error of usage", async () => {
    const { exit, json } = await written("", { TMPDIR: "/nowhere" });
    expect(exit).toBe(2);
    expect(json().error.message).toContain("/nowhere");
  });

  test("leaves no file behind", async () => {
    const drafts = async () => (await readdir(tmpdir())).filter((name) => /^coop-.{6}$/.test(name));
    const before = await drafts();
    await written('rm "$1"');
    expect((await drafts()).filter((name) => !before.includes(name))).toEqual([]);
  });
});

test("a text that standard output has no room for is no defect", async () => {
  await using coop = await story();
  await coop.data(["letter", "write", "--body", "x"], { as: "ann" });
  const { COOP } = await import("../binary");
  const script = '"$0" letter show L1 --raw >/dev/full';
  const { exit, err } = await coop.run(["-c", script, COOP], { program: "sh" });
  expect({ exit, err }).toEqual({
    exit: 6,
    err: "coop: standard output could not be written (ENOSPC); send it elsewhere\n",
  });
});
