import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import * as v from "valibot";
import { emphasised } from "../../src/cli/colour";
import { fenced, heading, inline, visible } from "../../src/cli/text";
import { CoopError } from "../../src/errors";
import { looksLikeRef, parseRef, ref, refNumber, SIGILS, SURFACES } from "../../src/ref";
import { describe as nameOf, locate } from "../../src/store/location";
import { parseLines } from "../../src/surfaces/queue/jsonl";
import { age, duration, instant, timestamp } from "../../src/time";
import { id, key, kind, longText, oneId, queueName, scope, slug, title } from "../../src/words";
import { anything, body, LONGEST_MS, text, tries, UNSEEN, word } from "./hostile";

/** Runs what may refuse its input with exit 2, and gives undefined when it does. Anything else thrown is a defect. */
function accepted<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (thrown) {
    if (thrown instanceof CoopError && thrown.code === "usage") return undefined;
    throw thrown;
  }
}

const holds = (name: string, usual: number, property: fc.IProperty<unknown>) =>
  test(name, () => fc.assert(property, tries(usual)), LONGEST_MS);

describe("any text, taken for a ref,", () => {
  const nearRef = fc.oneof(
    anything,
    fc
      .tuple(
        fc.constantFrom("", "#", " ", "-"),
        fc.constantFrom("", ..."LRTHQFlrthqfxÅ"),
        fc.constantFrom("", "0", "000"),
        fc.bigInt({ min: 0n, max: 10n ** 20n }),
      )
      .map((parts) => parts.join("")),
  );

  holds(
    "is the number of a record or no ref",
    2000,
    fc.property(nearRef, fc.constantFrom(...SURFACES), (given, surface) => {
      const number = accepted(() => refNumber(surface, given));
      if (number === undefined) return;
      expect(Number.isSafeInteger(number) && number >= 1).toBe(true);
      expect(refNumber(surface, ref(surface, number))).toBe(number);
      expect(looksLikeRef(given)).toBe(true);
    }),
  );

  holds(
    "names a surface only with that surface's letter",
    2000,
    fc.property(nearRef, (given) => {
      const parsed = parseRef(given);
      if (!parsed) return;
      expect(given.replace(/^#/, "")[0]!.toUpperCase()).toBe(SIGILS[parsed.surface]);
      expect(parseRef(ref(parsed.surface, parsed.number))).toEqual(parsed);
    }),
  );
});

describe("any text, taken for a time,", () => {
  const nearTime = fc.oneof(
    anything,
    fc
      .tuple(fc.integer({ min: 0, max: 9_999_999 }), fc.constantFrom(..."smhdwy"))
      .map((parts) => parts.join("")),
    fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
    fc
      .tuple(
        fc.integer({ min: 0, max: 9999 }),
        fc.integer({ min: 0, max: 99 }),
        fc.integer({ min: 0, max: 99 }),
        fc.constantFrom(
          "",
          "T25:00Z",
          "T10:00",
          " 23:59:60Z",
          "T00:00:00.123456789+14:00",
          "T00:00-99:99",
        ),
      )
      .map(
        ([year, month, day, rest]) =>
          `${String(year).padStart(4, "0")}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")}${rest}`,
      ),
  );
  const now = Date.parse("2026-11-22T09:30:00Z");

  holds(
    "is a moment that can be written down again, or no time",
    2000,
    fc.property(nearTime, (given) => {
      const moment = accepted(() => instant(given, now));
      if (moment === undefined) return;
      // Far away, years have another form, which no user ever sees.
      const written = timestamp(moment);
      if (/^\d/.test(written)) expect(instant(written, now)).toBe(moment);
      expect(age(now - moment)).toMatch(/^-?\d+[smhd]$/);
    }),
  );

  holds(
    "is a length of time or none",
    1000,
    fc.property(nearTime, (given) => {
      const length = accepted(() => duration(given));
      if (length !== undefined) expect(Number.isSafeInteger(length) && length >= 0).toBe(true);
    }),
  );
});

describe("any text, taken for a word of a user,", () => {
  const lines = { id, oneId, key, kind, queueName, scope, slug };
  const schemas: Record<string, v.GenericSchema<string, string>> = { ...lines, title, longText };

  holds(
    "is kept in a form that is kept as it is, or refused",
    3000,
    fc.property(anything, fc.constantFrom(...Object.keys(schemas)), (given, name) => {
      const schema = schemas[name]!;
      const result = v.safeParse(schema, given);
      if (!result.success) return;
      expect(v.parse(schema, result.output)).toBe(result.output);
      expect(result.output).toBe(Object.hasOwn(lines, name) ? given.normalize("NFC") : given);
      // Else it would not come out of the store as it went in.
      expect(Buffer.from(result.output).toString()).toBe(result.output);
      expect(result.output).not.toContain("\0");
    }),
  );

  holds(
    "is refused only where it breaks a rule",
    1000,
    fc.property(word, (given) => {
      expect(v.safeParse(id, given).success).toBe(true);
      expect(v.safeParse(scope, given).success).toBe(true);
    }),
  );

  holds(
    "is where a store is, or neither a path nor a URL",
    1000,
    fc.property(
      fc.oneof(
        anything,
        text.map((rest) => `/${rest}`),
        text.map((rest) => `postgres://ann:secret@${rest}`),
      ),
      (given) => {
        const location = accepted(() => locate({ flag: given, env: {}, home: () => "/home/ann" }));
        if (location) expect(nameOf(location)).not.toContain("secret");
      },
    ),
  );
});

describe("any lines of JSON", () => {
  /** A value in JSON, as somebody else's program might write it. */
  const payload = fc.oneof(
    body.map((value) => JSON.stringify(value)),
    fc.jsonValue().map((value) => JSON.stringify(value)),
    fc.constantFrom("1e400", "-0", "1.0", "0.10", "12345678901234567890", '{"a":1,"a":2}', "[ ]"),
  );

  holds(
    "are items with what was written in them, whatever is around it",
    1000,
    fc.property(
      fc.array(
        fc.record({
          payload,
          to: fc.option(
            word.filter((given) => !given.includes(",")),
            { nil: undefined },
          ),
          priority: fc.option(fc.integer({ min: 0, max: 4 }), { nil: undefined }),
        }),
        { maxLength: 5 },
      ),
      fc.constantFrom("\n", "\r\n", "\n\n", " \n\t\n"),
      fc.constantFrom("", " ", "\t"),
      (items, end, space) => {
        const lines = items.map(
          ({ payload: value, to, priority }) =>
            [
              `{${space}"payload"${space}:${space}${value}`,
              ...(to === undefined ? [] : [`"to":${JSON.stringify(to)}`]),
              ...(priority === undefined ? [] : [`"priority":${space}${priority}`]),
            ].join(`${space},${space}`) + `${space}}`,
        );
        const parsed = parseLines(lines.join(end), String);
        expect(
          parsed.map(({ payload: kept, payloadType, to, priority }) => ({
            kept,
            payloadType,
            to,
            priority,
          })),
        ).toEqual(
          items.map(({ payload: json, to, priority }) => {
            const value: unknown = JSON.parse(json);
            const isText = typeof value === "string";
            return {
              kept: isText ? value : json,
              payloadType: isText ? ("text" as const) : ("json" as const),
              to: to?.normalize("NFC"),
              priority: priority ?? 2,
            };
          }),
        );
      },
    ),
  );

  const nearLine = fc.oneof(
    anything,
    fc.json({ stringUnit: "binary" }),
    fc
      .dictionary(
        fc.oneof(fc.constantFrom("payload", "to", "key", "priority", "__proto__", "Payload"), text),
        fc.oneof(fc.jsonValue(), anything),
      )
      .map((value) => JSON.stringify(value)),
    fc
      .tuple(
        fc.constantFrom('{"payload":', '{"payload":"x","to":', '{"\\u0070ayload":'),
        anything,
        fc.constantFrom("}", "", "}}", ",}"),
      )
      .map((parts) => parts.join("")),
  );

  holds(
    "are items or one refusal that names its line",
    3000,
    fc.property(fc.array(nearLine, { maxLength: 4 }), (lines) => {
      try {
        for (const { payload: kept, payloadType } of parseLines(lines.join("\n"), String)) {
          expect(kept.isWellFormed()).toBe(true);
          if (payloadType === "json") JSON.parse(kept);
        }
      } catch (thrown) {
        if (!(thrown instanceof CoopError)) throw thrown;
        expect(thrown.code).toBe("usage");
        expect(thrown.message).toMatch(/^line \d+: /);
      }
    }),
  );
});

describe("any text that is shown", () => {
  holds(
    "has nothing unseen in it, and is the same again when nothing was",
    2000,
    fc.property(anything, (given) => {
      expect(visible(given)).not.toMatch(UNSEEN);
      expect(inline(given)).not.toMatch(UNSEEN);
      expect(inline(given)).not.toMatch(/[\t\n]/);
      if (!UNSEEN.test(given)) expect(visible(given)).toBe(given);
    }),
  );

  holds(
    "cannot leave its fence",
    2000,
    fc.property(anything, (given) => {
      const [fence, ...lines] = fenced(given).split("\n");
      expect(fence).toMatch(/^`{3,}$/);
      expect(lines.pop()).toBe(fence);
      expect(lines).not.toContain(fence);
      for (const line of lines) expect(line).not.toContain(fence!);
      expect(lines.join("\n")).toBe(visible(given).replace(/\n$/, ""));
    }),
  );

  holds(
    "is set in bold only outside of fences",
    1000,
    fc.property(
      fc.array(fc.oneof(body, fc.constantFrom("L1 unread", "T2 done", "Q3"))),
      (bodies) => {
        const shown = bodies.map(fenced).join("\n");
        expect(emphasised(shown)).toBe(shown);
      },
    ),
  );

  holds(
    "is called by one line of it",
    2000,
    fc.property(anything, anything, (name, rest) => {
      const called = heading(name, rest);
      expect(called).not.toMatch(/\n/);
      expect(called).not.toMatch(UNSEEN);
    }),
  );
});
