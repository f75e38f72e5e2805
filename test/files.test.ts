import { expect, test } from "bun:test";
import { link, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isSameFile, statIfThere } from "../src/files";

test("a file is the same by whatever name, and none is the same as none", async () => {
  const folder = await mkdtemp(join(tmpdir(), "coop-files-"));
  const at = (name: string) => join(folder, name);
  try {
    await writeFile(at("one"), "");
    await writeFile(at("other"), "");
    await link(at("one"), at("hard"));
    await symlink(at("one"), at("soft"));
    for (const name of ["one", "hard", "soft"])
      expect(await isSameFile(at("one"), at(name))).toBe(true);
    for (const [one, other] of [
      ["one", "other"],
      ["one", "none"],
      ["none", "none"],
    ] as const)
      expect(await isSameFile(at(one), at(other))).toBe(false);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a file that is not there is told from one that may not be looked at", async () => {
  expect(await statIfThere("/nowhere/file")).toBeUndefined();
  expect(await statIfThere("/dev/null/file")).toBeUndefined();
  await expect(statIfThere("x".repeat(300))).rejects.toMatchObject({ code: "ENAMETOOLONG" });
});
