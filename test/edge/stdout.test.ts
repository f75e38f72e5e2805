import { describe, expect, test } from "bun:test";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { COOP } from "../binary";
import { story } from "../story";

describe("an answer that standard output has no room for", () => {
  /** Runs a command line with its answer sent to a device that is always full. */
  const intoNothing = async (coop: Awaited<ReturnType<typeof story>>, line: string) => {
    const { exit, err } = await coop.run(["-c", `"$0" --as ann ${line} >/dev/full`, COOP], {
      program: "sh",
    });
    return { exit, err };
  };

  test("is an error, however it is asked for", async () => {
    await using coop = await story();
    await coop.data(["letter", "write", "--body", "x"], { as: "ann" });
    for (const line of [
      "letter show L1 --raw",
      "letter list",
      "letter list --quiet",
      "log",
      "letter write --help",
      "--version",
    ]) {
      expect({ line, ...(await intoNothing(coop, line)) }).toEqual({
        line,
        exit: 6,
        err: "coop: standard output could not be written (ENOSPC); send it elsewhere\n",
      });
    }
    const { exit, err } = await intoNothing(coop, "letter list --json");
    expect(exit).toBe(6);
    expect(JSON.parse(err).error).toMatchObject({ code: "unavailable", reason: "full" });
  });

  test("says so of what was written, and its repeat gives the answer", async () => {
    await using coop = await story();
    await coop.data(["queue", "push", "jobs", "x"], { as: "ann" });
    const { exit, err } = await intoNothing(coop, "queue take jobs --key k");
    expect(exit).toBe(8);
    expect(err).toBe(
      "coop: it was written, but standard output could not be written (ENOSPC); look, or repeat the command with the same --key\n",
    );
    const [item] = await coop.data(["queue", "take", "jobs", "--key", "k"], { as: "ann" });
    expect(item).toMatchObject({ ref: "Q1", taken_by: "ann" });
    expect((await intoNothing(coop, "todo add x")).err).toEndWith("(ENOSPC); look\n");
    // By then nothing is written any more.
    expect((await intoNothing(coop, "queue take jobs --key k")).exit).toBe(6);
  });

  test("says so of a store, a backup or files that were made, and of nothing that was there", async () => {
    await using coop = await story({ init: false });
    const written =
      "coop: it was written, but standard output could not be written (ENOSPC); look\n";
    for (const line of [
      "init",
      "backup",
      "shim python --dir coop_client",
      `copy --from "$HOME/pippa-db/coop.db" --to "$HOME/young.db"`,
      `copy --undo --from "$HOME/pippa-db/coop.db" --to "$HOME/young.db"`,
    ]) {
      if (line.startsWith("copy --from"))
        await coop.run(["init", "--db", join(coop.home, "young.db")]);
      expect({ line, ...(await intoNothing(coop, line)) }).toEqual({ line, exit: 8, err: written });
    }
    for (const line of ["init", "shim python --dir coop_client"])
      expect({ line, exit: (await intoNothing(coop, line)).exit }).toEqual({ line, exit: 6 });
  });

  test("comes after its warnings, which are told once", async () => {
    await using coop = await story();
    await coop.data(["queue", "push", "jobs", "x"], { as: "anna" });
    const { err } = await intoNothing(coop, "queue take jobs");
    expect(err.split("\n").map((line) => line.split(" ", 3).join(" "))).toEqual([
      "coop: warning: 'ann'",
      "coop: it was",
      "",
    ]);
  });

  test("is no error where the reader has closed the pipe", async () => {
    await using coop = await story();
    const script = `head -c 300000 /dev/zero | tr '\\0' x | "$0" --as ann letter write --body - >&2
      { "$0" letter show L1; echo "exit $?" >&2; } | head -c 1`;
    const { out, err } = await coop.run(["-c", script, COOP], { program: "sh" });
    expect(out).toBe("L");
    expect(err).toEndWith("\nexit 0\n");
  });
});

describe("an answer that goes into a file", () => {
  test("is added to what the file holds, and nothing else is", async () => {
    await using coop = await story();
    const { ref } = await coop.data(["letter", "write", "--body", "x".repeat(3000)], { as: "ann" });
    const file = join(coop.folder, "answers.txt");
    for (const line of ["--help", `letter show ${ref} --raw`, `letter show ${ref} --json`]) {
      await Bun.write(file, "before\n");
      const script = `"$COOP" ${line} >>"$0" 2>&1`;
      await coop.run(["-c", script, file], { program: "sh", env: { COOP } });
      const { out } = await coop.run(line.split(" "));
      expect(await Bun.file(file).text()).toBe(`before\n${out}`);
    }
  });

  test("so is a long error", async () => {
    await using coop = await story();
    const file = join(coop.folder, "errors.txt");
    await Bun.write(file, "before\n");
    const script = `"$COOP" letter show "$1" --json 2>>"$0"`;
    await coop.run(["-c", script, file, "é".repeat(900)], { program: "sh", env: { COOP } });
    const { err } = await coop.run(["letter", "show", "é".repeat(900), "--json"]);
    expect(await Bun.file(file).text()).toBe(`before\n${err}`);
  });
});

test("what was done is told also where the work tree's name can be no scope", async () => {
  await using coop = await story();
  const tree = join(coop.folder, "n".repeat(201));
  await mkdir(join(tree, ".git"), { recursive: true });
  await Bun.write(join(tree, ".git/HEAD"), "ref: refs/heads/main\n");
  const at = { as: "ann", cwd: tree };
  const refused = await coop.run(["queue", "push", "jobs", "precious"], at);
  expect({ exit: refused.exit, out: refused.out }).toEqual({ exit: 2, out: "" });
  await coop.data(["--scope", "s", "queue", "push", "jobs", "precious"], at);
  const taken = await coop.run(["queue", "take", "jobs"], at);
  expect(taken).toMatchObject({ exit: 0, err: "" });
  expect(taken.out).toContain("precious");
  for (const words of [["who"], ["log"], ["show", "Q1"], ["queue", "stats"]])
    expect({ words, ...(await coop.run(words, at)) }).toMatchObject({ words, exit: 0, err: "" });
});

test("an error has no colour, on a terminal as elsewhere", async () => {
  await using coop = await story();
  const pty = "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)";
  for (const words of [
    ["todo", "lst"],
    ["--json", "todo", "lst"],
  ]) {
    const { exit, out } = await coop.run(["-c", pty, COOP, ...words], { program: "python3" });
    expect({ words, exit }).toEqual({ words, exit: 2 });
    expect(out).toContain("did you mean");
    expect(out).not.toContain("\u001b");
  }
});
