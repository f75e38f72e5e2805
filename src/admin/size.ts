const UNITS = ["bytes", "kB", "MB", "GB", "TB"];

/** A number of bytes as people say it: `312 bytes`, `1.2 MB`, `48 GB`. */
export function size(bytes: number): string {
  let [number, power] = [bytes, 0];
  // What would be rounded to a thousand is one of the next unit.
  for (; Math.round(number) >= 1000 && power < UNITS.length - 1; power++) number /= 1000;
  return `${power > 0 && number < 10 ? number.toFixed(1) : Math.round(number)} ${UNITS[power]}`;
}
