/**
 * Whether a statement may be sent once more where nobody knows what became of it: its coordinator died before it answered. A
 * read may; so may an INSERT of plain values, which comes to the same however often it is done. A condition, a function
 * (`now()`, `uuid()`) and whatever else isn't recognised may not. Comments and texts in quotes are looked past.
 */
export function isIdempotent(statement: string): boolean {
  const bare = statement
    .replace(/'(?:[^']|'')*'|\$\$.*?\$\$/gs, "''")
    .replace(/--[^\n]*|\/\/[^\n]*|\/\*.*?\*\//gs, ' ')
    .trim()
    .replace(/;$/, '')
    .trim();
  if (/^select\b/i.test(bare)) return true;
  return /^insert\s+into\s+[\w".]+\s*\([^()]*\)\s*values\s*\([^()]*\)(?:\s+using\s+(?:ttl|timestamp)\s+\d+)?$/i.test(
    bare,
  );
}
