/**
 * Commands named in texts are `sallyport …`. In a clone nothing of that name is on PATH: the entry script says how it was
 * called ($SALLYPORT_CALLED), and a person sees a line that can be copied as it is.
 */
export function asTyped(text: string, env: NodeJS.ProcessEnv): string {
  const called = env['SALLYPORT_CALLED'] || 'sallyport';
  return text.replace(/(?<![\w./-])sallyport (?=[a-z-])/g, () => `${called} `);
}

/** Only from the line with the next command on: what comes before may be somebody's data. */
export const nextAsTyped = (text: string, env: NodeJS.ProcessEnv): string =>
  text.replace(/^Next:[^]*/m, (next) => asTyped(next, env));
