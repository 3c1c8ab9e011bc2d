/** Commands on their way up: what the nodes said of each, within what one report may hold. */
import { withinReport } from '../exchange/commands.ts';
import type { CommandReport } from '../exchange/intents/node.ts';
import type { OperatorIntent } from '../exchange/intents/operator.ts';
import type { Heard } from './ring-view.ts';

export function commandReports(
  intent: OperatorIntent,
  heard: ReadonlyMap<string, Heard>,
): Record<string, CommandReport> {
  const reports = (intent.commands ?? []).flatMap(({ id, dataCenter, host }) => {
    const node = intent.dataCenters
      .find((one) => one.name === dataCenter)
      ?.nodes.find((one) => one.address === host);
    if (!node) return [[id, noSuchHost(dataCenter, host)] as const];
    const said = heard.get(node.name)?.report.commands?.[id];
    return said ? [[id, said] as const] : [];
  });
  return withinReport(Object.fromEntries(reports));
}

const noSuchHost = (dataCenter: string, host: string): CommandReport => ({
  state: 'failed',
  output: '',
  errorOutput: '',
  exitCode: null,
  error: {
    code: 'NoSuchHost',
    message: `Data centre ${dataCenter} has no node at ${host}. Take an address from the cluster's status.`,
  },
});
