/**
 * A cloud just large enough to try `verify` on, made by the test itself and without the fabric: a router with a written
 * policy, two node-like machines, an application machine, an operator behind a private link, an internet. It lives in
 * namespaces of its own; the end of its first process ends all of it.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { AllowRule } from '../../src/exchange/intents/fabric.ts';
import type {
  EnterOptions,
  Recorder,
  Seen,
  VerifyWorld,
  WorldMachine,
} from '../../src/fabric/verify/world.ts';
import { nodeInMachine } from '../../src/fabric/verify/gate.ts';
import { filtered } from '../../src/fabric/machine/families.ts';
import { until } from '../../src/lib/clock.ts';
import { exec, execStatus, type ExecResult } from '../../src/lib/exec.ts';
import { replaceTables } from '../../src/network/nft.ts';
import { deliveryRecorder, deviceRecorder, parseRecorder } from '../../src/network/recorder.ts';
import { generateWireguardKeys } from '../../src/network/wireguard-keys.ts';
import { overlayOf, planOperatorDoor } from '../../src/network/operator-door.ts';
import { findTools } from '../harness/tools.ts';
import { gateBinds, gateMachines, gateRoutes, startSmallGate, type SmallGate } from './small-gate.ts';

export interface SmallCloud {
  readonly world: VerifyWorld;
  /** The same with machines whose processes may open every kind of socket. */
  readonly unfiltered: VerifyWorld;
  /** Rules of the router, as nft text: a hole for the test to find. */
  router(nft: string): Promise<void>;
  /** Approves the private link's connection, or rejects it. */
  link(open: boolean): Promise<void>;
  /** Where it was asked for. */
  readonly gate?: SmallGate | undefined;
  close(): Promise<void>;
}

export const door = { address: '10.0.1.10', port: 51820 };
export const operator = { address: '172.31.1.4', tunnel: 'fd5a:1100:1::1' };
const nodes = ['10.0.2.4', '10.0.2.5'] as const;
const canaries = ['192.0.2.10', '198.51.100.10', '203.0.113.10'];
export const tunnelOf = (n: number): string => `fd5a:1100:1:1::${n + 1}`;

const allowOf = (n: number): readonly AllowRule[] => {
  const peers = nodes.filter((_, other) => other !== n).map((a) => `${a}/32`);
  return [
    {
      direction: 'out',
      protocol: 'udp',
      remote: [`${door.address}/32`],
      port: door.port,
      reason: 'WireGuard to the door',
    },
    { direction: 'out', protocol: 'tcp', remote: peers, port: 7001, reason: 'ring' },
    { direction: 'in', protocol: 'tcp', remote: peers, port: 7001, reason: 'ring' },
    { direction: 'in', protocol: 'tcp', remote: ['10.0.0.0/16'], port: 9042, reason: 'CQL' },
  ];
};

const machine = (
  id: string,
  kind: WorldMachine['kind'],
  network: string,
  address: string,
  allow: WorldMachine['allow'],
): WorldMachine => ({
  id,
  kind,
  hostname: id,
  network,
  address,
  allow,
});

/** The userspace WireGuard to use where the kernel has none: a path, or a name that PATH knows. */
const userspaceWireguard = findTools()?.wireguard ?? 'wireguard-go';

