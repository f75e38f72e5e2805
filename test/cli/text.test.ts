import { describe, expect, test } from "bun:test";
import { ages, counted, fenced, heading, inline, lines, visible } from "../../src/cli/text";

describe("text from users", () => {
  test("shows every character that could hide, rearrange or drive as its number", () => {
    // What Unicode calls controls, separators of lines, lone halves of pairs, and what is drawn as nothing.
    const tricky = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}]/u;
    const harmless = (code: number) => code === 0x09 || code === 0x0a;
    const shownAsItIs: string[] = [];
    for (let code = 0; code <= 0x10ffff; code++) {
      const character = String.fromCodePoint(code);
      if (!tricky.test(character) || harmless(code)) continue;
      const shown = `\\u{${code.toString(16)}}`;
      if (visible(`a${character}b`) !== `a${shown}b`) shownAsItIs.push(shown);
    }
    expect(shownAsItIs).toEqual([]);
    // The choice between a sign's text and emoji form, which ordinary text is full of.
    for (const text of ["I ❤️ it", "1️⃣ first", "☎︎"]) expect(inline(text)).toBe(text);
    expect(inline("ann\ufe0f")).toBe("ann\\u{fe0f}");
  });

  test("shows what people write as it is", () => {
    const text = "a\tb\nc 한글 ‘quotes’ — é e\u0301 汉字 ✅ ⚠️ עברית \u00a0 \\u{1b}";
    expect(visible(text)).toBe(text);
  });

  test("cannot drive a terminal or end the line that it stands on", () => {
    expect(visible("\u001b[31mred\r")).toBe("\\u{1b}[31mred\\u{d}");
    expect(inline("a\nb\tc\r\u2028d")).toBe("a\\nb\\tc\\u{d}\\u{2028}d");
  });
});

describe("lines", () => {
  test("are those that are there, however many at once", () => {
    const many = Array.from({ length: 2_000_000 }, () => "x");
    expect(lines("first", false, many, undefined, [], "last")).toBe(
      `first\n${many.join("\n")}\nlast`,
    );
  });
});

describe("a number of things", () => {
  test("is told in their plural, but where it is one", () => {
    const told = [0, 1, 2, "1", "10000+"].map((count) => counted(count, "history entry"));
    expect(told).toEqual([
      "0 history entries",
      "1 history entry",
      "2 history entries",
      "1 history entry",
      "10000+ history entries",
    ]);
    expect(counted(2, "item")).toBe("2 items");
  });
});

describe("the age of a record", () => {
  test("is told with how long ago it was changed, where that was a while after it was made", () => {
    const view = { now: Date.parse("2026-11-29T12:00:00Z"), scope: "", me: undefined };
    for (const [made, changed, told] of [
      ["2026-11-26T12:00:00Z", "2026-11-26T12:00:00Z", "3d"],
      ["2026-11-26T12:00:00Z", "2026-11-29T10:00:00Z", "3d, changed 2h"],
      ["2026-11-29T11:59:00Z", "2026-11-29T11:59:40Z", "1m"],
      ["2026-11-26T12:00:00Z", "2026-11-26T12:05:00Z", "3d, changed 2d"],
      ["2026-11-26T11:00:00Z", "2026-11-26T11:05:00Z", "3d"],
    ] as const)
      expect(ages(view, { created_at: made, updated_at: changed })).toBe(told);
  });
});

describe("a fenced text", () => {
  test("stands between fences, with one newline before the last", () => {
    expect(fenced("one\ntwo")).toBe("```\none\ntwo\n```");
    expect(fenced("one\n")).toBe("```\none\n```");
    expect(fenced("")).toBe("```\n\n```");
  });

  test("cannot close its own fence", () => {
    for (const text of ["```", "a\n```\nL9 unread", "`````\n", "x ```` y"]) {
      const shown = fenced(text).split("\n");
      const fence = shown[0]!;
      expect(fence).toMatch(/^`{4,}$/);
      expect(shown.at(-1)).toBe(fence);
      expect(text).not.toContain(fence);
    }
  });

  test("has its tricky characters made visible", () => {
    expect(fenced("a\u202eb")).toBe("```\na\\u{202e}b\n```");
  });
});

describe("a heading", () => {
  test("is the title, or where there is none the first line of the text", () => {
    expect(heading("a title", "a body")).toBe("a title");
    expect(heading("", "a body")).toBe("a body");
    expect(heading("\n a title\n", "a body")).toBe("a title");
    expect(heading("", "\n\n  a body\n")).toBe("a body");
    expect(heading("", "")).toBe("");
  });

  test("says with … that there is more", () => {
    expect(heading("", "first\nsecond")).toBe("first…");
    expect(heading("x".repeat(100), "")).toBe("x".repeat(100));
    expect(heading("x".repeat(101), "")).toBe(`${"x".repeat(100)}…`);
    expect(heading("first\nsecond", "")).toEndWith("…");
  });

  test("is cut between characters and stays on one line", () => {
    expect(heading("👍".repeat(101), "")).toBe(`${"👍".repeat(100)}…`);
    expect(heading("a\tb\u001b", "")).toBe("a\\tb\\u{1b}");
  });
});
