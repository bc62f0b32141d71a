/** Rows under a head, in columns; numbers stand to the right. */
export function formatTable(
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): readonly string[] {
  const cells = rows.map((row) => row.map((cell) => ({ text: format(cell), isNumber: typeof cell === "number" })));
  const widths = head.map((title, column) =>
    Math.max(title.length, ...cells.map((row) => row[column]?.text.length ?? 0)),
  );
  const isNumeric = head.map((_, column) => cells.some((row) => row[column]?.isNumber));
  const line = (texts: readonly string[]) =>
    texts
      .map((text, column) =>
        isNumeric[column] ? text.padStart(widths[column] ?? 0) : text.padEnd(widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd();
  return [line(head), ...cells.map((row) => line(row.map(({ text }) => text)))];
}

const numbers = new Intl.NumberFormat("en");

function format(cell: string | number): string {
  return typeof cell === "number" ? numbers.format(cell) : cell;
}
