/** Words with a meaning of their own; as a top-level field name they need `get(*, 'end')`. */
export const KEYWORDS = [
  "SELECT",
  "FROM",
  "WHERE",
  "AS",
  "SET",
  "AND",
  "OR",
  "NOT",
  "IN",
  "EXISTS",
  "CASE",
  "WHEN",
  "THEN",
  "ELSE",
  "END",
  "TRUE",
  "FALSE",
  "NULL",
] as const;
export type Keyword = (typeof KEYWORDS)[number];

export type TokenKind = "word" | "variable" | "string" | "number" | "symbol" | "end";

export interface Token {
  readonly kind: TokenKind;
  /** A string without its quotes, a variable without its `@`, otherwise as written. */
  readonly text: string;
  readonly keyword: Keyword | undefined;
  /** Of its first character, in UTF-16 code units. */
  readonly index: number;
  /** Of the first character behind it. */
  readonly end: number;
}
