import fc from "fast-check";

/** Texts of the kind that break programs, and how often each property is tried. */

/**
 * How often a property is tried. `COOP_FUZZ_RUNS` says how many times as often as usual, `COOP_FUZZ_SEED` what
 * fast-check printed when a property failed.
 */
export function tries(usual: number): fc.Parameters<unknown> {
  const { COOP_FUZZ_RUNS: times = "1", COOP_FUZZ_SEED: seed } = process.env;
  return {
    numRuns: Math.ceil(usual * Number(times)),
    ...(seed !== undefined && { seed: Number(seed) }),
  };
}

/** How long a property may take, in ms: a failing one is also tried on simpler and simpler values. */
export const LONGEST_MS = 600_000;

const PIECES = [
  // Unseen, or turning the text around them: zero-width, bidirectional, fillers, tags.
  "\u200b",
  "\u200d",
  "\u2060",
  "\ufeff",
  "\u00ad",
  "\u202e",
  "\u2066",
  "\u2069",
  "\u061c",
  "\u115f",
  "\u3164",
  "\u{e0041}",
  "\ufe0f",
  "\u180e",
  "\ufff9",
  // What drives a terminal or ends a line.
  "\u001b[2J",
  "\u001b]0;x\u0007",
  "\u009b31m",
  "\r",
  "\r\n",
  "\n",
  "\t",
  "\u0008",
  "\u007f",
  "\u0085",
  "\u2028",
  "\u2029",
  // Composed and decomposed, several code points to a sign, and characters beyond 16 bits.
  "é",
  "e\u0301",
  "가",
  "\u1100\u1161",
  "ﬀ",
  "👩‍👩‍👧",
  "🇰🇷",
  "𝔘",
  "Å",
  "\u212b",
  "ß",
  "İ",
  // What the grammar has a meaning for.
  "-",
  "--",
  "--body",
  "-x",
  "--json",
  "-F",
  "=",
  ",",
  "me",
  "all",
  "HEAD",
  "L1",
  "#2",
  "t3",
  "F1",
  "12",
  "0",
  "00",
  "2h",
  "-",
  // What a format has a meaning for.
  "`",
  "```",
  "````\n",
  '"',
  "'",
  "\\",
  "\\n",
  "{}",
  "[]",
  "null",
  '{"payload":1}',
  "%s",
  "%00",
  "$(id)",
  "${x}",
  "'; drop table letters; --",
  "__proto__",
  "constructor",
  "\ufffd",
  "Q1 done",
  " ",
  "  ",
] as const;

/** Any well-formed text: words, signs of all kinds, and now and then a very long one. */
export const text: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 8 })), { maxLength: 8 })
      .map((parts) => parts.join("")),
  },
  { weight: 3, arbitrary: fc.string({ unit: "binary", maxLength: 40 }) },
  { weight: 2, arbitrary: fc.string({ unit: "grapheme", maxLength: 40 }) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        fc.constantFrom("x", "é", "락", "👍", "\n", "`", "\u200b", "-"),
        fc.integer({ min: 50, max: 3000 }),
      )
      .map(([piece, count]) => piece.repeat(count)),
  },
);

/** Any text that JavaScript can hold, halves of surrogate pairs and U+0000 included. */
export const anything: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: text },
  {
    weight: 1,
    arbitrary: fc
      .tuple(text, fc.constantFrom("\ud800", "\udc00", "\0", "\udfff\ud800"), text)
      .map((parts) => parts.join("")),
  },
);

/** A text that a body may be. */
export const body = text.filter((given) => !given.includes("\0"));

/** A title: not empty, up to 1 KB. */
export const title = body.filter(
  (given) => given.trim() !== "" && Buffer.byteLength(given) <= 1024,
);

/** What may be an id, a scope, a slug, a key or a queue's name, before it is brought into NFC. */
export const word = text.filter((given) => {
  const kept = given.normalize("NFC");
  return kept.trim() !== "" && !/\p{Cc}/u.test(kept) && Buffer.byteLength(kept) <= 200;
});

/** A word that is no list. */
export const kind = word.filter((given) => !given.includes(","));

/** Characters that text output never holds as they are. */
export const UNSEEN =
  // oxlint-disable-next-line no-misleading-character-class
  /[[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]--[\t\n\ufe0e\ufe0f]]|(?:^|[^\p{Extended_Pictographic}#*0-9])[\ufe0e\ufe0f]/v;
