import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, realpath, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { files } from "../src/edge/files";
import { findWorkTree, headCommit, resolve, scopeOf } from "../src/scope";
import { SPECIAL } from "./special";
import { git, story } from "./story";

let folder: string;
beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "coop-scope-")));
});
afterAll(() => rm(folder, { recursive: true }));

async function scopeAt(path: string): Promise<string | undefined> {
  const workTree = await findWorkTree(path, files);
  return workTree && scopeOf(workTree);
}

async function headAt(path: string): Promise<string | undefined> {
  return headCommit((await findWorkTree(path, files))!, files);
}

/** Makes a repository with one commit, in a folder of its own. */
async function repository(name: string): Promise<string> {
  const path = join(folder, await unique(), name);
  await mkdir(path, { recursive: true });
  await git(path, "init", "-b", "main");
  await commit(path);
  return path;
}

const commit = (path: string) => git(path, "commit", "--allow-empty", "-m", "a commit");
const unique = async () => (await mkdtemp(join(folder, "at-"))).slice(folder.length + 1);

describe("the scope", () => {
  test("is the name of the work tree's top folder, from anywhere in it", async () => {
    const top = await repository("web-app");
    const deep = join(top, "src/deep/er");
    await mkdir(deep, { recursive: true });
    expect(await scopeAt(top)).toBe("web-app");
    expect(await scopeAt(deep)).toBe("web-app");
    expect(await scopeAt(join(top, ".git"))).toBe("web-app");
  });

  test("is that of the work tree's folder, also when its name ends with .git", async () => {
    expect(await scopeAt(await repository("site.git"))).toBe("site.git");
  });

  test("is not waited for where a pipe or a device is in the place of one of git's files", async () => {
    for (const [name, make] of Object.entries(SPECIAL)) {
      const top = join(folder, await unique());
      const here = make(top);
      if (!here.startsWith(top)) await symlink(here, join(top, ".git"));
      else await rename(here, join(top, ".git"));
      expect([name, await scopeAt(top)]).toEqual([name, undefined]);

      const linked = join(folder, await unique());
      await mkdir(join(linked, "git"));
      await writeFile(join(linked, ".git"), "gitdir: git\n");
      const common = make(join(linked, "git"));
      if (!common.startsWith(linked)) await symlink(common, join(linked, "git/commondir"));
      else await rename(common, join(linked, "git/commondir"));
      expect(await scopeAt(linked)).toBe(linked.slice(folder.length + 1));
    }
  });

  test("is none outside a work tree", async () => {
    expect(await scopeAt(folder)).toBeUndefined();
    expect(await scopeAt("/")).toBeUndefined();
  });

  test("of a linked work tree is that of the main one", async () => {
    const top = await repository("main-one");
    const linked = join(folder, await unique(), "feature");
    await git(top, "worktree", "add", linked);
    expect(await scopeAt(linked)).toBe("main-one");
    await mkdir(join(linked, "sub"));
    expect(await scopeAt(join(linked, "sub"))).toBe("main-one");
  });

  test("of a work tree linked to a bare repository is that one's name", async () => {
    const top = await repository("project");
    const bare = join(folder, await unique(), "project.git");
    await git(folder, "clone", "--bare", top, bare);
    const linked = join(folder, await unique(), "review");
    await git(bare, "worktree", "add", linked);
    expect(await scopeAt(linked)).toBe("project");
  });

  test("of work trees linked to a hidden repository, and of the folder around them, is that folder's name", async () => {
    const top = await repository("origin");
    const around = join(folder, await unique(), "project");
    const bare = join(around, ".bare");
    await git(folder, "clone", "--bare", top, bare);
    await writeFile(join(around, ".git"), "gitdir: ./.bare\n");
    const linked = join(around, "review");
    await git(around, "worktree", "add", linked);
    expect([await scopeAt(around), await scopeAt(linked)]).toEqual(["project", "project"]);
  });

  test("of a work tree linked to one whose name ends with .git is that name", async () => {
    const top = await repository("site.git");
    const linked = join(folder, await unique(), "review");
    await git(top, "worktree", "add", linked);
    expect(await scopeAt(linked)).toBe("site.git");
  });

  test.each(["part", "부분 # 1", 'a "b"; c', "part.git"])(
    "of a work tree linked to a submodule of another name is that of its folder, %s",
    async (name) => {
      const inner = await repository("inner");
      const outer = await repository("outer");
      const add = ["submodule", "add", "--name", "other", inner, `libs/${name}`];
      await git(outer, "-c", "protocol.file.allow=always", ...add);
      const part = join(outer, "libs", name);
      const linked = join(folder, await unique(), "review");
      await git(part, "worktree", "add", linked);
      expect(await scopeAt(part)).toBe(name);
      expect(await scopeAt(linked)).toBe(name);
      // Puts the setting that tells where the submodule is into another file.
      await git(part, "sparse-checkout", "set", "src");
      expect(await scopeAt(linked)).toBe(name);
    },
  );

  test("of a submodule is its own", async () => {
    const inner = await repository("inner");
    const outer = await repository("outer");
    await git(outer, "-c", "protocol.file.allow=always", "submodule", "add", inner, "libs/part");
    expect(await scopeAt(join(outer, "libs/part"))).toBe("part");
    expect(await headAt(join(outer, "libs/part"))).toBe(await git(inner, "rev-parse", "HEAD"));
  });

  test("of a work tree whose git folder is elsewhere is its own", async () => {
    const top = join(folder, await unique(), "apart");
    await mkdir(top, { recursive: true });
    await git(top, "init", `--separate-git-dir=${join(folder, await unique(), "storage")}`);
    expect(await scopeAt(top)).toBe("apart");
  });

  test("is the same whichever way Korean is spelt in the folder's name", async () => {
    const name = "협동조합";
    expect(name.normalize("NFD")).not.toBe(name);
    expect(await scopeAt(await repository(name.normalize("NFD")))).toBe(name);
    expect(await scopeAt(await repository(name))).toBe(name);
  });

  test("follows the folder when a clone is renamed", async () => {
    const top = await repository("before");
    const renamed = join(top, "../after");
    await rename(top, renamed);
    expect(await scopeAt(renamed)).toBe("after");
  });

  test("is told by the nearest of nested work trees", async () => {
    const outer = await repository("outer-one");
    const inner = join(outer, "inner-one");
    await mkdir(inner);
    await git(inner, "init");
    expect(await scopeAt(inner)).toBe("inner-one");
  });

  test("is that of the main work tree also where its git folder may not be looked into", async () => {
    const path = join(folder, await unique());
    await Bun.write(join(path, "wt/.git"), `gitdir: ${path}/main-one/.git/worktrees/wt\n`);
    expect(await scopeAt(join(path, "wt"))).toBe("main-one");
  });

  test("has the backslashes of a folder's name, which separate nothing", async () => {
    const top = await repository("we\\ird");
    await mkdir(join(top, "sub"));
    expect(await scopeAt(join(top, "sub"))).toBe("we\\ird");
    const linked = join(folder, await unique(), "li\\nked");
    await git(top, "worktree", "add", "-b", "other", linked);
    expect(await scopeAt(linked)).toBe("we\\ird");
    expect(await headAt(linked)).toBe(await git(top, "rev-parse", "HEAD"));
  });

  test("is not told by a file or folder that only is called .git", async () => {
    const path = join(folder, await unique());
    await Bun.write(join(path, "a/.git"), "not a pointer\n");
    await mkdir(join(path, "b/.git"), { recursive: true });
    expect(await scopeAt(join(path, "a"))).toBeUndefined();
    expect(await scopeAt(join(path, "b"))).toBeUndefined();
  });
});

