/**
 * Bytes per second from a node to its operator and back, through everything that stands between them: the node's door policy,
 * the platform policy, both routers with their recorders, the private link's translation, the tunnel, the operator's door
 * policy. Against bare WireGuard of the same build between two namespaces that one cable joins.
 */
import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { FabricIntent } from '../src/exchange/intents/fabric.ts';
import { fabricPaths } from '../src/fabric/names.ts';
import { until } from '../src/lib/clock.ts';
import { renderDoor } from '../src/network/door.ts';
import { overlayOf, planOperatorDoor } from '../src/network/operator-door.ts';
import { ports } from '../src/network/ports.ts';
import {
  generateWireguardKeys,
  segmentsCommand,
  userspaceEnvironment,
  wireguardConfig,
  type WireguardPeer,
} from '../src/network/wireguard.ts';
import { buildProgram, TestFabric } from '../test/harness/fabric.ts';
import { openBarePair } from './bare-tunnel.ts';
import { benchTools } from './ground.ts';
import { interleave, report, type Pair } from './rounds.ts';
import { sourceAndSink, stream } from './tunnel-stream.ts';

/** Ours runs as the product has it; the bare one as it comes. */
const environment = Object.entries(userspaceEnvironment)
  .map(([name, value]) => `${name}=${value}`)
  .join(' ');
const rounds = Number(process.env['ROUNDS'] ?? 7);
const seconds = 4;
const mtu = 1420;
const ula = 'fd5a:1f2e:3d4c::/48';
const inside = { operator: 'fd5a:1f2e:3d4c::1', node: 'fd5a:1f2e:3d4c:1::1' };
const outside = {
  door: '10.0.1.10',
  node: '10.0.2.4',
  peers: ['10.0.2.5', '10.0.2.6'],
  nat: '172.31.2.4',
  operator: '172.31.1.4',
  control: '172.31.0.4',
};
const clients = ['10.0.0.0/16'];

const intent: FabricIntent = {
  networks: [
    {
      id: 'customer',
      label: 'customer',
      prefixes: clients,
      subnets: [
        { name: 'pe', prefix: '10.0.1.0/24' },
        { name: 'cass', prefix: '10.0.2.0/24' },
      ],
      internet: true,
    },
    {
      id: 'provider',
      label: 'provider',
      prefixes: ['172.31.0.0/16'],
      subnets: [
        { name: 'operators', prefix: '172.31.1.0/24' },
        { name: 'link', prefix: '172.31.2.0/24' },
      ],
      internet: false,
    },
  ],
  // Machines without a role, with the allow-lists of a node and of an operator: no agent may change what is measured.
  machines: [
    {
      id: 'node',
      kind: 'application',
      hostname: 'node',
      network: 'customer',
      subnet: 'cass',
      address: outside.node,
      seed: {},
      allow: [
        {
          direction: 'out',
          protocol: 'udp',
          remote: [`${outside.door}/32`],
          port: ports.wireguard,
          reason: 'WireGuard to the door',
        },
        { direction: 'out', protocol: 'tcp', remote: outside.peers, port: ports.ring, reason: 'the ring' },
        { direction: 'in', protocol: 'tcp', remote: outside.peers, port: ports.ring, reason: 'the ring' },
        {
          direction: 'in',
          protocol: 'tcp',
          remote: clients,
          port: ports.cql,
          reason: 'CQL from the virtual network',
        },
      ],
    },
    {
      id: 'operator',
      kind: 'application',
      hostname: 'operator',
      network: 'provider',
      subnet: 'operators',
      address: outside.operator,
      seed: {},
      allow: [
        {
          direction: 'in',
          protocol: 'udp',
          remote: [`${outside.nat}/32`],
          port: ports.wireguard,
          reason: 'WireGuard from approved connections',
        },
        {
          direction: 'out',
          protocol: 'tcp',
          remote: [`${outside.control}/32`],
          port: ports.control,
          reason: 'the exchange with control',
        },
      ],
    },
  ],
  links: [
    {
      id: 'link',
      label: 'link',
      consumer: { network: 'customer', address: outside.door },
      provider: { network: 'provider', natAddress: outside.nat, destination: outside.operator },
      port: ports.wireguard,
      open: true,
    },
  ],
  work: [],
};

