const FEW = 10;

/**
 * The first few names of what can be thousands, and how many more there are.
 * @param rest how to see them.
 */
export function firstFew(names: readonly string[], rest?: string, separator = ", "): string {
  const more = names.length - FEW;
  if (more <= 1) return names.join(separator);
  const ends = rest === undefined ? `and ${more} more` : `and ${more} more (${rest})`;
  return [...names.slice(0, FEW), ends].join(separator);
}
