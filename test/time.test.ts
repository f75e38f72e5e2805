import { describe, expect, test } from "bun:test";
import { CoopError } from "../src/errors";
import { age, duration, instant, timestamp } from "../src/time";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

test("a timestamp is RFC 3339 UTC in milliseconds", () => {
  expect(timestamp(0)).toBe("1970-01-01T00:00:00.000Z");
  expect(timestamp(1_795_339_802_007)).toBe("2026-11-22T09:30:02.007Z");
});

test("an age is told in the one unit that tells most, rounded down", () => {
  const told: [number, string][] = [
    [0, "0s"],
    [59_999, "59s"],
    [MINUTE, "1m"],
    [HOUR - 1, "59m"],
    [3 * HOUR, "3h"],
    [DAY - 1, "23h"],
    [400 * DAY, "400d"],
  ];
  for (const [milliseconds, text] of told) expect(age(milliseconds)).toBe(text);
});

test("what a clock that is ahead puts into the future is told as such, and what hosts may differ by is not", () => {
  expect(age(-5 * DAY)).toBe("-5d");
  expect(age(-MINUTE)).toBe("0s");
  expect(age(-MINUTE - 1)).toBe("-1m");
});

describe("a length of time", () => {
  test("is a number and a unit", () => {
    expect(["45s", "90m", "2h", "3d", "1w"].map(duration)).toEqual([
      45 * SECOND,
      90 * MINUTE,
      2 * HOUR,
      3 * DAY,
      7 * DAY,
    ]);
  });

  test("is nothing else", () => {
    for (const text of ["", "2", "h", "2 h", "-2h", "1.5h", "2hours", "2H", "1y", "9999999d"])
      expect(() => duration(text)).toThrow(CoopError);
  });
});

describe("a point in time", () => {
  const now = Date.parse("2026-11-22T12:00:00Z");

  test("is how long ago, or a time with its zone", () => {
    expect(instant("2h", now)).toBe(now - 2 * HOUR);
    expect(instant("2026-11-22T10:00:00Z", now)).toBe(now - 2 * HOUR);
    expect(instant("2026-11-22T10:00:00.000Z", now)).toBe(now - 2 * HOUR);
    expect(instant("2026-11-22 10:00Z", now)).toBe(now - 2 * HOUR);
    expect(instant("2026-11-22T19:00:00+09:00", now)).toBe(now - 2 * HOUR);
  });

  test("is UTC without a zone, and midnight where only the date is given, wherever the machine is", () => {
    const { TZ } = process.env;
    process.env["TZ"] = "Asia/Seoul";
    try {
      expect(new Date(now).getHours()).toBe(21);
      expect(instant("2026-11-22", now)).toBe(now - 12 * HOUR);
      for (const text of ["2026-11-22T10:00", "2026-11-22 10:00", "2026-11-22 10:00:00.000"])
        expect(instant(text, now)).toBe(now - 2 * HOUR);
    } finally {
      if (TZ === undefined) delete process.env["TZ"];
      else process.env["TZ"] = TZ;
    }
  });

  test("is read back from what coop prints", () => {
    expect(instant(timestamp(now + 7), now)).toBe(now + 7);
  });

  test("is nothing else", () => {
    for (const text of [
      "",
      "yesterday",
      "2026",
      "2026-13-01",
      "2026-02-30",
      "2026-11-22T25:00Z",
      "12:00",
      "1763800000",
    ])
      expect(() => instant(text, now)).toThrow(CoopError);
  });
});
