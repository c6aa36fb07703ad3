/** What somebody meant who made a slip of the finger. */

/** Farther than this it is no slip, and naming a word would be a guess. */
const SLIP = 2;
/** Longer words are nobody's, and comparing takes time. */
const LONGEST = 40;

/** Edits (insert, leave out, replace, swap neighbours) from one word to the other. */
function distance(from: string, to: string): number {
  const rows: number[][] = [Array.from({ length: to.length + 1 }, (_, column) => column)];
  const cell = (row: number, column: number): number => rows[row]?.[column] ?? Number.POSITIVE_INFINITY;
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    rows.push(current);
    for (let column = 1; column <= to.length; column += 1) {
      const same = from[row - 1] === to[column - 1];
      const swapped = row > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      current[column] = Math.min(
        cell(row - 1, column) + 1,
        cell(row, column - 1) + 1,
        cell(row - 1, column - 1) + (same ? 0 : 1),
        swapped ? cell(row - 2, column - 2) + 1 : Number.POSITIVE_INFINITY,
      );
    }
  }
  return cell(from.length, to.length);
}

/** @returns the candidate that is at most a slip away, the nearest one and the first of several; or `null`. */
export function nearestWord(word: string, candidates: readonly string[]): string | null {
  if (word.length < 2 || word.length > LONGEST) return null;
  let nearest: string | null = null;
  let least = SLIP + 1;
  for (const candidate of candidates) {
    const isBegun = candidate.startsWith(word);
    const edits = isBegun ? 1 : distance(word, candidate);
    // Of several that were begun, the one that least is missing of.
    const isShorter = isBegun && nearest?.startsWith(word) === true && candidate.length < nearest.length;
    // Two slips in a word of three letters make another word.
    if ((edits < least || isShorter) && edits < candidate.length - 1) {
      nearest = candidate;
      least = edits;
    }
  }
  return nearest;
}