export async function openSmallCloud({ gate = false } = {}): Promise<SmallCloud> {
  const yard = await openYard();
  const behind = gate ? gateMachines : [];
  const devices = [...cables, ...behind.map(({ address }) => address)].map((address, n) => ({
    name: `v${n}`,
    address,
  }));
  const machines = [
    machine('node-1', 'node', 'customer', nodes[0], allowOf(0)),
    machine('node-2', 'node', 'customer', nodes[1], allowOf(1)),
    machine('app', 'application', 'customer', '10.0.3.4', null),
    machine('operator', 'operator', 'provider', operator.address, null),
    ...behind.map(({ id, kind, address }) => machine(id, kind, 'provider', address, null)),
  ];
  const operatorRules = gate ? operatorDoor : plainOperatorRules;
  try {
    await layNetwork(yard);
    const inits = new Map<string, { readonly pid: number; readonly child: ChildProcess }>();
    for (const [n, m] of machines.entries()) inits.set(m.id, await startMachine(yard, m, n, devices));
    const into = (id: string, argv: readonly string[], options: EnterOptions): readonly string[] => [
      ...['nsenter', '-t', `${inits.get(id)!.pid}`, '-U', '-n', '-m', '-p', '-u', '-i'],
      '--preserve-credentials',
      ...(options.as === 'cassandra' ? [...confined, '--'] : []),
      ...argv,
    ];
    const enter: VerifyWorld['enter'] = (id, argv, options) =>
      yard.status(filtered(into(id, argv, options)), options);
    const asRoot = async (id: string, argv: readonly string[], input = ''): Promise<ExecResult> => {
      const said = await enter(id, argv, { as: 'root', input, timeoutMs: 10_000 });
      if (said.exitCode !== 0) throw new Error(`${id}: ${argv.join(' ')}: ${said.stderr}`);
      return said;
    };
    await layTunnels(asRoot);
    for (const n of [0, 1]) await asRoot(`node-${n + 1}`, ['/usr/sbin/nft', '-f', '-'], doorRules(n, gate));
    await asRoot('operator', ['/usr/sbin/nft', '-f', '-'], operatorRules);
    await until('the tunnels to shake hands', () => handshakes(asRoot), { timeoutMs: 15_000 });

    const read = async (
      netns: string,
      table: { family: string; name: string },
    ): Promise<ReturnType<typeof parseRecorder>> => {
      const { stdout } = await yard.run([
        'ip',
        'netns',
        'exec',
        netns,
        'nft',
        '-j',
        'list',
        'table',
        table.family,
        table.name,
      ]);
      return parseRecorder(stdout, table.family === 'inet');
    };
    const delivered = (device: string) => async (): Promise<readonly Seen[]> =>
      (await read('router', deliveryRecorder)).filter((s) => s.device === device);
    const recorders: Recorder[] = [
      ...machines.flatMap((m, n): Recorder[] => [
        { place: 'nic-out', of: m.id, read: () => read('router', deviceRecorder(`v${n}`)) },
        { place: 'nic-in', of: m.id, read: delivered(`v${n}`) },
      ]),
      { place: 'link', of: 'link', read: delivered('v3') },
      { place: 'internet', of: null, read: () => read('internet', deviceRecorder('eth0')) },
    ];
    const world: VerifyWorld = {
      machines,
      links: [
        {
          id: 'link',
          address: door.address,
          network: 'customer',
          port: door.port,
          open: true,
          destination: operator.address,
        },
      ],
      canaries: { ipv4: canaries, ipv6: ['2001:db8::10'] },
      networks: [
        {
          id: 'customer',
          prefixes: ['10.0.0.0/16'],
          subnets: [
            { name: 'pe', prefix: '10.0.1.0/24' },
            { name: 'cass', prefix: '10.0.2.0/24' },
            { name: 'apps', prefix: '10.0.3.0/24' },
          ],
        },
      ],
      enter,
      restoreRules: async (id) => {
        const rules = id === 'operator' ? operatorRules : doorRules(Number(id.slice(-1)) - 1, gate);
        await asRoot(id, ['/usr/sbin/nft', '-f', '-'], rules);
      },
      recorders,
    };
    const small = gate ? await startSmallGate(world, { id: 'operator', ...operator }) : undefined;
    const whole: VerifyWorld = { ...world, ...(small && { gates: small.gates }) };
    return {
      world: whole,
      gate: small,
      unfiltered: { ...whole, enter: (id, argv, options) => yard.status(into(id, argv, options), options) },
      router: async (text) =>
        void (await yard.run(['ip', 'netns', 'exec', 'router', 'nft', '-f', '-'], text)),
      link: async (open) => {
        const lines = [
          'flush chain inet platform link',
          ...(open ? [`add rule inet platform link ${linkRule}`] : []),
        ];
        await yard.run(['ip', 'netns', 'exec', 'router', 'nft', '-f', '-'], `${lines.join('\n')}\n`);
      },
      close: () => yard.close(),
    };
  } catch (error) {
    await yard.close();
    throw error;
  }
}

// ---- the ground it stands on

interface Yard {
  run(argv: readonly string[], input?: string): Promise<ExecResult>;
  status(argv: readonly string[], options: EnterOptions): ReturnType<VerifyWorld['enter']>;
  spawn(argv: readonly string[]): ChildProcess;
  close(): Promise<void>;
}

