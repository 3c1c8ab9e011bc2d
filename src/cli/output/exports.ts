/** `export NAME='value'` lines for a POSIX shell. */
export const exportLines = (values: Readonly<Record<string, string>>): string =>
  Object.entries(values)
    .map(([name, text]) => `export ${name}='${text.replaceAll("'", `'\\''`)}'`)
    .join('\n');
