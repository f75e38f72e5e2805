import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join, posix, resolve } from "node:path";

const SRC = resolve(import.meta.dir, "../src");
const transpiler = new Bun.Transpiler({ loader: "ts" });

/** A source file and what it imports, types included: packages by name, files by their path in src. */
interface Source {
  file: string;
  code: string;
  imports: string[];
}

const sources: Source[] = Array.from(new Bun.Glob("**/*.ts").scanSync(SRC), (file) => {
  const code = readFileSync(join(SRC, file), "utf8");
  // The transpiler leaves types out; as values it sees them.
  const values = code.replace(/^(im|ex)port type (?=[{*])/gm, "$1port ");
  const imports = transpiler
    .scanImports(values)
    .map(({ path }) => (path.startsWith(".") ? posix.join(posix.dirname(file), path) : path));
  return { file, code, imports };
});

/** The imports that a part of the house may not have, each as `file imports path`. */
const violations = (of: RegExp, forbidden: (path: string, file: string) => boolean): string[] =>
  sources
    .filter(({ file }) => of.test(file))
    .flatMap(({ file, imports }) =>
      imports.filter((path) => forbidden(path, file)).map((path) => `${file} imports ${path}`),
    );

describe("the house", () => {
  test("is all read by these tests", () => {
    expect(sources.length).toBeGreaterThan(60);
    const letter = sources.find(({ file }) => file === "surfaces/letter/store.ts")!;
    expect(letter.imports).toContain("store/records");
    expect(letter.imports).toContain("store/write");
  });

  test("has stores that know no command line", () => {
    expect(
      violations(
        /^store\/|^surfaces\/[^/]+\/store(\.ts$|\/)/,
        (path) => path.startsWith("cli/") || path === "citty" || path.startsWith("consola"),
      ),
    ).toEqual([]);
  });

  test("has a command line that knows no SQLite and no surface's store", () => {
    expect(
      violations(
        /^cli\//,
        (path) => path === "bun:sqlite" || /^surfaces\/[^/]+\/store(\/|$)/.test(path),
      ),
    ).toEqual([]);
  });

  test("has surfaces that know nothing of each other", () => {
    const room = (path: string) => /^surfaces\/([^/]+)/.exec(path)?.[1];
    expect(
      violations(
        /^surfaces\//,
        (path, file) => room(path) !== undefined && room(path) !== room(file),
      ),
    ).toEqual([]);
  });

  test("has a store that knows nothing that is built on it", () => {
    const above = /^(surfaces|across|admin|clients|edge|main)(\/|$)/;
    expect(violations(/^store\//, (path) => above.test(path))).toEqual([]);
  });

  test("has what spans surfaces without the SQL of one", () => {
    const stores = /^surfaces\/[^/]+\/store(\/|$)/;
    expect(violations(/^(across|admin|clients|edge)\//, (path) => stores.test(path))).toEqual([]);
  });

  test("has SQL in stores alone", () => {
    const stores = /^store\/|\/store(\.ts$|\/)/;
    const writers = sources.filter(
      ({ file, code }) => !stores.test(file) && /\b(sql|raw)`|\braw\(/.test(code),
    );
    expect(writers.map(({ file }) => file)).toEqual([]);
  });

  test("takes the process, the clock and chance from its edge alone", () => {
    const edge = /^main\.ts$|^edge\//;
    const outside: Record<string, RegExp> = {
      process: /\bprocess\b/,
      "Bun's process": /\bBun\.(env|argv|stdin|stdout|stderr|main)\b|\bimport\.meta\.env\b/,
      clock: /\bDate\.now\b|\bnew Date\(\)|\bperformance\b|\bBun\.nanoseconds\b/,
      chance: /\bMath\.random\b|\brandom(UUID\w*|Bytes|Int)\b|\bgetRandomValues\b/,
    };
    const uses = sources
      .filter(({ file }) => !edge.test(file))
      .flatMap(({ file, code }) => {
        // Comments are left out by the transpiler, and texts for people by this.
        const words = transpiler.transformSync(code).replace(/"(?:[^"\\\n]|\\.)*"/g, '""');
        return Object.entries(outside)
          .filter(([, pattern]) => pattern.test(words))
          .map(([what]) => `${file} uses the ${what}`);
      });
    expect(uses).toEqual([]);
  });
});
