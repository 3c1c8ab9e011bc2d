/** Rows under headers, each column as wide as its widest cell; the widest text columns give way so that it fits `width`. */
export function renderTable(
  headers: readonly string[],
  rows: readonly (readonly string[])[],
  width = Number.POSITIVE_INFINITY,
): string {
  const widths = headers.map((header, column) =>
    Math.max(header.length, ...rows.map((row) => row[column]!.length)),
  );
  const total = (): number => widths.reduce((sum, each) => sum + each, 0) + 2 * (widths.length - 1);
  while (total() > width) {
    const widest = widths.indexOf(Math.max(...widths));
    if (widths[widest]! <= 8) break;
    widths[widest] = widths[widest]! - 1;
  }
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => fit(cell, widths[column]!))
      .join('  ')
      .trimEnd();
  return [line(headers), line(widths.map((each) => '-'.repeat(each))), ...rows.map(line)].join('\n');
}

const fit = (text: string, width: number): string =>
  text.length > width ? `${text.slice(0, width - 1)}…` : text.padEnd(width);
