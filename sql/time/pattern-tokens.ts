/** A run of one letter, or text that stands for itself. */
export type PatternToken =
  | { readonly kind: "letters"; readonly letter: string; readonly count: number }
  | { readonly kind: "text"; readonly text: string };

/** Patterns that come from payloads are no longer; the longest in use have 40 characters. */
const MAX_LENGTH = 256;

/**
 * Splits a date pattern, of Joda-Time or of Java: letters are fields, `'…'` is text, `''` is a quote, and whatever else
 * is text as well.
 *
 * @returns undefined for a quote that is not closed
 */
export function patternTokens(pattern: string): readonly PatternToken[] | undefined {
  if (pattern.length > MAX_LENGTH) return undefined;
  const tokens: PatternToken[] = [];
  for (const [token] of pattern.matchAll(/''|'(?:[^']|'')*'|([A-Za-z])\1*|[\s\S]/g)) {
    if (token === "'") return undefined;
    if (/^[A-Za-z]/.test(token)) tokens.push({ kind: "letters", letter: token[0] ?? "", count: token.length });
    else tokens.push({ kind: "text", text: unquote(token) });
  }
  return tokens;
}

function unquote(token: string): string {
  if (token === "''") return "'";
  return token.startsWith("'") ? token.slice(1, -1).replaceAll("''", "'") : token;
}
