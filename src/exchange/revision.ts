import { createHash } from 'node:crypto';

/**
 * The exchange carries intent down and reports up between any two levels. It must never look into a document: what a
 * level shall be is between the two who speak.
 */

/** A document handed down. The revision is the content's own hash, so that a restarted superior needs no memory. */
export interface Revised<T> {
  readonly revision: string;
  readonly document: T;
}

export const revise = <T>(document: T): Revised<T> => ({
  revision: digest(document),
  document,
});

/** A document can be of many thousand machines: its text is never there as a whole. */
function digest(document: unknown): string {
  const hash = createHash('sha256');
  let text = '';
  canonical(document, (piece) => {
    text += piece;
    if (text.length < 16_384) return;
    hash.update(text);
    text = '';
  });
  return hash.update(text).digest('hex').slice(0, 16);
}

/** JSON with its keys in order: equal content gives equal text. */
function canonical(value: unknown, write: (piece: string) => void): void {
  if (value === null || typeof value !== 'object') return write(JSON.stringify(value));
  if (Array.isArray(value)) {
    write('[');
    for (const [index, item] of value.entries()) {
      if (index > 0) write(',');
      canonical(item, write);
    }
    return write(']');
  }
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  write('{');
  for (const [index, [key, item]] of entries.entries()) {
    write(`${index > 0 ? ',' : ''}${JSON.stringify(key)}:`);
    canonical(item, write);
  }
  write('}');
}

/** What a subordinate sends up. */
export interface Upward<R> {
  /** The revision it holds; the superior answers at once when its own is another. */
  readonly seen: string | null;
  /** The revision whose last pass of reconciliation is in this report; a report speaks of no other. */
  readonly applied: string | null;
  readonly report: R;
  /** How long the superior may hold the answer back while there is no news, in milliseconds (≤ 20 000). */
  readonly waitMs: number;
}

/** What the superior answers: the document only where the subordinate's is another. */
export interface Downward<I> {
  readonly revision: string;
  readonly document?: I;
}

export const exchangePath = '/exchange';
export const streamPath = '/streams/';
export const longestWaitMs = 20_000;
