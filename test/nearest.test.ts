import { describe, expect, test } from "bun:test";
import { distance, nearest } from "../src/nearest";

describe("the distance of two words", () => {
  test("counts what is put in, left out, changed, and swapped with its neighbour", () => {
    expect(distance("start", "start")).toBe(0);
    expect(distance("start", "starrt")).toBe(1);
    expect(distance("start", "stat")).toBe(1);
    expect(distance("start", "stark")).toBe(1);
    expect(distance("start", "strat")).toBe(1);
    expect(distance("", "start")).toBe(5);
    expect(distance("ab", "ba")).toBe(1);
    expect(distance("kitten", "sitting")).toBe(3);
  });

  test("is the same both ways, and counts characters, not halves of them", () => {
    for (const [a, b] of [
      ["letter", "later"],
      ["한글", "한국"],
      ["👍", "👎"],
    ] as const)
      expect(distance(a, b)).toBe(distance(b, a));
    expect(distance("👍", "👎")).toBe(1);
  });
});

describe("the nearest word", () => {
  test("is the one that is spelt most like it, whatever the case", () => {
    expect(nearest("lettr", ["request", "letter", "todo"])).toBe("letter");
    expect(nearest("LETTER", ["later", "letter"])).toBe("letter");
    expect(nearest("codex-pipa", ["claude-code-pippa", "codex-pippa"])).toBe("codex-pippa");
  });

  test("is one that begins like it, where enough of it is there", () => {
    const ids = ["dad", "claude-code-pippa", "codex-pippa", "gemini-pippa"];
    for (const [word, id] of [
      ["claude", "claude-code-pippa"],
      ["Codex", "codex-pippa"],
      ["gemni", "gemini-pippa"],
      ["da", "dad"],
    ] as const)
      expect(nearest(word, ids)).toBe(id);
    expect(nearest("--pri", ["--as", "--priority"])).toBe("--priority");
    expect(nearest("--s", ["--as", "--since"])).toBe("--as");
  });

  test("is the first of equals, and none of none", () => {
    expect(nearest("aa", ["ab", "ac"])).toBe("ab");
    expect(nearest("aa", [])).toBeUndefined();
  });
});

test("of two that differ in case alone the one in the word's own is nearest", () => {
  expect(nearest("jobz", ["Jobs", "jobs"])).toBe("jobs");
  expect(nearest("jobz", ["jobs", "Jobs"])).toBe("jobs");
});
