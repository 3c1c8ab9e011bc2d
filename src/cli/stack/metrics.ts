import type { MetricsReport } from '../../exchange/intents/operator.ts';
import type { JsonObject } from '../../store/resource.ts';
import { duration } from './duration.ts';

type Operator = { readonly cluster: string | null; readonly metrics?: MetricsReport | null };

/** So far behind is more than one round of questions and what it takes to hand it over. */
const behindMs = 180_000;
/** What was lost before that is told no more: it is in the operator's log. */
const lostMs = 86_400_000;

/** One line for each cluster whose nodes' metrics go somewhere, and one for each node that can't be asked. */
export function metricsLines(picture: JsonObject | undefined, now: number): readonly string[] {
  const operators = (picture?.['operators'] ?? []) as unknown as readonly Operator[];
  return operators.flatMap(({ cluster, metrics }) => {
    if (!metrics) return [];
    const { account, sentThrough, waitingFor, waiting, lost, silent, asked } = metrics;
    const of = `metrics: ${cluster?.split('/').at(-1) ?? '-'}:`;
    const age = sentThrough === null ? null : now - Date.parse(sentThrough);
    const sent =
      age === null ? 'None have arrived' : `What was collected up to ${duration(age)} ago has arrived`;
    const rest = waiting > 0 ? `, ${kilobytes(waiting)} kB wait.` : '.';
    const flows = waitingFor === null && age !== null && age < behindMs;
    const nothing =
      asked === 0 && waiting === 0
        ? `no node serves, so there is nothing for ${account}.`
        : `nothing new for ${account}.`;
    return [
      flows && asked !== 0
        ? `${of} they go to ${account}. ${sent}.`
        : `${of} ${waitingFor ?? nothing} ${sent}${rest}`,
      ...silent.map(({ node, error }) => `${of} ${node} can't be asked. ${error}`),
      ...(lost && now - Date.parse(lost.at) < lostMs
        ? [`${of} some were given up ${duration(now - Date.parse(lost.at))} ago. ${lost.why}`]
        : []),
    ];
  });
}

const kilobytes = (bytes: number): number => Math.ceil(bytes / 1000);
