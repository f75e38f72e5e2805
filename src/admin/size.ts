const UNITS = ["bytes", "kB", "MB", "GB", "TB"];

/** A number of bytes as people say it: `312 bytes`, `1.2 MB`, `48 GB`. */
export function size(bytes: number): string {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const number = bytes / 1000 ** power;
  return `${power > 0 && number < 10 ? number.toFixed(1) : Math.round(number)} ${UNITS[power]}`;
}
