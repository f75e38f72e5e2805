import { day } from "../time";
import { byteLength, LONGEST, slugWords } from "../words";
import { isJson, keptJson } from "./json";
import { anySpelling, commonSpellings } from "./spelling";

/** What stands where a text was. */
export const tombstone = (by: string, at: number) => `[redacted by ${by} ${day(at)}]`;

// Within one line, and none within another: what only begins like one must not hide the text after it.
const TOMBSTONE = /(\[redacted by (?:(?!\[redacted by )[^\n]){1,200}? \d{4}-\d{2}-\d{2}\])/;

/** Gives a text with what is to go replaced. */
export type Erase = (text: string) => string;

/** What takes one text, or every text, out of others. */
export interface Eraser {
  erase: Erase;
  /** Whether a slug that was made of a title has what is to go, as its own words. */
  isInSlug(slug: string): boolean;
  /** The same where the title is known to have held it: also within a word, or as much of it as there was room for. */
  isLeftInSlug(slug: string): boolean;
}

/**
 * A JSON text with its value changed; the same text when the value stays.
 * @throws CoopError unavailable damaged.
 */
export function inJson(json: string, change: (value: never) => unknown): string {
  const value = keptJson(json);
  const changed = JSON.stringify(change(value as never));
  return changed === JSON.stringify(value) ? json : changed;
}

/** Gives a row with its texts erased. */
export type EraseRow = <T extends object>(row: T) => T;

/** What a kept answer tells of some records, however deep in it, with the texts of each erased. */
export function eraseAbout(
  value: unknown,
  erasing: (ref: unknown) => EraseRow | undefined,
): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((each) => eraseAbout(each, erasing));
  const erased = "ref" in value ? erasing(value.ref) : undefined;
  return Object.fromEntries(
    Object.entries(erased?.(value) ?? value).map(([key, each]) => [key, eraseAbout(each, erasing)]),
  );
}

/** A record, or some columns of one, with its texts erased, and a slug in the place of one that holds them. */
export function eraseIn<T extends object>(
  row: T,
  columns: readonly string[],
  { erase, isInSlug }: Eraser,
  slug: string,
): T {
  const clean = { ...row } as Record<string, unknown>;
  for (const column of columns) {
    const text = clean[column];
    if (typeof text !== "string") continue;
    if (column !== "slug") clean[column] = erase(text);
    else if (erase(text) !== text || isInSlug(text)) clean[column] = slug;
  }
  if (clean["payload_type"] === "json" && !isJson(String(clean["payload"])))
    clean["payload_type"] = "text";
  return clean as T;
}

/** How many letters at the end of a slug tell something. */
const TELLING = 4;

/** Puts a tombstone for one text, or for all; what is a tombstone already stays. */
export function eraser(text: string | undefined, stone: string): Eraser {
  if (text === undefined)
    return {
      erase: (from) => (from === "" || from.replace(TOMBSTONE, "") === "" ? from : stone),
      isInSlug: () => false,
      isLeftInSlug: () => false,
    };
  const spelling = anySpelling(text);
  const erase: Erase = (from) =>
    spelling
      ? from.replace(spelling, () => stone)
      : commonSpellings(text).reduce((rest, each) => rest.replaceAll(each, stone), from);
  const words = slugWords(text);
  const letters = words.join("");
  return {
    erase: (from) =>
      from
        .split(TOMBSTONE)
        .map((part, index) => (index % 2 === 1 ? part : erase(part)))
        .join(""),
    isInSlug: (slug) => letters !== "" && `-${slug}-`.includes(`-${words.join("-")}-`),
    isLeftInSlug: (slug) => {
      const own = slugWords(slug).join("");
      if (letters === "" || own.includes(letters)) return letters !== "";
      // Cut where it was full.
      const begun = [...letters].map((_, index) => letters.slice(0, index + 1));
      const ends = begun.some((each) => each.length >= TELLING && own.endsWith(each));
      return ends && byteLength(slug) > LONGEST.word / 2;
    },
  };
}
