/** Optimal string alignment distance: insertions, deletions, substitutions and swapped neighbours. */
export const distance = (a: string, b: string) => between([...a], [...b]);

function between(left: readonly string[], right: readonly string[]): number {
  let beforeLast: number[] = [];
  // Array.from is a script of the engine, which takes longer to load than all of this to run.
  let last = [0];
  while (last.length <= right.length) last.push(last.length);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const same = left[row - 1] === right[column - 1];
      let best = Math.min(
        last[column]! + 1,
        current[column - 1]! + 1,
        last[column - 1]! + (same ? 0 : 1),
      );
      const swapped = left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      if (swapped && row > 1 && column > 1) best = Math.min(best, beforeLast[column - 2]! + 1);
      current.push(best);
    }
    beforeLast = last;
    last = current;
  }
  return last[right.length]!;
}

/** The candidate that is spelt most like `word`, the first of equals; undefined when there are none. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = Infinity;
  const letters = [...word.toLowerCase()];
  for (const candidate of candidates) {
    const others = [...candidate.toLowerCase()];
    // At least so many letters have to be put in or taken out.
    if (Math.abs(letters.length - others.length) >= least) continue;
    const far = between(letters, others);
    if (far < least) [best, least] = [candidate, far];
  }
  return best;
}
