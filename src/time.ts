import { usage } from "./errors";

/** Milliseconds since 1970 as RFC 3339 UTC in ms, such as `2026-11-22T09:30:00.000Z`. */
export const timestamp = (milliseconds: number) => new Date(milliseconds).toISOString();

/** The day of a time, in UTC as `instant` takes it: `2026-11-22`. */
export const day = (milliseconds: number) => timestamp(milliseconds).slice(0, DAY_LENGTH);

/** Hosts agree on the time to about this much, in ms. */
export const TOLERANCE_MS = 60_000;

const UNITS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/**
 * How long something lasts, in the one unit that tells most: `0s`, `45s`, `12m`, `3h`, `5d`. What lies ahead by more than
 * hosts' clocks may differ is told as such: `-2h`.
 */
export function age(milliseconds: number): string {
  if (milliseconds < -TOLERANCE_MS) return `-${age(-milliseconds)}`;
  const positive = Math.max(0, milliseconds);
  const unit = positive < UNITS.m ? "s" : positive < UNITS.h ? "m" : positive < UNITS.d ? "h" : "d";
  return `${Math.floor(positive / UNITS[unit])}${unit}`;
}

/**
 * A length of time such as `90m`, `2h` or `3d`, in milliseconds.
 * @throws CoopError usage.
 */
export function duration(text: string): number {
  const match = /^(\d{1,6})([smhdw])$/.exec(text);
  if (!match)
    throw usage(
      `'${text}' is not a length of time of up to six digits`,
      "give one such as 90m, 2h or 3d",
    );
  return Number(match[1]) * UNITS[match[2] as keyof typeof UNITS];
}

const ABSOLUTE =
  /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?<zone>Z|[+-]\d{2}:?\d{2})?)?$/;

/**
 * A point in time, in milliseconds since 1970: RFC 3339, a date (its midnight), both UTC where they name no zone, or how
 * long ago (`2h`).
 * @throws CoopError usage.
 */
export function instant(text: string, now: number): number {
  if (/^\d+[a-z]$/.test(text)) return now - duration(text);
  const match = ABSOLUTE.exec(text);
  const zone = match?.groups!["zone"] === undefined && text.length > DAY_LENGTH ? "Z" : "";
  const parsed =
    match && isDay(text.slice(0, DAY_LENGTH)) ? Date.parse(text.replace(" ", "T") + zone) : NaN;
  if (!Number.isNaN(parsed)) return parsed;
  throw usage(
    `'${text}' is not a time`,
    "give one such as 2026-11-22T09:30:00Z, 2026-11-22, 90m, 2h or 3d",
  );
}

/** Of a date such as `2026-11-22`. */
const DAY_LENGTH = 10;

/** Whether a date is in the calendar: 30 February would be taken for 2 March. */
function isDay(date: string): boolean {
  const midnight = Date.parse(date);
  return !Number.isNaN(midnight) && timestamp(midnight).startsWith(date);
}
