import type { Groups } from "./machine.ts";

/** Texts, and the numbers of groups between them. */
export type Replacement = readonly (string | number)[];

/**
 * Reads a replacement as Java does: `$1` is a group, of as many digits as there are groups for; a backslash makes the
 * next character stand for itself.
 *
 * @returns undefined where Java throws: for a `$` or a backslash that nothing follows, and a group that is not there.
 */
export function parseReplacement(text: string, groupCount: number): Replacement | undefined {
  const parts: (string | number)[] = [];
  for (let index = 0; index < text.length; ) {
    const character = text[index];
    if (character === "$") {
      const digits = groupDigits(text, index + 1, groupCount);
      if (digits === "" || Number(digits) > groupCount) return undefined;
      parts.push(Number(digits));
      index += 1 + digits.length;
    } else if (character === "\\") {
      if (index + 1 >= text.length) return undefined;
      parts.push(text[index + 1] ?? "");
      index += 2;
    } else {
      const plain = /[^$\\]+/y;
      plain.lastIndex = index;
      parts.push(plain.exec(text)?.[0] ?? "");
      index = plain.lastIndex;
    }
  }
  return parts;
}

function groupDigits(text: string, from: number, groupCount: number): string {
  let end = from;
  while (/\d/.test(text[end] ?? "")) {
    if (end > from && Number(text.slice(from, end + 1)) > groupCount) break;
    end += 1;
  }
  return text.slice(from, end);
}

/** What stands in the place of a match. */
export function fillIn(replacement: Replacement, text: string, groups: Groups): string {
  let filled = "";
  for (const part of replacement) filled += typeof part === "string" ? part : groupText(text, groups, part);
  return filled;
}

/** A group that took no part is empty. */
function groupText(text: string, groups: Groups, group: number): string {
  return text.slice(groups[2 * group], groups[2 * group + 1]);
}