async function openYard(): Promise<Yard> {
  const script =
    'mount --make-rprivate / && mount -t tmpfs none /run && mkdir /run/netns && mount -t proc proc /proc && echo ready && exec cat';
  const first = spawn(
    'unshare',
    [
      '--user',
      '--map-root-user',
      '--net',
      '--mount',
      '--pid',
      '--fork',
      '--kill-child=SIGKILL',
      'sh',
      '-c',
      script,
    ],
    {
      // It lives until its standard input ends: at the latest with the test.
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  await once(first.stdout, 'data');
  const { stdout } = await exec('ps', ['-o', 'pid=', '--ppid', String(first.pid)]);
  const into = ['-t', stdout.trim(), '-U', '-n', '-m', '-p', '--preserve-credentials', '--wd=/'];
  return {
    run: (argv, input) => exec('nsenter', [...into, ...argv], { ...(input !== undefined && { input }) }),
    status: (argv, { input, timeoutMs }) =>
      execStatus('nsenter', [...into, ...argv], {
        ...(input !== undefined && { input }),
        ...(timeoutMs && { timeoutMs }),
      }),
    spawn: (argv) => spawn('nsenter', [...into, ...argv], { stdio: ['ignore', 'pipe', 'inherit', 'pipe'] }),
    async close() {
      if (first.exitCode !== null) return;
      const gone = once(first, 'exit');
      first.stdin.end();
      await gone;
    },
  };
}

interface Cable {
  readonly name: string;
  readonly address: string;
}
const cables = [...nodes, '10.0.3.4', operator.address];

/** Of an approved connection. */
const linkRule = `iifname { "v0", "v1" } oifname "v3" ct status dnat udp dport ${door.port} accept`;

/** The written policy of each node's cable, the link, and nothing else. */
const routerRules = (devices: readonly Cable[]): string =>
  [
    'chain spoofed { type filter hook prerouting priority -300; policy accept;',
    ...devices.slice(0, 3).map(({ name, address }) => `iifname "${name}" ip saddr != ${address} drop`),
    '}',
    'chain translate { type nat hook prerouting priority -100; policy accept;',
    `ip daddr ${door.address} udp dport ${door.port} dnat ip to ${operator.address}`,
    '}',
    'chain disguise { type nat hook postrouting priority 100; policy accept;',
    'oifname "v3" snat ip to 172.31.2.4',
    '}',
    'chain extra { }',
    `chain link {\n${linkRule}\n}`,
    'chain forward { type filter hook forward priority 0; policy drop;',
    'ct direction reply ct state established accept',
    'jump link',
    'iifname { "v0", "v1" } oifname { "v0", "v1" } tcp dport 7001 accept',
    'iifname "v2" oifname { "v0", "v1" } tcp dport 9042 accept',
    'iifname "v2" oifname "inet" accept',
    ...(devices.length > cables.length ? gateRoutes : []),
    'jump extra',
    '}',
  ].join('\n');

const onlyIpv4 = (device: string): string =>
  `chain ingress { type filter hook ingress device "${device}" priority 0; policy drop;\nether type { arp, ip } accept\n}`;

async function layNetwork(yard: Yard): Promise<void> {
  const lines = [
    'ip netns add router',
    'ip netns add internet',
    'ip -n router link add inet type veth peer name eth0 netns internet',
    'ip -n router address add 100.64.0.1/30 dev inet',
    'ip -n internet address add 100.64.0.2/30 dev eth0',
    ...canaries.map((address) => `ip -n internet address add ${address}/32 dev lo`),
    'ip -n internet link set lo up',
    'ip -n internet link set eth0 up',
    'ip -n router link set inet up',
    'ip -n internet route add default via 100.64.0.1',
    'ip -n router route add default via 100.64.0.2',
    'ip netns exec router sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0',
    'ip -n router address add 172.31.2.4/32 dev inet',
  ];
  await yard.run(['sh', '-ec', lines.join('\n')]);
  await yard.run(
    ['ip', 'netns', 'exec', 'internet', 'nft', '-f', '-'],
    replaceTables([deviceRecorder('eth0')]),
  );
}

// ---- machines

/** As the agent confines Cassandra: bubblewrap in the machine's own user namespace, where a fresh /proc may be mounted. */
const confined = [
  ...[
    '/usr/bin/bwrap',
    '--unshare-pid',
    '--unshare-ipc',
    '--unshare-uts',
    '--new-session',
    '--cap-drop',
    'ALL',
    '--cap-add',
    'CAP_SETFCAP',
  ],
  ...[
    '--ro-bind',
    '/usr',
    '/usr',
    '--symlink',
    'usr/bin',
    '/bin',
    '--symlink',
    'usr/lib',
    '/lib',
    '--symlink',
    'usr/lib64',
    '/lib64',
  ],
  ...['--ro-bind-try', nodeInMachine, nodeInMachine],
  ...[
    '--proc',
    '/proc',
    '--dev',
    '/dev',
    '--tmpfs',
    '/tmp',
    '--',
    '/usr/bin/unshare',
    '--user',
    '--map-user=999',
    '--map-group=999',
  ],
];

/** Accepts on the ports it is given, as Cassandra and the operator's exchange would. */
const accepting =
  'use IO::Socket::IP; use IO::Select; my $s = IO::Select->new(map { IO::Socket::IP->new(LocalHost=>"::", LocalPort=>$_, Listen=>9, ReuseAddr=>1, V6Only=>0) or die $! } @ARGV); print "ready\\n"; close STDOUT; while () { for ($s->can_read) { $_->accept } }';

async function startMachine(
  yard: Yard,
  m: WorldMachine,
  n: number,
  devices: readonly Cable[],
): Promise<{ readonly pid: number; readonly child: ChildProcess }> {
  const child = yard.spawn([
    ...[
      'bwrap',
      '--unshare-user',
      '--uid',
      '0',
      '--gid',
      '0',
      '--unshare-net',
      '--unshare-pid',
      '--unshare-uts',
      '--unshare-ipc',
    ],
    ...[
      '--cap-add',
      'ALL',
      '--hostname',
      m.hostname,
      '--ro-bind',
      '/usr',
      '/usr',
      '--symlink',
      'usr/bin',
      '/bin',
      '--symlink',
      'usr/sbin',
      '/sbin',
    ],
    ...[
      '--symlink',
      'usr/lib',
      '/lib',
      '--symlink',
      'usr/lib64',
      '/lib64',
      '--proc',
      '/proc',
      '--dev',
      '/dev',
    ],
    ...[
      '--dev-bind',
      '/dev/net/tun',
      '/dev/net/tun',
      '--tmpfs',
      '/tmp',
      '--tmpfs',
      '/run',
      '--dir',
      '/run/wireguard',
      '--symlink',
      '/run',
      '/var/run',
    ],
    ...(devices.length > cables.length ? gateBinds : []),
    ...(userspaceWireguard.startsWith('/') ? ['--ro-bind', userspaceWireguard, '/opt/wireguard-go'] : []),
    ...[
      '--info-fd',
      '3',
      'perl',
      '-e',
      accepting,
      ...(m.kind === 'node' ? ['7001', '9042'] : m.kind === 'operator' ? ['8443'] : []),
    ],
  ]);
  let text = '';
  for (const output of [child.stdout, child.stdio[3]])
    output!.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const pid = await until(
    `the machine ${m.id}`,
    () =>
      text.includes('ready') && text.includes('child-pid')
        ? Number(/"child-pid": (\d+)/.exec(text)![1])
        : undefined,
    {
      timeoutMs: 10_000,
      everyMs: 20,
    },
  );
  const { name, address } = devices[n]!;
  const inside = (line: string): string => `nsenter -t ${pid} -U -n --preserve-credentials ${line}`;
  const gateway = address.replace(/\d+$/, '1');
  await yard.run([
    'sh',
    '-ec',
    [
      `ip -n router link add ${name} type veth peer name eth0 netns ${pid}`,
      // Answered at once: otherwise the kernel waits up to 0.8 s before it says another's address.
      `ip netns exec router sysctl -qw net.ipv4.conf.${name}.proxy_arp=1 net.ipv4.neigh.${name}.proxy_delay=0`,
      `ip netns exec router sysctl -qw net.ipv6.conf.${name}.disable_ipv6=1`,
      `ip -n router link set ${name} up`,
      `ip -n router route add ${address}/32 dev ${name}`,
      inside('ip link set lo up'),
      inside(`ip address add ${address}/24 dev eth0`),
      inside('ip link set eth0 up'),
      inside(`ip route add default via ${gateway}`),
    ].join('\n'),
  ]);
  if (n === devices.length - 1) {
    const filters = devices.map((d) => ({
      family: 'netdev' as const,
      name: `only_${d.name}`,
      body: onlyIpv4(d.name),
    }));
    await yard.run(
      ['ip', 'netns', 'exec', 'router', 'nft', '-f', '-'],
      replaceTables([
        ...devices.map((d) => deviceRecorder(d.name)),
        deliveryRecorder,
        ...filters,
        { family: 'inet', name: 'platform', body: routerRules(devices) },
      ]),
    );
  }
  return { pid, child };
}

type AsRoot = (id: string, argv: readonly string[], input?: string) => Promise<ExecResult>;

async function layTunnels(asRoot: AsRoot): Promise<void> {
  const program = userspaceWireguard.startsWith('/') ? '/opt/wireguard-go' : userspaceWireguard;
  const keys = ['operator', 'node-1', 'node-2'].map((id) => ({ id, ...generateWireguardKeys() }));
  for (const { id, privateKey } of keys) {
    await asRoot(id, [
      '/bin/sh',
      '-ec',
      `ip link add wg0 type wireguard 2>/dev/null || ${program} wg0 >/dev/null 2>&1`,
    ]);
    // Standard input is a socket here, which can't be opened by name; a pipe can.
    await asRoot(id, ['/bin/sh', '-c', 'cat | wg set wg0 private-key /dev/stdin'], `${privateKey}\n`);
  }
  const [head, ...rest] = keys;
  await asRoot('operator', ['/usr/bin/wg', 'set', 'wg0', 'listen-port', `${door.port}`]);
  await asRoot('operator', [
    '/bin/sh',
    '-ec',
    `ip address add ${operator.tunnel}/48 dev wg0 nodad; ip link set wg0 up mtu 1420`,
  ]);
  for (const [n, { id, publicKey }] of rest.entries()) {
    await asRoot('operator', [
      '/usr/bin/wg',
      'set',
      'wg0',
      'peer',
      publicKey,
      'allowed-ips',
      `${tunnelOf(n)}/128`,
    ]);
    await asRoot(id, [
      ...['/usr/bin/wg', 'set', 'wg0', 'peer', head!.publicKey, 'allowed-ips', `${operator.tunnel}/128`],
      ...['endpoint', `${door.address}:${door.port}`, 'persistent-keepalive', '1'],
    ]);
    await asRoot(id, [
      '/bin/sh',
      '-ec',
      `ip address add ${tunnelOf(n)}/48 dev wg0 nodad; ip link set wg0 up mtu 1420`,
    ]);
  }
}

async function handshakes(asRoot: AsRoot): Promise<true | undefined> {
  const { stdout } = await asRoot('operator', ['/usr/bin/wg', 'show', 'wg0', 'latest-handshakes']);
  return stdout
    .trim()
    .split('\n')
    .every((line) => Number(line.split('\t')[1]) > 0)
    ? true
    : undefined;
}

const doorRules = (n: number, gate: boolean): string => {
  const peers = nodes.filter((_, other) => other !== n).join(', ');
  return replaceTables([
    {
      family: 'inet',
      name: 'door',
      body: `
  chain input { type filter hook input priority 0; policy drop;
    iifname "lo" accept
    ct state established,related accept
    ip saddr { ${peers} } tcp dport 7001 accept
    tcp dport 9042 accept
  }
  chain output { type filter hook output priority 0; policy drop;
    oifname "lo" accept
    ct state established,related accept
    ip daddr ${door.address} udp dport ${door.port} accept
    ip daddr { ${peers} } tcp dport 7001 accept
    oifname "wg0" ip6 daddr ${operator.tunnel} tcp dport ${gate ? '{ 443, 8443 }' : '8443'} accept
  }
  chain forward { type filter hook forward priority 0; policy drop; }`,
    },
    {
      family: 'netdev',
      name: 'door',
      body: `
  chain egress { type filter hook egress device "eth0" priority 0; policy drop;
    ether type arp accept
    ip daddr ${door.address} udp dport ${door.port} accept
    ip daddr { ${peers} } tcp dport 7001 accept
    ip daddr 10.0.0.0/16 tcp sport { 7001, 9042 } accept
  }`,
    },
  ]);
};

/** The product's own, where there is a gate: nothing goes out but to control and to the gate. */
const operatorDoor = planOperatorDoor({
  ...{ device: 'eth0', tunnel: 'wg0', control: { address: '172.31.0.4', ports: [8443] } },
  ...{ gate: { address: gateMachines[0].address, port: 443 }, overlay: overlayOf('fd5a:1100:1::/48') },
});

/** Without a gate: what comes in is judged, and what goes out is the router's to judge. */
const plainOperatorRules = replaceTables([
  {
    family: 'inet',
    name: 'door',
    body: `
  chain input { type filter hook input priority 0; policy drop;
    iifname "lo" accept
    ct state established,related accept
    iifname "eth0" udp dport ${door.port} accept
    iifname "wg0" ip6 daddr ${operator.tunnel} tcp dport 8443 accept
  }
  chain forward { type filter hook forward priority 0; policy drop; }`,
  },
]);
