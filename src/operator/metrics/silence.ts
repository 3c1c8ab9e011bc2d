/** Nodes that are asked and don't answer: pure. */
import type { MetricsReport } from '../../exchange/intents/operator.ts';

/** By node: since when it doesn't answer, and why. */
export type Silence = ReadonlyMap<string, { readonly since: number; readonly error: string }>;

/** A node that only starts, or that is asked once in vain, is nobody's trouble. */
export const silentAfterMs = 90_000;
const most = 20;

export function withTargets(before: Silence, targets: ReadonlyMap<string, string>, now: number): Silence {
  return new Map(
    [...targets].flatMap(([node, error]) =>
      error === '' ? [] : [[node, { since: before.get(node)?.since ?? now, error }]],
    ),
  );
}

export const silentNodes = (
  silence: Silence,
  now: number,
  afterMs = silentAfterMs,
): MetricsReport['silent'] =>
  [...silence]
    .filter(([, { since }]) => now - since >= afterMs)
    .map(([node, { error }]) => ({ node, error: inWords(error) }))
    .sort((a, b) => (a.node < b.node ? -1 : 1))
    .slice(0, most);

/** Prometheus's words, which may hold a node's: cut, and without what changes each time. */
function inWords(error: string): string {
  const plain = error.replace(/^Get "[^"]*": /, '').replace(/[^ -~]/g, '?');
  if (/connection refused/.test(plain)) return 'Nothing listens there: does Cassandra run on it?';
  if (/context deadline exceeded|i\/o timeout/.test(plain)) return 'It does not answer in time.';
  if (/no route to host|network is unreachable/.test(plain)) return 'There is no way to it.';
  if (/x509|certificate/.test(plain)) return `It can't prove to be the node: ${plain.slice(0, 200)}`;
  if (/sample limit exceeded|body size limit|label_/.test(plain))
    return `It says more than is taken: ${plain.slice(0, 200)}`;
  return plain.slice(0, 200);
}
