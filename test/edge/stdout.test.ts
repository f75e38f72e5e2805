import { describe, expect, test } from "bun:test";
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
