/** Which nodes are asked for their metrics, and where what they say goes: pure. */
import type { NodeIntent } from '../../exchange/intents/node.ts';
import type { OperatorIntent } from '../../exchange/intents/operator.ts';
import type { Revised } from '../../exchange/revision.ts';
import type { GateWay } from '../../network/by-gate.ts';
import { lastingAddress } from '../members.ts';
import type { OperatorState } from '../state.ts';

export interface MetricsShall {
  readonly way: GateWay;
  readonly nodes: readonly AskedNode[];
}

export interface AskedNode {
  readonly name: string;
  /** In the tunnel. */
  readonly address: string;
  /** What people know it by. They are the service's own words: a node that says others of itself is not believed. */
  readonly labels: Readonly<Record<string, string>>;
}

/** Undefined: the cluster may reach no account for metrics. A node is asked from when CQL is opened, while Cassandra shall run. */
export function metricsShall(
  intent: OperatorIntent,
  published: ReadonlyMap<string, Revised<NodeIntent>>,
  state: OperatorState,
  port: number,
): MetricsShall | undefined {
  const { cluster, gate, dataCenters } = intent;
  if (!gate?.metrics) return undefined;
  const { address, port: gatePort, authority, metrics } = gate;
  const name = cluster.id.split('/').at(-1)!;
  const nodes = dataCenters.flatMap((dataCenter) =>
    dataCenter.nodes.flatMap((node): readonly AskedNode[] => {
      const told = published.get(node.name)?.document;
      const number = state.numbers[node.name];
      if (told?.door.state !== 'joined' || told.cassandra.process !== 'running' || number === undefined)
        return [];
      return [
        {
          name: node.name,
          address: lastingAddress(cluster.ulaPrefix, number),
          labels: {
            // As a Prometheus in the customer's network calls them: the same questions are good for both.
            ...{ job: name, instance: `${node.address}:${port}` },
            // Two customers may call a cluster the same, and number their networks alike.
            ...{ cluster: name, cluster_id: cluster.identity },
            ...{ data_center: dataCenter.name, rack: node.rack, node: node.name },
          },
        },
      ];
    }),
  );
  return { way: { address, port: gatePort, authority, account: metrics.account }, nodes };
}
