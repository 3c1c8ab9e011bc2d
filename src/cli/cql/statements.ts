/** Splits CQL at semicolons that end a statement: not those in strings, names, comments or $$ bodies. */
export function splitStatements(text: string): readonly string[] {
  const statements: string[] = [];
  let from = 0;
  const token = /'(?:[^']|'')*'|"(?:[^"]|"")*"|\$\$[\s\S]*?\$\$|--[^\n]*|\/\/[^\n]*|\/\*[\s\S]*?\*\/|;/g;
  for (const match of text.matchAll(token)) {
    if (match[0] !== ';') continue;
    statements.push(text.slice(from, match.index));
    from = match.index + 1;
  }
  statements.push(text.slice(from));
  return statements.map((each) => each.trim()).filter((each) => each !== '');
}