test("a folder whose name can be no scope keeps nobody from what a ref names", async () => {
  await using coop = await story();
  const cwd = join(coop.home, "new\nline");
  await mkdir(cwd);
  await git(cwd, "init");
  await coop.data(["history", "add", "x", "--body", "b"], { as: "ann" });
  await coop.data(["letter", "write", "--body", "b"], { as: "ann" });
  for (const words of [
    ["history", "commit", "H1", "abcdef1"],
    ["letter", "read", "L1"],
    ["letter", "ack", "L1"],
  ])
    expect(await coop.run(words, { as: "ann", cwd })).toMatchObject({ exit: 0, err: "" });
  const { exit, err } = await coop.run(["letter", "read"], { as: "ann", cwd });
  expect({ exit, err }).toEqual({ exit: 2, err: expect.stringContaining("name it with --scope") });
});

test("a path above the root is the root", () => {
  expect(resolve("/a", "../../b")).toBe("/b");
  expect(resolve("/a/b", "../..")).toBe("/");
  expect(resolve("/a/b", "../c/./d/")).toBe("/a/c/d");
});

describe("the commit of HEAD is the one that git tells", () => {
  const same = async (path: string) => {
    const told = await git(path, "rev-parse", "HEAD");
    expect(told).toMatch(/^[0-9a-f]{40}$/);
    expect(await headAt(path)).toBe(told);
  };

  test("when the branch is a file", async () => same(await repository("loose")));

  test("when the branch has slashes in its name", async () => {
    const top = await repository("slashes");
    await git(top, "checkout", "-b", "feature/한글/x");
    await commit(top);
    await same(top);
  });

  test("when refs are packed, and when a branch has moved since", async () => {
    const top = await repository("packed");
    await git(top, "tag", "-m", "a tag", "v1");
    await git(top, "branch", "maintenance-main");
    await git(top, "pack-refs", "--all");
    await same(top);
    await commit(top);
    await same(top);
  });

  test("when HEAD is detached", async () => {
    const top = await repository("detached");
    await commit(top);
    await git(top, "checkout", "--detach", "HEAD~1");
    await same(top);
  });

  test("in a linked work tree, which has a HEAD of its own", async () => {
    const top = await repository("shared");
    const linked = join(folder, await unique(), "linked");
    await git(top, "worktree", "add", "-b", "other", linked);
    await commit(linked);
    await same(linked);
    await same(top);
    await git(top, "pack-refs", "--all");
    await same(linked);
  });

  test("in a repository of SHA-256", async () => {
    const top = join(folder, await unique(), "sha256");
    await mkdir(top, { recursive: true });
    await git(top, "init", "--object-format=sha256");
    await commit(top);
    expect(await headAt(top)).toBe(await git(top, "rev-parse", "HEAD"));
  });

  test("and none before the first commit", async () => {
    const top = join(folder, await unique(), "unborn");
    await mkdir(top, { recursive: true });
    await git(top, "init");
    expect(await headAt(top)).toBeUndefined();
  });
});
