import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import type { BunPlugin } from "bun";

import lock from "../package-lock.json";
import { help } from "../src/cli/about.ts";
import root from "../src/root.ts";
import { asked } from "./options.ts";
import { signAdHoc, signatureProblems } from "./sign-macho.ts";

const ROOT = resolve(import.meta.dir, "..");
const TARGETS = [
  "darwin-arm64",
  "darwin-x64",
  "linux-arm64",
  "linux-arm64-musl",
  "linux-x64",
  "linux-x64-musl",
  "windows-x64",
] as const;

/** A machine to build for. Linux without `-musl` means glibc. */
export type Target = (typeof TARGETS)[number];

export interface BuildOptions {
  /** The program's first module. */
  entry: string;
  /** Where to put the executable. Its file name is part of its bytes, its folder is not. */
  outfile: string;
  /** The machine it is for; this one if left out. */
  target?: Target;
}

/**
 * Builds one executable that its target's system will run: the same sources give the same bytes.
 * What was at `outfile` is gone at once, and nothing new is there before it is whole.
 * @throws AggregateError with Bun's messages if the sources do not build.
 * @throws Error if the target's Bun cannot be had.
 */
export async function build({ entry, outfile, target }: BuildOptions): Promise<void> {
  await rm(outfile, { force: true });
  await mkdir(dirname(outfile), { recursive: true });
  const folder = await mkdtemp(join(dirname(outfile), ".build-"));
  try {
    const made = join(folder, basename(outfile));
    await compile({ entry, outfile: made, target });
    if (target?.startsWith("darwin") ?? process.platform === "darwin") await signIfStale(made);
    await rename(made, outfile);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/**
 * Does the part of `build` that is Bun's, straight into `outfile` and using its folder. What it
 * makes for darwin-x64 carries the signature of the Bun inside, which no longer fits.
 * @throws the errors of `build`.
 */
export async function compile({ entry, outfile, target }: BuildOptions): Promise<void> {
  // Bun names its targets and their packages alike.
  const name = target && (`bun-${target.replace("arm64", "aarch64")}` as Bun.Build.CompileTarget);
  const bun = name && (await fetchBun(name));
  const executablePath = bun && (await unpackBun(bun, dirname(outfile)));
  await Bun.build({
    entrypoints: [entry],
    plugins: [await fewChunks(dirname(entry)), await helpPages()],
    minify: true,
    bytecode: true,
    format: "esm",
    splitting: true,
    // Left to itself, Bun takes over the NODE_ENV of whoever builds.
    define: { "process.env.NODE_ENV": '"production"' },
    compile: {
      outfile,
      ...(name && { target: name }),
      ...(executablePath && { executablePath }),
      autoloadDotenv: false,
      autoloadBunfig: false,
      // What runs a thousand times, a line each, is not yet worth compiling; what goes through a whole store is.
      jitPolicy: 128,
    },
  });
}

/**
 * Makes two chunks of what commands share: what it takes to understand a command line, and the core that runs it. Bun
 * makes a chunk of each set of modules that the same lazy imports reach, which would be dozens for every start to load;
 * so each module that is imported lazily is made to reach all of what it shares.
 */
async function fewChunks(folder: string): Promise<BunPlugin> {
  const [core, line] = [join(folder, "core.ts"), join(folder, "cli/program.ts")];
  const lazy = (await Bun.file(core).exists()) ? await lazyModules(folder) : new Set();
  return {
    name: "few chunks",
    setup: (builder) => {
      builder.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        if (!lazy.has(path)) return undefined;
        const code = await Bun.file(path).text();
        const shared = code.includes("defineGroup(") || path.endsWith("about.ts") ? line : core;
        // By its whole path the folder would be a part of the executable.
        const from = relative(dirname(path), shared).replaceAll("\\", "/");
        return { contents: `import "./${from}";\n${code}`, loader: "ts" };
      });
    },
  };
}

/** Puts the help pages of the groups into the module that is there for them. */
async function helpPages(): Promise<BunPlugin> {
  const pages: Record<string, string> = { "": await help(root, [], root) };
  for (const [name, load] of Object.entries(root.commands)) {
    const { default: command } = await load();
    if (command.kind === "group") pages[name] = await help(root, [name], command);
  }
  return {
    name: "help pages",
    setup: (builder) => {
      builder.onLoad({ filter: /[\\/]src[\\/]cli[\\/]pages\.ts$/ }, () => ({
        contents: `export const PAGES = ${JSON.stringify(pages)};`,
        loader: "ts",
      }));
    },
  };
}

