import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { join } from "node:path";
import { CoopError, EXITS, printable, REASONS, withoutPasswords } from "../src/errors";

test("the README has every exit, and every reason of it", async () => {
  const readme = await Bun.file(join(import.meta.dir, "../README.md")).text();
  const reasons: Partial<Record<string, readonly string[]>> = REASONS;
  for (const [code, exit] of Object.entries(EXITS)) {
    const row = readme.split("\n").find((line) => line.startsWith(`| ${exit}    | ${code} `));
    const told = row?.match(/`(\w+)`/g)?.map((each) => each.slice(1, -1)) ?? [];
    expect([code, row !== undefined]).toEqual([code, true]);
    if (reasons[code]) expect(told).toEqual([...reasons[code]]);
  }
});

describe("what is printed of an error", () => {
  test.each([
    [
      "'postgres://brains:S3CR3T@h/x' is a word too much",
      "'postgres://brains:…@h/x' is a word too much",
    ],
    ["no folder /home/me/postgres:/brains:S3CR3T@h", "no folder /home/me/postgres:/brains:…@h"],
    ["no file /home/me/postgres//brains:S3CR3T@h/x", "no file /home/me/postgres//brains:…@h/x"],
    ["'postgres:brains:S3CR3T@h'", "'postgres:brains:…@h'"],
    ["'postgers://:S3CR3T@h'", "'postgers://:…@h'"],
    ["'POSTGRES://brains:5432/S3CR3T@h'", "'POSTGRES://brains:…@h'"],
    ["'postgres://brains:two S3CR3Ts: 1@2/3@h' is no", "'postgres://brains:…@h' is no"],
    ["no folder /home/me/brains:S3CR3T@h/x", "no folder /home/me/brains:…@h/x"],
    ["no folder 'C:\\me\\brains:S3CR3T@h'", "no folder 'C:\\me\\brains:…@h'"],
    ["C:\\me\\postgres:\\brains:S3CR3T@h", "C:\\me\\postgres:\\brains:…@h"],
    ["'postgres://h/x?password=S3CR3T&schema=y'", "'postgres://h/x?password=…&schema=y'"],
    [
      "cannot read postgres://a:S3CR3T@h/x: no such file, open 'postgres://a:S3CR3T@h/x' again",
      "cannot read postgres://a:…@h/x: no such file, open 'postgres://a:…@h/x' again",
    ],
    [
      "'postgres://a:S3CR3T@h/x' was never used; the nearest is 'postgres://a:S3CR3T@h/y'",
      "'postgres://a:…@h/x' was never used; the nearest is 'postgres://a:…@h/y'",
    ],
    ["'host=h password=S3CR3T', which", "'host=h password=…', which"],
    ["'host=h password = 'a S3CR3T' user=u'", "'host=h password = … user=u'"],
  ])("holds no password: %s", (text, shown) => {
    expect(withoutPasswords(text)).toBe(shown);
    const { message, details } = printable(new CoopError("usage", text, { hint: text, ref: "L1" }));
    expect({ message, ...details }).toEqual({ message: shown, hint: shown, ref: "L1" });
  });

  test("holds no password of a URL, whatever characters that has", () => {
    const urls = fc
      .tuple(
        fc.constantFrom("postgres://ann:", "postgres:/ann:", "postgres//ann:", "/x/postgres:/ann:"),
        // Not with an @ before both spaces and quotes: nothing tells where such a one ends.
        fc.oneof(
          fc.string().map((text) => text.replaceAll("'", '"')),
          fc.string().map((text) => text.replaceAll(/\s/g, "_")),
          fc.string().map((text) => text.replaceAll("@", "a")),
        ),
      )
      .map(([before, password]) => `${before}S3CR3T${password}S3CR3T@db/work`);
    fc.assert(
      fc.property(urls, (url) => {
        expect(withoutPasswords(`there is no '${url}' here`)).not.toContain("S3CR3T");
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    "the store postgres://h:5432/work was moved to postgres://brains@h2:5433/work",
    "the store postgres://[::1]:5432/work was moved to postgres://brains@h/work",
    "is postgres://USER@HOST:PORT/DATABASE?schema=NAME; percent-encode / @ : ? # % in its parts",
    "'agent:claude@pippa' has never written here; the nearest known id is 'agent:claude@pipa'",
    "the queue 'builds/linux:a' was never used; the nearest is 'builds/linux:b@studio'",
    "'team/ann' has never written here; the nearest known id is 'team/ann:main@host'",
    "the scope 'git@host.example:team/app:x@y' is too long",
    "cannot read C:\\Users\\ann@host\\at 12:30\\x.md: it is ann@host's",
    "cannot read /app/node_modules/@scope/pkg: since 12:30 ann@host has it",
    "cannot read /tmp/x: it is ann@host's",
  ])("is otherwise as it was: %s", (text) => {
    expect(withoutPasswords(text)).toBe(text);
  });

  test.each(["/a:1", "//a:1", "/", "postgres:/u:1", "/a:b'"])(
    "is looked through in time that grows with it, also where it is all %s",
    (part) => {
      const text = part.repeat(400_000 / part.length);
      expect(withoutPasswords(`${text} of ann@host`)).toEndWith("@host");
    },
    5_000,
  );
});
