/** One line of `mosquitto.conf` and, where a reader would ask, its reason. */
export type Directive = readonly [line: string, reason?: string];

/** Directives under a heading, each reason in a comment above its line. */
export function renderSection(title: string, directives: readonly Directive[]): string {
  return [`# ---- ${title}`, ...directives.map(renderDirective)].join("\n");
}

/**
 * Text as comment lines. Mosquitto knows a comment by `#` as the first character of a line only: behind a directive it
 * would belong to the value.
 */
export function comment(text: string): string {
  return text
    .split("\n")
    .flatMap((line) => wrap(line, 98))
    .map((line) => `# ${line}`)
    .join("\n");
}

function renderDirective([line, reason]: Directive): string {
  return reason === undefined ? line : `\n${comment(reason)}\n${line}`;
}

function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
