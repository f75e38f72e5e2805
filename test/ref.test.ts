import { describe, expect, test } from "bun:test";
import { CoopError } from "../src/errors";
import { looksLikeRef, parseRef, ref, refNumber, SIGILS, SURFACES } from "../src/ref";

describe("a ref", () => {
  test("is the surface's letter and the number", () => {
    expect(SURFACES.map((surface) => ref(surface, 12))).toEqual([
      "L12",
      "R12",
      "T12",
      "H12",
      "Q12",
    ]);
    expect(ref("fan-out", 2)).toBe("F2");
  });

  test("is read back as what it was made of, in either case", () => {
    for (const surface of [...SURFACES, "fan-out"] as const) {
      expect(parseRef(ref(surface, 45))).toEqual({ surface, number: 45 });
      expect(parseRef(ref(surface, 45).toLowerCase())).toEqual({ surface, number: 45 });
    }
  });

  test("is given inside its surface with or without its letter", () => {
    for (const text of ["T12", "t12", "12", "#12", "#T12", "012", "t012"])
      expect(refNumber("todo", text)).toBe(12);
  });

  test("of another surface is refused with the surface that it is of", () => {
    for (const surface of SURFACES) {
      for (const other of SURFACES.filter((each) => each !== surface))
        expect(() => refNumber(surface, ref(other, 7))).toThrow(
          new RegExp(`^${SIGILS[other]}7 is a ${other}.*, not a ${surface}`),
        );
    }
  });

  test("that is none is refused", () => {
    for (const text of [
      "",
      "T",
      "0",
      "T0",
      "-1",
      "1.5",
      "T12x",
      "12T",
      "TT1",
      " 12",
      "x12",
      "1e3",
      "１２",
    ])
      expect(() => refNumber("todo", text)).toThrow(CoopError);
    expect(() => refNumber("todo", "9".repeat(16))).toThrow(CoopError);
    for (const text of ["12", "#12", "X12", "T0", "T1 "]) expect(parseRef(text)).toBeUndefined();
  });

  test("is told from a name", () => {
    for (const text of ["L12", "t3", "#4", "17", "F2"]) expect(looksLikeRef(text)).toBe(true);
    for (const text of ["inbox", "x12", "12a", "2026-05-17", "T", "v2-1"])
      expect(looksLikeRef(text)).toBe(false);
  });
});
