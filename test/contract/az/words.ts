/** The value at a path of keys and numbers, with dots between. */
export const at = (value: unknown, path: string): unknown =>
  path
    .split('.')
    .filter((key) => key !== '')
    .reduce<unknown>((inner, key) => (inner as Record<string, unknown> | undefined)?.[key], value);

/** As a shell does, as far as the commands need it. */
export const split = (line: string): readonly string[] =>
  [...line.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)].map(([word]) =>
    word.replace(/'([^']*)'|"([^"]*)"/g, (_, single?: string, double?: string) => single ?? double ?? ''),
  );

/** Puts what is known in the place of words in braces. */
export const fill = (text: string, known: Readonly<Record<string, string>>): string =>
  text.replace(/\{([A-Za-z]+)\}/g, (_, name: string) => known[name] ?? `unknown-${name}`);
