/**
 * About how many instructions a pattern compiles to, told by a look at its text: compiling `(?:\pL{100}){10}` to find
 * out takes as long as what it is to be kept from. Never much less than the truth, where the pattern is valid at all.
 */
export function costOf(pattern: string): number {
  const outer: number[] = [];
  let total = 0;
  let last = 0;
  for (const [token] of pattern.matchAll(TOKENS)) {
    const count = repetitions(token);
    if (token === "(") {
      outer.push(total);
      total = 0;
      last = 0;
    } else if (token === ")") {
      last = total + 2;
      total = (outer.pop() ?? 0) + last;
    } else if (count !== undefined) {
      total += last * (count - 1) + 1;
      last *= count;
    } else {
      last = token.startsWith("\\Q") ? token.length : 1;
      total += last;
    }
  }
  return outer.reduce((sum, each) => sum + each, total);
}

/** A quoted part, an escape, a class, a count or a character. A class ends at the first bracket that may end it. */
const TOKENS = /\\Q[\s\S]*?(?:\\E|$)|\\[\s\S]|\[\^?\]?(?:\\[\s\S]|\[:\w*:\]|[^\]\\])*\]|\{\d+(?:,\d*)?\}|[\s\S]/gu;

const MAX_COUNTED = 1000;

/** The highest number of times that `{2}`, `{2,}` and `{2,5}` compile what is before them. */
function repetitions(token: string): number | undefined {
  const match = /^\{(\d+)(?:,(\d*))?\}$/.exec(token);
  if (match === null) return undefined;
  const [, minimum = "", maximum = ""] = match;
  // RE2 knows no higher count; a pattern that has one is refused when it is compiled.
  return Math.min(Math.max(Number(minimum) + 1, Number(maximum)), MAX_COUNTED);
}
