import type { FabricIntent, FabricMachine, VerifyGate } from '../exchange/intents/fabric.ts';
import { canaries, internetNamespace } from '../network/internet.ts';
import { namespacePath } from '../network/namespace-read.ts';
import { deviceRecorder, deliveryRecorder, readRecorder, type RecordedFlow } from '../network/recorder.ts';
import { runInMachine } from './machine/enter.ts';
import { machineDevice, providerDevice, routerNamespace, uplinkDevice } from './names.ts';
import { restorePlan, type Snapshot } from './restore.ts';
import type { MachineRecord } from './state.ts';
import { nodeInMachine } from './verify/gate.ts';
import type { EnterOptions, Recorder, Seen, VerifyWorld } from './verify/world.ts';

/** Who Cassandra runs as in a machine. */
const cassandraUid = '999';

/** The fabric as `verify` sees it: machines to try from, and the recorders on their cables. */
export class WorldFabric implements VerifyWorld {
  readonly machines: VerifyWorld['machines'];
  readonly links: VerifyWorld['links'];
  readonly networks: VerifyWorld['networks'];
  readonly canaries = canaries;
  readonly gates: readonly VerifyGate[];
  readonly recorders: readonly Recorder[];
  readonly #record: (machineId: string) => MachineRecord | undefined;
  readonly #snapshots = new Map<string, Promise<Snapshot>>();
  readonly #signal: AbortSignal;

  constructor(
    intent: FabricIntent,
    record: (machineId: string) => MachineRecord | undefined,
    signal: AbortSignal,
    gates: readonly VerifyGate[] = [],
  ) {
    this.#record = record;
    this.gates = gates;
    this.#signal = signal;
    const machines = intent.machines.filter(({ id }) => typeof record(id)?.pid === 'number');
    this.machines = machines.map(({ id, kind, hostname, network, address, allow }) => ({
      id,
      kind,
      hostname,
      network,
      address,
      allow,
    }));
    this.networks = intent.networks.map(({ id, prefixes, subnets, peerings = [] }) => ({
      id,
      prefixes,
      subnets,
      peers: peerings.map(({ network }) => network),
    }));
    this.links = intent.links.map(({ id, consumer, provider, port, open }) => ({
      id,
      address: consumer.address,
      network: consumer.network,
      port,
      open,
      destination: provider.destination,
    }));
    this.recorders = [
      ...machines.flatMap((machine) => this.#nicRecorders(machine)),
      ...intent.links.map((link) =>
        this.#recorder('link', link.id, () =>
          this.#onDevice(routerNamespace(link.provider.network), providerDevice(link.id)),
        ),
      ),
      this.#recorder('internet', null, async () => {
        const uplinks = intent.networks.filter(({ internet }) => internet);
        return (
          await Promise.all(uplinks.map(({ id }) => this.#onDevice(internetNamespace, uplinkDevice(id))))
        ).flat();
      }),
    ];
  }

  async enter(machineId: string, argv: readonly string[], options: EnterOptions) {
    // Before anything is tried, what shall be there again afterwards is noted.
    if (options.as === 'root') await this.#snapshot(machineId);
    return this.#run(machineId, options.as === 'root' ? argv : [...confinement, ...argv], options);
  }

  async restoreRules(machineId: string): Promise<void> {
    const before = await this.#snapshot(machineId);
    const now = await this.#take(machineId);
    const plan = restorePlan(before, now);
    for (const lines of [plan.links, plan.addresses]) {
      if (lines.length > 0)
        await this.#run(machineId, ['ip', '-force', '-batch', '-'], { input: `${lines.join('\n')}\n` });
    }
    const said = await this.#run(machineId, ['nft', '-f', '-'], { input: plan.rules });
    if (said.exitCode !== 0)
      throw new Error(`The rules of machine '${machineId}' could not be put back: ${said.stderr.trim()}`);
  }

  #snapshot(machineId: string): Promise<Snapshot> {
    const known = this.#snapshots.get(machineId) ?? this.#take(machineId);
    this.#snapshots.set(machineId, known);
    known.catch(() => this.#snapshots.delete(machineId));
    return known;
  }

  async #take(machineId: string): Promise<Snapshot> {
    const ask = async (...argv: readonly string[]): Promise<string> => {
      const said = await this.#run(machineId, argv, {});
      if (said.exitCode !== 0)
        throw new Error(`${argv.join(' ')} in machine '${machineId}': ${said.stderr.trim()}`);
      return said.stdout;
    };
    const [rules, addresses, routes] = await Promise.all([
      ask('nft', '-s', 'list', 'ruleset'),
      ask('ip', '-j', 'addr', 'show'),
      ask('ip', '-j', '-4', 'route', 'show'),
    ]);
    return {
      rules,
      addresses: JSON.parse(addresses) as Snapshot['addresses'],
      routes: JSON.parse(routes || '[]') as Snapshot['routes'],
    };
  }

  #run(
    machineId: string,
    argv: readonly string[],
    options: { readonly input?: string; readonly timeoutMs?: number },
  ) {
    const record = this.#record(machineId);
    if (!record || record.pid === null) throw new Error(`Machine '${machineId}' does not run.`);
    return runInMachine(record, argv, { ...options, signal: this.#signal });
  }

  #nicRecorders({ id, network }: FabricMachine): readonly Recorder[] {
    const router = routerNamespace(network);
    const device = machineDevice(id);
    return [
      this.#recorder('nic-out', id, () => this.#onDevice(router, device)),
      this.#recorder('nic-in', id, async () => {
        const flows = await readRecorder(namespacePath(router), deliveryRecorder, this.#signal);
        return flows.filter((flow) => flow.device === device);
      }),
    ];
  }

  #onDevice(namespace: string, device: string): Promise<readonly RecordedFlow[]> {
    return readRecorder(namespacePath(namespace), deviceRecorder(device), this.#signal);
  }

  #recorder(
    place: Recorder['place'],
    of: string | null,
    read: () => Promise<readonly RecordedFlow[]>,
  ): Recorder {
    const plain = ({ source, destination, protocol, port, packets }: RecordedFlow): Seen => ({
      source,
      destination,
      protocol,
      port,
      packets,
    });
    return { place, of, read: async () => (await read()).map(plain) };
  }
}

/** As the node's agent confines Cassandra: no capability, a user and a PID namespace of its own, none of the agent's files. */
const confinement: readonly string[] = [
  'bwrap',
  ...[
    '--unshare-user',
    '--uid',
    cassandraUid,
    '--gid',
    cassandraUid,
    '--unshare-pid',
    '--unshare-ipc',
    '--unshare-uts',
    '--new-session',
    '--die-with-parent',
    '--cap-drop',
    'ALL',
  ],
  ...['--ro-bind', '/usr', '/usr', '--ro-bind', '/etc', '/etc'],
  ...['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32'].flatMap((name) => [
    '--ro-bind-try',
    `/${name}`,
    `/${name}`,
  ]),
  // What speaks TLS for a try; no more than the machine's other processes have.
  ...['--ro-bind-try', nodeInMachine, nodeInMachine],
  ...[
    '--proc',
    '/proc',
    '--dev',
    '/dev',
    '--tmpfs',
    '/tmp',
    '--clearenv',
    '--setenv',
    'PATH',
    '/usr/sbin:/usr/bin:/sbin:/bin',
    '--',
  ],
];
