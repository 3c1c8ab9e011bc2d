/** A terminal that doesn't know its size says 0; a narrower one than this would take one word a line. */
const narrowest = 40;
const widest = 120;

/** How wide a text may be: $COLUMNS, else the first stream that knows, else 80. */
export function terminalWidth(env: NodeJS.ProcessEnv, columns: readonly (number | undefined)[]): number {
  const known = [Number(env['COLUMNS']), ...columns].find((each) => each !== undefined && each > 0) ?? 80;
  return Math.min(Math.max(known, narrowest), widest);
}
