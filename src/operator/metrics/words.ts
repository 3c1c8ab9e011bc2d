/** Prometheus's words, which may hold a node's, as people are shown them: pure. */

const most = 300;

/** No control character, which a terminal would obey, and no more than a line's worth. */
export const plain = (words: string): string =>
  words
    .trim()
    .replace(/[^ -~]/g, '?')
    .slice(0, most);

/** Of a line of its log, without times. */
export function wordsOf(line: string): string {
  try {
    const { msg, err } = JSON.parse(line) as { readonly msg?: string; readonly err?: string };
    return plain([msg, err].filter(Boolean).join(': '));
  } catch {
    return plain(line);
  }
}
