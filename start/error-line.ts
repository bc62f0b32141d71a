/** What a line of level ERROR that a function printed says to people; undefined for any other line. */
export function errorLine(line: string): string | undefined {
  if (!line.includes('"level":"ERROR"')) return undefined;
  const { message, route, reason, code, error } = parse(line);
  const details = [route, reason, code, error].filter((detail) => typeof detail === "string");
  return [`! ${message}`, ...details].join("  ");
}

/** A function may print what it likes: what is no JSON is shown as it stands. */
function parse(line: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(line);
  } catch {
    return { message: line };
  }
}
