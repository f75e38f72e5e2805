import { afterAll, beforeAll, expect, test } from "bun:test";
import { cp, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import bunLock from "../../bun.lock";
import npmLock from "../../package-lock.json";
import { dependencies, version } from "../../package.json";
import { build, compile } from "../../scripts/build.ts";
import { signAdHoc, signatureProblems } from "../../scripts/sign-macho.ts";
import { help } from "../../src/cli/about";
import type { Group } from "../../src/cli/define";
import root from "../../src/root";
import { COOP } from "../binary";

const ROOT = resolve(import.meta.dir, "../..");

let folder: string;
let entry: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "coop-build-"));
  entry = join(folder, "entry.ts");
  await Bun.write(entry, 'console.log((await import("./lazy")).answer);');
  await Bun.write(join(folder, "lazy.ts"), "export const answer: number = 42;");
});
afterAll(() => rm(folder, { recursive: true }));

function coop(cwd: string, id: string | undefined, ...words: string[]) {
  const env = { ...process.env, PIPPA_COOP_ID: id, PIPPA_COOP_DB: join(cwd, "coop.db") };
  const { exitCode, stdout, stderr } = Bun.spawnSync([COOP, ...words], { cwd, env });
  return { exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
}

async function sha256(path: string): Promise<string> {
  return new Bun.CryptoHasher("sha256").update(await Bun.file(path).bytes()).digest("hex");
}

test("the executable says which coop, Bun and SQLite it is", () => {
  const { exitCode, stdout } = coop(folder, undefined, "--version");
  expect(stdout).toMatch(/^coop \d+\.\d+\.\d+\S* \(bun \d+\.\d+\.\d+, sqlite 3\.\d+\.\d+\)\n$/);
  expect(stdout).toStartWith(`coop ${version} (bun ${Bun.version}, `);
  expect(exitCode).toBe(0);
});

test("the executable neither reads the current folder's .env nor runs its bunfig.toml", async () => {
  const place = join(folder, "place");
  await Bun.write(join(place, ".env"), "PIPPA_COOP_ID=stranger\n");
  await Bun.write(join(place, "bunfig.toml"), 'preload = ["./preload.ts"]\n');
  await Bun.write(join(place, "preload.ts"), 'await Bun.write("preloaded", "");\n');
  expect(coop(place, undefined, "init").exitCode).toBe(0);

  const write = ["letter", "write", "hello", "--body", "hello"];
  expect(coop(place, undefined, ...write)).toMatchObject({ exitCode: 2, stdout: "" });
  expect(coop(place, "guest", ...write).exitCode).toBe(0);
  expect(await readdir(place)).not.toContain("preloaded");
});

test("the executable holds the help pages of the source it was built from", async () => {
  const groups = await Promise.all(
    Object.entries(root.commands).map(async ([name, load]) => ({
      name,
      command: (await load()).default,
    })),
  );
  const pages: { path: string[]; command: Group }[] = [{ path: [], command: root }];
  for (const { name, command } of groups)
    if (command.kind === "group") pages.push({ path: [name], command });
  expect(pages.length).toBeGreaterThan(5);
  for (const { path, command } of pages) {
    const page = await help(root, path, command);
    expect(coop(folder, undefined, ...path, "--help")).toEqual({
      exitCode: 0,
      stdout: `${page}\n`,
      stderr: "",
    });
  }
});

test("the same sources give the same bytes, in whatever folder and environment", async () => {
  const outfiles = [join(folder, "one/coop"), join(folder, "two/coop")] as const;
  const before = process.env["NODE_ENV"];
  await build({ entry, outfile: outfiles[0] });
  process.env["NODE_ENV"] = "development";
  await build({ entry, outfile: outfiles[1] });
  process.env["NODE_ENV"] = before;

  expect(await sha256(outfiles[1])).toBe(await sha256(outfiles[0]));
  expect(Bun.spawnSync([outfiles[0]]).stdout.toString()).toBe("42\n");
});

test("the program has the same bytes wherever its sources are", async () => {
  const copy = join(folder, "copy");
  const packages = Object.keys(dependencies).map((name) => `node_modules/${name}`);
  for (const part of ["src", "package.json", "tsconfig.json", ...packages])
    await cp(join(ROOT, part), join(copy, part), { recursive: true });
  const outfile = join(folder, "elsewhere/coop");
  const options = JSON.stringify({ entry: join(copy, "src/main.ts"), outfile });
  const script = `import { build } from ${JSON.stringify(join(ROOT, "scripts/build.ts"))};
    await build(${options});`;
  // As scripts/build does, from the top folder.
  expect(Bun.spawnSync([process.execPath, "-e", script], { cwd: copy }).exitCode).toBe(0);
  expect(await sha256(outfile)).toBe(await sha256(COOP));
});

test("a build that fails leaves nothing behind, not even what was there before", async () => {
  const outfile = join(folder, "broken/coop");
  await Bun.write(outfile, "stale");
  await Bun.write(join(folder, "broken.ts"), 'import "./missing";\n');

  await expect(build({ entry: join(folder, "broken.ts"), outfile })).rejects.toThrow();
  expect(await readdir(join(folder, "broken"))).toEqual([]);
});

test("Bun signs what it builds for Apple silicon", async () => {
  const outfile = join(folder, "arm/coop");
  await compile({ entry, outfile, target: "darwin-arm64" });
  expect(signatureProblems(await Bun.file(outfile).bytes())).toEqual([]);
});

test("the signature Bun leaves for Intel Macs is stale, and build replaces it", async () => {
  const outfile = join(folder, "intel/coop");
  await compile({ entry, outfile, target: "darwin-x64" });
  expect(signatureProblems(await Bun.file(outfile).bytes())).not.toEqual([]);
  await build({ entry, outfile, target: "darwin-x64" });
  const signed = await Bun.file(outfile).bytes();
  expect(signatureProblems(signed)).toEqual([]);
  expect(Bun.deepEquals(signAdHoc(signed), signed)).toBe(true);

  for (const at of [0x20, Math.floor(signed.length / 2), signed.length - 0x200000]) {
    signed[at]! ^= 1;
    expect(signatureProblems(signed)).toHaveLength(1);
    signed[at]! ^= 1;
  }
  expect(signatureProblems(signed.subarray(0, -1))).toHaveLength(1);
});

test("npm and Bun lock the same packages", () => {
  const npm = Object.values(npmLock.packages as Record<string, { integrity?: string }>);
  const bun = Object.values(bunLock.packages).map((entries) => String(entries.at(-1)));
  expect(npm.flatMap(({ integrity }) => integrity ?? []).toSorted()).toEqual(bun.toSorted());
});
