/**
 * The levels below control as a test plays them: whatever control's documents ask for is so at once. Nodes enrol first, as real
 * ones do: a node is connected once the fabric was asked for its machine. It is for tests only.
 */
import { randomUUID } from 'node:crypto';
import type { FabricIntent, FabricReport } from '../../src/exchange/intents/fabric.ts';
import type { JoinFile, NodeReport } from '../../src/exchange/intents/node.ts';
import type { OperatorIntent, OperatorReport } from '../../src/exchange/intents/operator.ts';
import { revise, type Revised } from '../../src/exchange/revision.ts';
import type { Heard, Levels } from '../../src/kinds/levels.ts';
import type { Kinds, KindsOptions } from '../../src/kinds/plane.ts';
import { operatorIntent } from '../../src/kinds/operator-intent.ts';
import type { Probes } from '../../src/kinds/probes.ts';
import type { Clock } from '../../src/lib/clock.ts';
import { compare, shallArrive } from '../../src/network/probes.ts';
import { wallsOfIntent } from '../../src/network/walls.ts';
import type { Store } from '../../src/store/resource.ts';

export function playedLevels(store: Store, clock: Clock, kinds: () => Pick<Kinds, 'fabricIntent'>): Levels {
  const hosts = new Map<string, string>();
  const heard = <R>(applied: string, report: R): Heard<R> => ({ report, applied, at: clock.now() });
  const intentOf = (clusterId: string): Revised<OperatorIntent> | undefined => {
    const intent = operatorIntent(store, clusterId);
    return intent && revise(intent);
  };
  return {
    fabric() {
      const { revision, document } = kinds().fabricIntent();
      return heard(revision, fabricReport(document));
    },
    operator(clusterId) {
      const intent = intentOf(clusterId);
      if (!intent) return undefined;
      const { machines } = kinds().fabricIntent().document;
      const stands = (address: string): boolean =>
        machines.some((machine) => machine.kind === 'node' && machine.address === address);
      return heard(intent.revision, operatorReport(intent.document, stands, hosts));
    },
  };
}

/** Packets that arrive where the walls let them, and nowhere else. */
export const playedProbes = (
  kinds: () => Pick<Kinds, 'fabricIntent'>,
  { clock, signal }: Pick<KindsOptions, 'clock' | 'signal'>,
): Probes => ({
  check: () => undefined,
  send({ probe, nameOf }, ended) {
    const walls = wallsOfIntent(kinds().fabricIntent().document);
    const arrived = [...shallArrive(walls, probe)];
    const packets = { tried: 2, arrived: arrived.length > 0 ? 2 : 0 };
    const result = { said: 'sent', left: true, arrived, blind: null, packets };
    const compared = compare(walls, probe, result, () => true, nameOf);
    // By then a client has asked once, and has to ask again.
    const over = (): void => {
      if (!signal.aborted) ended({ packet: { ...result, ...compared } });
    };
    void clock.sleep(1_200, signal).then(over);
  },
});

const fabricReport = ({ networks, machines, links }: FabricIntent): FabricReport => ({
  networks: Object.fromEntries(networks.map(({ id }) => [id, { state: 'ready', error: null }])),
  machines: Object.fromEntries(
    machines.map(({ id }) => [id, { state: 'running', pid: 1, since: null, error: null }]),
  ),
  links: Object.fromEntries(
    links.map(({ id, open }) => [id, { state: open ? 'open' : 'closed', error: null }]),
  ),
  work: {},
  limits: [],
});

function operatorReport(
  { cluster, dataCenters, commands = [] }: OperatorIntent,
  stands: (address: string) => boolean,
  hosts: Map<string, string>,
): OperatorReport {
  const addresses = dataCenters.flatMap(({ nodes }) => nodes.map(({ address }) => address));
  return {
    wireguard: { publicKey: 'key', listening: true },
    authorities: { internode: 'INTERNODE', client: 'CLIENT', exchange: 'EXCHANGE' },
    dataCenters: dataCenters.map(({ name, nodes, deallocated }) =>
      deallocated
        ? { name, phase: 'deallocated', waitingFor: null, error: null }
        : nodes.every(({ address }) => stands(address))
          ? { name, phase: 'ready', waitingFor: null, error: null }
          : { name, phase: 'enrolling', waitingFor: 'Its nodes are being enrolled.', error: null },
    ),
    nodes: dataCenters.flatMap((dataCenter) =>
      dataCenter.nodes.map(({ name, address, leaving }) => {
        const there = stands(address);
        const key = `${cluster.identity}/${dataCenter.name}/${name}`;
        const hostId = hosts.get(key) ?? randomUUID();
        hosts.set(key, hostId);
        return {
          name,
          address,
          dataCenter: dataCenter.name,
          phase: there ? ('connected' as const) : ('expected' as const),
          membership: leaving ? ('left' as const) : there ? ('member' as const) : ('waiting' as const),
          lastSeen: there ? '2026-11-24T10:00:00Z' : null,
          join: there ? null : joinFile(cluster.identity, name, dataCenter.endpoint),
          report: there ? nodeReport(name, addresses, hostId) : null,
        };
      }),
    ),
    refusals: [],
    commands: Object.fromEntries(
      commands.map(({ id, arguments: given }) => [
        id,
        { state: 'done', output: `played: ${given.join(' ')}\n`, errorOutput: '', exitCode: 0, error: null },
      ]),
    ),
  };
}

const joinFile = (cluster: string, node: string, endpoint: JoinFile['endpoint']): JoinFile => ({
  version: 1,
  cluster,
  node,
  endpoint,
  operator: { publicKey: 'key', address: 'fd00::1', enrolmentPort: 8440, authorityFingerprint: 'ab' },
  oneTime: { privateKey: `one-time key of ${node}`, address: 'fd00:e::1' },
});

const nodeReport = (name: string, live: readonly string[], hostId: string): NodeReport => ({
  name,
  agent: { version: '0.1.0', startedAt: '2026-11-24T10:00:00Z' },
  door: { state: 'joined', endpoint: '10.0.1.10', peers: [], error: null, limits: [] },
  tunnel: { implementation: 'userspace', mtu: 1420, handshakeAgeSeconds: 1 },
  cassandra: {
    process: 'running',
    error: null,
    mode: 'NORMAL',
    nativeTransport: true,
    live: [...live],
    unreachable: [],
    hostId,
    tokens: ['1', '2'],
    rack: 'rack1',
    load: 123_456,
    version: '5.0.9',
    starts: 1,
    memoryUsedKB: 1,
    memoryTotalKB: 1,
    memoryFreeKB: 1,
    memoryBuffersAndCachedKB: 1,
    diskUsedKB: 1,
    diskFreeKB: 1,
    cpuUsage: 0.5,
  },
  work: {},
});