const doors = {
  node: renderDoor(
    {
      state: 'joined',
      nic: { device: 'eth0', address: outside.node, prefixLength: 24 },
      endpoint: { address: outside.door, port: ports.wireguard },
      tunnel: {
        device: 'wg0',
        address: inside.node,
        operator: inside.operator,
        open: [
          { protocol: 'tcp', port: ports.exchange, reason: 'the exchange with the operator' },
          { protocol: 'udp', port: ports.mtuProbe, reason: 'the MTU probe' },
        ],
      },
      peers: outside.peers,
      clients,
      deniedUid: null,
    },
    { nic: true, tunnel: true },
  ),
  operator: planOperatorDoor({
    device: 'eth0',
    tunnel: 'wg0',
    control: { address: outside.control, ports: [ports.control, ports.controlEnrolment] },
    overlay: overlayOf(ula),
  }),
};

const tools = await benchTools();
const keys = { node: generateWireguardKeys(), operator: generateWireguardKeys() };
const configuration = (end: 'node' | 'operator', door: string): string => {
  const peer: WireguardPeer =
    end === 'operator'
      ? { publicKey: keys.node.publicKey, allowedIps: [`${inside.node}/128`] }
      : {
          publicKey: keys.operator.publicKey,
          allowedIps: [`${inside.operator}/128`],
          endpoint: { address: door, port: ports.wireguard },
          keepaliveSeconds: 25,
        };
  return wireguardConfig({
    device: 'wg0',
    privateKey: keys[end].privateKey,
    ...(end === 'operator' && { listenPort: ports.wireguard }),
    addresses: [`${inside[end]}/48`],
    mtu,
    peers: [peer],
  });
};
const address = (end: 'node' | 'operator'): string =>
  `ip address add ${inside[end]}/48 dev wg0 nodad; ip link set wg0 mtu ${mtu} up`;

const program = await buildProgram();
const fabric = await TestFabric.start({ program });
const bare = await openBarePair({
  wireguard: tools.wireguard,
  ends: (['node', 'operator'] as const).map((end) => ({
    name: end,
    address: end === 'node' ? '10.9.9.1' : '10.9.9.2',
    configuration: configuration(end, '10.9.9.2'),
    up: address(end),
  })),
});
try {
  await fabric.tell(intent);
  for (const end of ['operator', 'node'] as const) {
    const run = async (script: string, input = ''): Promise<void> => {
      const said = await fabric.inMachine(end, ['/bin/sh', '-ec', script], input);
      if (said.exitCode !== 0) throw new Error(`in machine '${end}': ${said.stderr.trim()}`);
    };
    if (tools.wireguard !== null) {
      await copyFile(tools.wireguard, join(fabricPaths(fabric.home).machines, end, 'wireguard-go'));
      await run(`${environment} /var/lib/sallyport/wireguard-go wg0 </dev/null >/dev/null 2>&1`);
    } else await run('ip link add wg0 type wireguard');
    await run('cat | wg setconf wg0 /dev/stdin', configuration(end, outside.door));
    await run(address(end));
    // As the product raises its own device; what it was made by is the same on both sides.
    if (tools.wireguard !== null) await run(`ip ${segmentsCommand('wg0', mtu).join(' ')}`);
    await run('cat | nft -f /dev/stdin', doors[end]);
  }
  const serve = sourceAndSink(inside.operator, ports.exchange);
  await fabric.inMachine('operator', [
    '/bin/sh',
    '-c',
    'setsid "$@" </dev/null >/dev/null 2>&1 &',
    'sh',
    ...serve,
  ]);
  await bare.spawn('operator', serve);

  const ours = async (way: 'up' | 'down', length: number): Promise<number> => {
    const said = await fabric.inMachine(
      'node',
      stream(way, inside.operator, ports.exchange, length),
      '',
      length * 1000 + 20_000,
    );
    return count(said);
  };
  const theirs = async (way: 'up' | 'down', length: number): Promise<number> =>
    count(await bare.run('node', stream(way, inside.operator, ports.exchange, length)));

  for (const measure of [ours, theirs]) {
    await until('the tunnel to carry', () => measure('up', 1).catch(() => undefined), { timeoutMs: 20_000 });
  }
  for (const way of ['up', 'down'] as const) {
    const pairs: readonly Pair[] = await interleave(
      rounds,
      () => ours(way, seconds),
      () => theirs(way, seconds),
    );
    report({
      name: `tunnel, ${way === 'up' ? 'node to operator' : 'operator to node'}`,
      unit: 'bytes/s',
      goal: 'ratio ≥ 0.9',
      pairs,
    });
  }
} finally {
  await bare.close();
  await fabric.close();
  await rm(program, { recursive: true, force: true });
}

function count(said: { readonly exitCode: number | null; readonly stdout: string; readonly stderr: string }) {
  if (said.exitCode !== 0) throw new Error(`no stream: ${said.stderr.trim()}`);
  return Number(said.stdout);
}
