import type { OperatorReport } from '../../exchange/intents/operator.ts';
import type { JsonObject } from '../../store/resource.ts';
import { duration } from './duration.ts';

type Operator = { readonly cluster: string | null; readonly nodes?: OperatorReport['nodes'] };

/** So far behind is more than a slow service. */
const behindMs = 900_000;

/** One line for each node whose logs don't arrive; of a node that is silent itself nothing is known. */
export function nodeLogLines(picture: JsonObject | undefined, now: number): readonly string[] {
  const operators = (picture?.['operators'] ?? []) as unknown as readonly Operator[];
  return operators.flatMap(({ cluster, nodes }) =>
    (nodes ?? []).flatMap(({ name, phase, report }) => {
      const logs = report?.services?.logs;
      if (!logs || phase !== 'connected') return [];
      const { sentThrough, waitingFor } = logs;
      const age = sentThrough === null ? null : now - Date.parse(sentThrough);
      if (waitingFor === null && (age === null || age < behindMs)) return [];
      const sent = age === null ? 'None were sent' : `Sent up to ${duration(age)} ago`;
      const of = `${name} of ${cluster?.split('/').at(-1) ?? '-'}`;
      return [`logs: ${of}: ${waitingFor ?? 'they are sent more slowly than they are written.'} ${sent}.`];
    }),
  );
}
