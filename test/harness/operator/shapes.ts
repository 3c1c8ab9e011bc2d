/** What this room's tests share. Never imported by the product. */
import type { OperatorIntent } from '../../../src/exchange/intents/operator.ts';
import type { WireguardKeys } from '../../../src/operator/state.ts';

export const testKeys = (): (() => WireguardKeys) => {
  let count = 0;
  return () => ({ privateKey: `private-${++count}`, publicKey: `public-${count}` });
};

export interface IntentShape {
  readonly nodes: number;
  readonly racks?: readonly string[];
  readonly authentication?: 'Cassandra' | 'None';
  readonly machines?: Readonly<Record<string, string>>;
  readonly dataCenters?: number;
}

/** A cluster of data centres dc1, dc2, …, each with nodes dcN-0, dcN-1, … at 10.0.(N+1).(4 + i). */
export function operatorIntent(shape: IntentShape): OperatorIntent {
  const racks = shape.racks ?? ['rack1', 'rack2', 'rack3'];
  return {
    cluster: {
      id: '/subscriptions/s/resourceGroups/g/providers/Microsoft.DocumentDB/cassandraClusters/c1',
      identity: 'c1-0a1b2c',
      cassandraName: 'c1',
      ulaPrefix: 'fd12:3456:789a::/48',
      authentication: shape.authentication ?? 'Cassandra',
      adminPasswordHash: '$2a$10$hash',
      serviceRole: 'sallyport',
      servicePassword: 'service-password',
    },
    dataCenters: Array.from({ length: shape.dataCenters ?? 1 }, (_, index) => ({
      name: `dc${index + 1}`,
      endpoint: { address: '10.0.1.10', port: 51820 },
      clients: ['10.0.0.0/16'],
      nodes: Array.from({ length: shape.nodes }, (_unused, node) => ({
        name: `dc${index + 1}-${node}`,
        address: `10.0.${index + 2}.${node + 4}`,
        rack: racks[node % racks.length]!,
        ...(shape.machines?.[`dc${index + 1}-${node}`] && {
          machine: shape.machines[`dc${index + 1}-${node}`]!,
        }),
      })),
      heapMegabytes: 256,
      yamlFragment: null,
    })),
  };
}
