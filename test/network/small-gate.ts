/**
 * The gate of the small cloud: HAProxy with a configuration of the product's own, two accounts as TLS servers, one of which policies name,
 * and the operator's relay for its nodes.
 */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { VerifyGate } from '../../src/exchange/intents/fabric.ts';
import type { GateCluster } from '../../src/exchange/intents/gate.ts';
import { gateMachineOf, nodeInMachine } from '../../src/fabric/verify/gate.ts';
import type { VerifyWorld, WorldMachine } from '../../src/fabric/verify/world.ts';
import { until } from '../../src/lib/clock.ts';
import { createAuthority, issue, type Authority } from '../../src/lib/x509.ts';
import { planGateDoor } from '../../src/network/gate-door.ts';
import { gateConfiguration, planGate } from '../../src/network/gate.ts';
import { ports } from '../../src/network/ports.ts';

export const gateMachines = [
  { id: 'gate', kind: 'gate', address: '172.31.3.4' },
  { id: 'logs', kind: 'storage', address: '172.31.4.4' },
  { id: 'evil', kind: 'monitor', address: '172.31.4.5' },
] as const satisfies readonly Pick<WorldMachine, 'id' | 'kind' | 'address'>[];

const servicePort = 10_443;
const names = { logs: 'logs.blob.core.windows.net', evil: 'evil.blob.core.windows.net' };

/** What the router lets through for it, by the devices of operator, gate and services. */
export const gateRoutes = [
  `iifname "v3" oifname "v4" tcp dport ${ports.gate} accept`,
  `iifname "v4" oifname { "v5", "v6" } tcp dport ${servicePort} accept`,
];

/** Bound into machines that need them: the program that speaks TLS, and the sources. */
export const gateBinds = [
  ...['--ro-bind', process.execPath, nodeInMachine],
  ...['--ro-bind', fileURLToPath(new URL('../../src', import.meta.url)), '/opt/source'],
];

export interface SmallGate {
  readonly gates: readonly VerifyGate[];
  /** From now on the gate lets these through. */
  let(...accounts: readonly (keyof typeof names)[]): Promise<void>;
}

export async function startSmallGate(
  world: Pick<VerifyWorld, 'machines' | 'enter'>,
  operator: { readonly id: string; readonly address: string; readonly tunnel: string },
): Promise<SmallGate> {
  const gate = gateMachineOf(world as VerifyWorld)!;
  const days = { days: 1, now: Date.now() };
  const own = await createAuthority('the gate of c1', days);
  const enter = async (id: string, argv: readonly string[], input = ''): Promise<void> => {
    const said = await world.enter(id, argv, { as: 'root', input, timeoutMs: 10_000 });
    if (said.exitCode !== 0) throw new Error(`${id}: ${argv.join(' ')}: ${said.stderr}`);
  };
  const put = (id: string, path: string, text: string): Promise<void> =>
    enter(id, ['/bin/sh', '-ec', 'umask 077; mkdir -p "$(dirname "$1")"; cat > "$1"', 'sh', path], text);
  /** Runs until the cloud ends. */
  const start = (id: string, argv: readonly string[], input = ''): void =>
    void world.enter(id, argv, { as: 'root', input }).catch(() => undefined);
  const node = ['/opt/tools/node', '--no-warnings', '--input-type=module-typescript', '-'];
  const account = await readFile(new URL('gate/inside.ts', import.meta.url), 'utf8');

  const authorities: Partial<Record<keyof typeof names, Authority>> = {};
  for (const id of ['logs', 'evil'] as const) {
    const authority = (authorities[id] = await createAuthority(`authority of ${id}`, days));
    const leaf = await issue(authority, {
      commonName: names[id],
      dns: [names[id]],
      use: ['server'],
      ...days,
    });
    await put(id, '/tmp/leaf.json', JSON.stringify(leaf));
    start(id, [...node, 'serve', names[id], String(servicePort), '/tmp/leaf.json'], account);
    const shown = await issue(own, { commonName: names[id], dns: [names[id]], use: ['server'], ...days });
    await put('gate', `/tmp/gate/${names[id]}.pem`, `${shown.privateKey}${shown.certificate}`);
  }
  start(
    operator.id,
    node,
    `import { createRelay } from '/opt/source/operator/relay.ts';
     const log = { debug() {}, info() {}, warn() {}, error() {} };
     const clock = { now: () => Date.now() };
     await createRelay({ nodeAt: (source) => source, clock, log }).ensure({
       listen: { address: '${operator.tunnel}', port: ${ports.services} }, gate: { address: '${gate.address}', port: ${ports.gate} } });`,
  );

  const placeOf = (id: keyof typeof names) => ({
    address: gateMachines.find((one) => one.id === id)!.address,
    port: servicePort,
  });
  const letThrough = async (...ids: readonly (keyof typeof names)[]): Promise<void> => {
    const cluster: GateCluster = {
      ...{ identity: 'c1', source: operator.address, port: 20_004 },
      accounts: ids.map((id) => ({
        ...{ name: names[id], enabled: true, rules: [{ methods: [], path: null }] },
        upstream: { ...placeOf(id), authority: authorities[id]!.certificate },
      })),
    };
    const plan = planGate([cluster], {
      listen: gate.address,
      certificate: (_, name) => `/tmp/gate/${name}.pem`,
    });
    for (const [name, text] of Object.entries(plan.files)) await put('gate', `/tmp/gate/${name}`, text);
    const door = { device: 'eth0', control: { address: '172.31.0.4', ports: [ports.controlGate] } };
    await enter('gate', ['/usr/sbin/nft', '-f', '-'], planGateDoor({ ...door, clusters: [cluster] }));
    await enter('gate', [
      '/bin/sh',
      '-ec',
      `cd /tmp/gate; if [ -e pid ]; then kill "$(cat pid)"; fi; exec /usr/sbin/haproxy -D -p /tmp/gate/pid -f ${gateConfiguration} >/tmp/gate/log 2>&1`,
    ]);
  };
  await letThrough('logs');
  const listens = async (id: string, port: number): Promise<true | undefined> => {
    const said = await world.enter(id, ['/bin/sh', '-c', 'cat /proc/net/tcp /proc/net/tcp6'], { as: 'root' });
    const hex = port.toString(16).toUpperCase().padStart(4, '0');
    return new RegExp(`:${hex} \\S+ 0A`).test(said.stdout) || undefined;
  };
  for (const [id, port] of [
    ['logs', servicePort],
    ['evil', servicePort],
    ['operator', ports.services],
    ['gate', 20_004],
  ] as const)
    await until(`${id} to listen on ${port}`, () => listens(id, port), { timeoutMs: 15_000 });
  return {
    gates: [
      {
        ...{ operator: operator.id, authority: own.certificate },
        accounts: [
          { name: names.logs, ...placeOf('logs'), ask: { method: 'GET', path: '/sallyport-verify' } },
        ],
        others: [{ name: names.evil, ...placeOf('evil'), shut: true, shared: true }],
      },
    ],
    let: letThrough,
  };
}
