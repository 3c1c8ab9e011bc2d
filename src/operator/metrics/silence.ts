/** Nodes that are asked and don't answer: pure. */
import type { MetricsReport } from '../../exchange/intents/operator.ts';
import { plain } from './words.ts';

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

/** Without what changes each time. */
function inWords(error: string): string {
  const said = plain(error.replace(/^Get "[^"]*": /, '')).slice(0, 200);
  if (/connection refused/.test(said)) return 'Nothing listens there: does Cassandra run on it?';
  if (/context deadline exceeded|i\/o timeout/.test(said)) return 'It does not answer in time.';
  if (/no route to host|network is unreachable/.test(said)) return 'There is no way to it.';
  if (/x509|certificate/.test(said)) return `It can't prove to be the node: ${said}`;
  if (/sample limit exceeded|body size limit|label_/.test(said)) return `It says more than is taken: ${said}`;
  return said;
}
