/** Optimal string alignment distance: insertions, deletions, substitutions and swapped neighbours. */
export const distance = (a: string, b: string) => distances([...a], [...b]).at(-1)!;

/** The distances of one text to another's beginnings, from its first no letters on to the whole of it. */
function distances(left: readonly string[], right: readonly string[]): number[] {
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
  return last;
}

/** What is worth less than anything else: a large letter for a small one. */
const OTHER_CASE = 0.05;

/** What is worth less than a letter that is put in: to leave out the end of a word. */
const ABBREVIATED = 0.5;

/** Of how many letters a word must be to stand for one that begins with it. */
export const ENOUGH = 3;

/**
 * The candidate that is spelt most like `word`, or whose beginning is, the first of equals; undefined when there are none.
 * @param most how far it may be.
 */
export function nearest(
  word: string,
  candidates: Iterable<string>,
  most = Infinity,
): string | undefined {
  let best: string | undefined;
  let least = most + 0.1;
  const letters = [...word.toLowerCase()];
  const enough = word.replaceAll("-", "").length >= ENOUGH;
  for (const candidate of candidates) {
    const others = [...candidate.toLowerCase()];
    const longer = others.length - letters.length;
    const shortens = enough && longer > 0;
    // At least so many letters have to be put in or taken out.
    if ((shortens ? ABBREVIATED : Math.abs(longer)) >= least) continue;
    const far = distances(letters, others);
    let near = far[others.length]!;
    if (shortens) near = Math.min(near, far[letters.length]! + ABBREVIATED);
    // Of two that differ in case alone the one in the word's own is meant.
    if (candidate !== candidate.toLowerCase() && word === word.toLowerCase()) near += OTHER_CASE;
    if (near < least) [best, least] = [candidate, near];
  }
  return best;
}

/**
 * The candidate that `word` is a slip for, of one letter in three at most; undefined where it shares hardly more than
 * chance with any.
 * @param prefix how many of its letters are no part of the word proper, such as the dashes of a flag.
 */
export const slip = (word: string, candidates: Iterable<string>, prefix = 0) =>
  nearest(word, candidates, Math.max(1, Math.floor((word.length - prefix) / 3)));