/** The modules of a folder that others import by `import()`. */
async function lazyModules(folder: string): Promise<Set<string>> {
  const transpiler = new Bun.Transpiler({ loader: "ts" });
  const found = new Set<string>();
  for (const file of new Bun.Glob("**/*.ts").scanSync(folder)) {
    const path = join(folder, file);
    for (const { kind, path: imported } of transpiler.scanImports(await Bun.file(path).text()))
      if (kind === "dynamic-import" && imported.startsWith("."))
        found.add(Bun.resolveSync(imported, dirname(path)));
  }
  return found;
}

/** Gets a target's Bun, of the version that runs this, as its npm package, held to the lock file's
 * checksum; undefined where there is no npm, for Bun then to download it by itself. */
async function fetchBun(name: string): Promise<Uint8Array | undefined> {
  const npm = Bun.which("npm");
  if (npm === null || Bun.which("node") === null) return undefined;

  const packages: Record<string, { version?: string; integrity?: string }> = lock.packages;
  const { version, integrity } = packages[`node_modules/@oven/${name}`] ?? {};
  if (version !== Bun.version) {
    throw new Error(`package-lock.json has ${name} ${version}, but this is Bun ${Bun.version}`);
  }
  const holds = (bytes: Uint8Array) =>
    integrity === `sha512-${new Bun.CryptoHasher("sha512").update(bytes).digest("base64")}`;

  const cache = join(ROOT, "node_modules/.cache/bun-targets");
  const cached = join(cache, `oven-${name}-${version}.tgz`);
  if (await Bun.file(cached).exists()) {
    const bytes = await Bun.file(cached).bytes();
    if (holds(bytes)) return bytes;
  }
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, ".fetch-"));
  try {
    const spec = `@oven/${name}@${version}`;
    const pack = Bun.spawn([npm, "pack", spec, "--silent", "--pack-destination", folder], {
      cwd: ROOT,
      stdin: "ignore",
      stdout: "ignore",
    });
    if ((await pack.exited) !== 0) throw new Error(`npm could not download ${spec}`);
    const fetched = join(folder, basename(cached));
    const bytes = await Bun.file(fetched).bytes();
    if (!holds(bytes)) throw new Error(`${spec} does not have the checksum in package-lock.json`);
    await rename(fetched, cached);
    return bytes;
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function unpackBun(tarball: Uint8Array, folder: string): Promise<string> {
  await new Bun.Archive(tarball).extract(folder, { glob: "package/bin/bun*" });
  const [bun] = new Bun.Glob("package/bin/bun*").scanSync(folder);
  if (bun === undefined) throw new Error("the target's package has no Bun in it");
  return join(folder, bun);
}

/** Signs a Mach-O file anew unless the signature it has still fits. */
async function signIfStale(path: string): Promise<void> {
  const file = await Bun.file(path).bytes();
  if (signatureProblems(file).length > 0) await Bun.write(path, signAdHoc(file), { mode: 0o755 });
}

const USAGE = `scripts/build [--all]

Makes dist/coop for this machine, with --all one for each target too, and their checksums in dist/SHA256SUMS.`;

async function main(): Promise<void> {
  const values = asked(USAGE, { all: { type: "boolean" } });
  const dist = join(ROOT, "dist");
  await rm(dist, { recursive: true, force: true });
  const sums: string[] = [];
  for (const target of [undefined, ...(values.all ? TARGETS : [])]) {
    const windows = target?.startsWith("windows") ?? process.platform === "win32";
    const name = ["coop", target].filter(Boolean).join("-") + (windows ? ".exe" : "");
    const outfile = join(dist, name);
    await build({ entry: join(ROOT, "src/main.ts"), outfile, target });
    const bytes = await Bun.file(outfile).bytes();
    sums.push(`${new Bun.CryptoHasher("sha256").update(bytes).digest("hex")}  ${name}\n`);
    console.log(`dist/${name}  ${(bytes.length / 1e6).toFixed(0)} MB`);
  }
  await Bun.write(join(dist, "SHA256SUMS"), sums.join(""));
}

if (import.meta.main) await main();
