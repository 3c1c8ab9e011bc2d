import { readFile } from 'node:fs/promises';
import type { Batch } from './try.ts';

/** What the prober says of one try; `judge.ts` says what it means. */
export interface ProbeResult {
  readonly state: 'sent' | 'answered' | 'refused' | 'reached' | 'held';
  readonly detail: string;
}

export interface Answer {
  readonly results: ReadonlyMap<string, ProbeResult>;
  readonly shown: ReadonlyMap<string, { readonly exitCode: number; readonly text: string }>;
  readonly seen: readonly {
    readonly place: string;
    readonly source: string;
    readonly destination: string;
    readonly protocol: string;
    readonly port: number | null;
    readonly packets: number;
  }[];
}

const states: ReadonlySet<string> = new Set(['sent', 'answered', 'refused', 'reached', 'held']);

/** The prober lies beside this module, and in the sources where only those were compiled. */
export async function readProgram(): Promise<string> {
  const beside = new URL('./probe.pl', import.meta.url);
  try {
    return await readFile(beside, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return await readFile(new URL('../../../src/fabric/verify/probe.pl', import.meta.url), 'utf8');
  }
}

/** Orders as lines; a tab or a newline inside a field would be an order of its own, so there may be none. */
export function encode(options: Readonly<Record<string, string | number>>, batch: Batch): string {
  const lines: string[][] = [
    ...Object.entries(options).map(([name, value]) => ['option', name, String(value)]),
    ...batch.preparation.orders.map((order) => [...order]),
    ...batch.tries.map((t) => [
      'try',
      t.id,
      t.verb,
      ...Object.entries(t.arguments).map(([name, value]) => `${name}=${value}`),
    ]),
  ];
  for (const field of lines.flat())
    if (/[\t\n]/.test(field)) throw new Error('An order to the prober holds a tab or a newline.');
  return `${lines.map((line) => line.join('\t')).join('\n')}\n`;
}

export function parseAnswer(text: string): Answer {
  const results = new Map<string, ProbeResult>();
  const shown = new Map<string, { exitCode: number; text: string }>();
  const seen: Answer['seen'][number][] = [];
  for (const line of text.split('\n')) {
    const [kind, ...rest] = line.split('\t');
    const f = rest.map(unescape);
    if (kind === 'result' && f[0] && states.has(f[1] ?? '')) {
      results.set(f[0], { state: f[1] as ProbeResult['state'], detail: (f[2] ?? '').trim() });
    }
    if (kind === 'show' && f[0]) shown.set(f[0], { exitCode: Number(f[1]), text: f[2] ?? '' });
    if (kind === 'seen' && f.length >= 6) {
      seen.push({
        place: f[0]!,
        source: f[1]!.replace(/^::ffff:/, ''),
        destination: f[2]!,
        protocol: f[3]!,
        port: f[4] === '' ? null : Number(f[4]),
        packets: Number(f[5]),
      });
    }
  }
  return { results, shown, seen };
}

const unescape = (text: string): string =>
  text.replaceAll(/\\([\\nt])/g, (_, c: string) => (c === 'n' ? '\n' : c === 't' ? '\t' : '\\'));
