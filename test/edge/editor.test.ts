import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { commandFor } from "../../src/edge/editor";
import { COOP } from "../binary";
import { readOnly } from "../mounts";
import { story, type RunOptions } from "../story";

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

  test("is given a file that nobody else may read", async () => {
    const { letters } = await written('stat -c %a "$1" "$(dirname "$1")" >"$1"');
    expect(letters).toEqual(["600\n700\n"]);
  });

  test("prints nothing into the answer", async () => {
    const { exit, out, letters } = await written('echo opening; printf x >"$1"');
    expect({ exit, letters }).toEqual({ exit: 0, letters: ["x"] });
    expect(JSON.parse(out)).toMatchObject({ data: { ref: "L1" } });
  });

  test("is not left alone by a key that interrupts and is meant for it", async () => {
    const script = `of() { cut -d" " -f4 /proc/$1/stat; }
      coop=$PPID; until [ "$(readlink /proc/$coop/exe)" = "$COOP" ]; do coop=$(of $coop); done
      kill -INT $coop; kill -QUIT $coop; sleep 0.2; printf kept >"$1"`;
    const { exit, letters } = await written(script, { COOP });
    expect({ exit, letters }).toEqual({ exit: 0, letters: ["kept"] });
  });

  test.each([
    ["takes the file away", 'rm "$1"', "ENOENT"],
    ["leaves nothing", ':>"$1"', "left empty"],
    ["leaves nothing but space", 'printf " \\n" >"$1"', "left empty"],
    ["fails", "exit 3", "ended with 3"],
    ["fails, and takes the file away", 'rm "$1"; exit 3', "ended with 3"],
    ["is killed", "kill -TERM $PPID", "ended by SIGTERM"],
    ["leaves too much", 'head -c 4200000 /dev/zero | tr "\\0" x >"$1"', "up to 4 MiB"],
  ])("that %s is an error of usage, and nothing is written", async (_, script, says) => {
    const { exit, letters, json } = await written(script);
    expect({ exit, letters }).toEqual({ exit: 2, letters: [] });
    expect(json().error.message).toContain(says);
  });

  test("that is named nowhere is asked for, with no flag for the text that the command has not", async () => {
    await using coop = await story();
    const env = { VISUAL: "", EDITOR: "" };
    expect(await coop.run(["queue", "push", "jobs", "--edit"], { as: "ann", env })).toMatchObject({
      exit: 2,
      err: "coop: --edit needs an editor; set VISUAL or EDITOR, or give the text without --edit\n",
    });
  });

  test("is not opened where nothing could be written", async () => {
    await using coop = await story();
    const opened = join(coop.folder, "opened");
    const env = { VISUAL: `touch ${opened}; false` };
    const exit = async (options: RunOptions) =>
      (await coop.run(["letter", "write", "--edit"], { env, ...options })).exit;
    expect(await exit({})).toBe(2);
    const lost = { ...env, PIPPA_COOP_DB: "/nowhere/coop.db" };
    expect(await exit({ as: "ann", env: lost })).toBe(6);
    const at = join(coop.home, "read-only");
    await using _mount = await readOnly(dirname(coop.store), at);
    const unwritable = { ...env, PIPPA_COOP_DB: join(at, "coop.db") };
    expect(await exit({ as: "ann", env: unwritable })).toBe(6);
    expect(await Bun.file(opened).exists()).toBe(false);
    // Else it is.
    expect(await exit({ as: "ann" })).toBe(2);
    expect(await Bun.file(opened).exists()).toBe(true);
  });

  test("gives a text that is kept in a file where the command fails", async () => {
    await using coop = await story();
    const { exit, err } = await coop.run(["request", "reply", "R9", "--edit"], {
      as: "ann",
      env: { VISUAL: "printf long >" },
    });
    expect(exit).toBe(3);
    const [, file] = /there is no R9.*; the text is kept in (\S+)\n$/.exec(err)!;
    expect(await Bun.file(file!).text()).toBe("long");
    await rm(dirname(file!), { recursive: true });
  });

  test("that leaves what is no UTF-8 is an error of usage, and every byte is kept in a file", async () => {
    await using coop = await story();
    const { exit, err } = await coop.run(["letter", "write", "--edit"], {
      as: "ann",
      env: { VISUAL: "printf 'Gr\\374\\337e' >" },
    });
    expect(exit).toBe(2);
    const [, file] = /the edited text is not valid UTF-8; .*; the text is kept in (\S+)\n$/.exec(
      err,
    )!;
    expect(await Bun.file(file!).bytes()).toEqual(new Uint8Array(Buffer.from("Grüße", "latin1")));
    expect(await coop.data(["letter", "list"])).toEqual([]);
    await rm(dirname(file!), { recursive: true });
  });

  test.each([
    ["in its file", 'echo long >"$1"', "text.md"],
    ["beside its file", 'echo long >"$1.swp"', ""],
  ])("that fails leaves what was written %s where it is", async (_, script, name) => {
    const { exit, json } = await written(`${script}; exit 3`);
    expect(exit).toBe(2);
    const { message, hint } = json().error;
    expect(message).toContain("ended with 3");
    const [, place] = /the text is kept in (\S+)$/.exec(hint)!;
    const folder = name === "" ? place! : dirname(place!);
    expect(place).toBe(join(folder, name));
    const texts = (await readdir(folder)).map((each) => Bun.file(join(folder, each)).text());
    expect(await Promise.all(texts)).toContain("long\n");
    await rm(folder, { recursive: true });
  });

  test("may be open for longer than a command waits for locks", async () => {
    await using coop = await story();
    using other = new Database(coop.store);
    other.run("pragma busy_timeout = 5000");
    const closed = join(coop.folder, "closed");
    const words = ["letter", "write", "--edit", "--wait", "2"];
    // It is open for as long as may be waited for; and then another has the store for less than that.
    const env = { VISUAL: `sleep 2.1; touch ${closed}; printf text >` };
    const writing = coop.run(words, { as: "ann", env });
    while (!(await Bun.file(closed).exists())) await Bun.sleep(5);
    other.run("begin immediate");
    await Bun.sleep(500);
    other.run("rollback");
    expect((await writing).exit).toBe(0);
  });

  test("without a folder for temporary files is an error of usage", async () => {
    const { exit, json } = await written("", { TMPDIR: "/nowhere" });
    expect(exit).toBe(2);
    expect(json().error.message).toContain("/nowhere");
  });

  test("leaves no file behind", async () => {
    const folder = await mkdtemp(join(tmpdir(), "coop-drafts-"));
    for (const script of ['printf x >"$1"', ':>"$1"', 'rm "$1"', "exit 3"]) {
      await written(script, { TMPDIR: folder });
      expect({ script, left: await readdir(folder) }).toEqual({ script, left: [] });
    }
    await rm(folder, { recursive: true });
  });
});

test("an editor's variable is a command of the system's shell, with the file as its last word", () => {
  expect(commandFor("code --wait", "/tmp/a b/text.md", "linux")).toEqual([
    "sh",
    "-c",
    'code --wait "$@"',
    "sh",
    "/tmp/a b/text.md",
  ]);
  // Handed on as it is, since cmd takes no word's quotes but the outermost ones away.
  expect(commandFor('"C:\\Program Files\\e.exe" -w', "C:\\a b\\text.md", "win32").join(" ")).toBe(
    'cmd /d /s /c ""C:\\Program Files\\e.exe" -w "C:\\a b\\text.md""',
  );
});
