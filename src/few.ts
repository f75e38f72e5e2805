const FEW = 10;

/** The first few names of what can be thousands, and how many more there are. */
export function firstFew(names: readonly string[], separator = ", "): string {
  const more = names.length - FEW;
  if (more <= 1) return names.join(separator);
  return [...names.slice(0, FEW), `and ${more} more`].join(separator);
}
