import { expect, test } from "bun:test";
import {
  chmod,
  link,
  mkdir,
  mkdtemp,
  readdir,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { giveLike, giveMode, isSameFile, linkOrCopy, pathFrom, statIfThere } from "../src/files";
import { SPECIAL } from "./special";

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

test("what is above a link is above what it leads to, as for the system", async () => {
  const folder = await mkdtemp(join(tmpdir(), "coop-files-"));
  try {
    await mkdir(join(folder, "a/b"), { recursive: true });
    await symlink("a/b", join(folder, "link"));
    for (const given of ["link/../x.db", "./link/../x.db", `${folder}/link/../x.db`])
      expect(pathFrom(folder, given)).toBe(join(folder, "a/x.db"));
    expect(pathFrom(folder, "link/..")).toBe(join(folder, "a"));
    expect(pathFrom(folder, "link/../../y/../z")).toBe(join(folder, "z"));
    expect(pathFrom(folder, "link/x..y.db")).toBe(join(folder, "link/x..y.db"));
    expect(pathFrom(join(folder, "link"), "../x.db")).toBe(join(folder, "a/x.db"));
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a file that is not there is told from one that may not be looked at", async () => {
  expect(await statIfThere("/nowhere/file")).toBeUndefined();
  expect(await statIfThere("/dev/null/file")).toBeUndefined();
  await expect(statIfThere("x".repeat(300))).rejects.toMatchObject({ code: "ENAMETOOLONG" });
});

test("what is given to a file that was made is given to no other that a link leads to by then", async () => {
  const folder = await mkdtemp(join(tmpdir(), "coop-files-"));
  const at = (name: string) => join(folder, name);
  const modeOf = async (name: string) => (await stat(at(name))).mode & 0o777;
  try {
    await writeFile(at("private"), "secret");
    await chmod(at("private"), 0o600);
    await mkdir(at("folder"), { mode: 0o700 });
    await symlink(at("private"), at("made"));
    await symlink(at("folder"), at("made-folder"));
    const like = Object.assign(await stat(at("private")), { mode: 0o660 });
    await expect(giveLike(like, at("made"))).rejects.toMatchObject({ code: "ELOOP" });
    await expect(giveMode(at("made-folder"), 0o770)).rejects.toMatchObject({
      code: expect.stringMatching(/ELOOP|ENOTDIR/),
    });
    expect([await modeOf("private"), await modeOf("folder")]).toEqual([0o600, 0o700]);
    await giveLike(like, at("private"));
    expect(await modeOf("private")).toBe(0o660);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a file is copied where it cannot be linked; a link or a pipe in its place is neither followed nor waited for", async () => {
  const folder = await mkdtemp(join(tmpdir(), "coop-files-"));
  // Another disk, to which nothing can be linked.
  const other = await mkdtemp("/dev/shm/coop-files-");
  const content = "x".repeat(3_000_000);
  try {
    await writeFile(join(folder, "file"), content, { mode: 0o640 });
    await symlink(join(folder, "file"), join(folder, "link"));
    SPECIAL["a pipe"]!(folder);
    await linkOrCopy(join(folder, "file"), join(other, "copy"));
    expect(await Bun.file(join(other, "copy")).text()).toBe(content);
    expect((await stat(join(other, "copy"))).mode & 0o777).toBe(0o640);
    await expect(linkOrCopy(join(folder, "file"), join(other, "copy"))).rejects.toMatchObject({
      code: "EEXIST",
    });
    for (const name of ["link", "pipe"])
      await expect(linkOrCopy(join(folder, name), join(other, name))).rejects.toThrow();
    expect(await readdir(other)).toEqual(["copy"]);
  } finally {
    await rm(folder, { recursive: true });
    await rm(other, { recursive: true });
  }
});
