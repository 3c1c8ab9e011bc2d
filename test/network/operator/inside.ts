/**
 * What the operator does on the wire, with real WireGuard. Run by operator.test.ts in namespaces of its own: it is root
 * there, and whatever it starts ends with it.
 */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { NodeIntent } from '../../../src/exchange/intents/node.ts';
import type { OperatorReport } from '../../../src/exchange/intents/operator.ts';
import { until } from '../../../src/lib/clock.ts';
import { ports } from '../../../src/network/ports.ts';
import { operatorIntent } from '../../harness/operator/shapes.ts';
import { createControl, type TestControl } from './control.ts';
import { makePlace, prepareOuter, startPuppet, type Place, type Puppet } from './world.ts';

const tools = process.env['OPERATOR_TEST_TOOLS']!;
const javaHome = process.env['OPERATOR_TEST_JAVA_HOME']!;
const controlAddress = '172.31.0.4';
const operatorAddress = '172.31.1.4';
const tunnelAddress = 'fd12:3456:789a::1';
const lasting = (n: number): string => `fd12:3456:789a:1::${n}`;
const template = operatorIntent({ nodes: 3 });
/** Nodes dial the operator straight: the private link's NAT is the fabric's. */
const intent = {
  ...template,
  dataCenters: template.dataCenters.map((one) => ({
    ...one,
    endpoint: { address: operatorAddress, port: ports.wireguard },
  })),
};
const shall = intent.dataCenters[0]!.nodes;
const ring = shall.map((node) => node.address);

let folder: string;
let control: TestControl;
let machine: Place;
let operator: ChildProcess;
const places: Place[] = [];
const puppets: Puppet[] = [];

function startOperator(): ChildProcess {
  const main = fileURLToPath(new URL('../../../src/server/main.ts', import.meta.url));
  return machine.start([process.execPath, main, 'operator'], {
    SALLYPORT_DISK: join(folder, 'disk'),
    SALLYPORT_TOOLS: tools,
    SALLYPORT_RUN: '/run/sallyport',
    JAVA_HOME: javaHome,
  });
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

const nodeOf = (report: OperatorReport, name: string) => report.nodes.find((node) => node.name === name)!;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'operator-wire-'));
  await mkdir(join(folder, 'disk'));
  await prepareOuter(controlAddress);
  control = await createControl(controlAddress, intent.cluster.identity);
  machine = await makePlace('op', operatorAddress);
  await writeFile(join(folder, 'disk', 'operator.json'), JSON.stringify(control.join), { mode: 0o600 });
  for (const node of shall) {
    const place = await makePlace(node.name.replace('dc1-', 'n'), node.address);
    places.push(place);
    puppets.push(startPuppet(place, tools));
  }
});

after(async () => {
  await kill(operator);
  await rm(folder, { recursive: true });
});

test('it enrols at control once, listens, and hands up a join file per node', async () => {
  control.hand(intent);
  operator = startOperator();
  const report = await control.waitFor(
    'join files',
    ({ wireguard, nodes }) => wireguard.listening && nodes.length === 3,
  );
  assert.equal(control.enrolments(), 1);
  assert.deepEqual(
    report.nodes.map((node) => [node.phase, node.join?.oneTime.address]),
    [
      ['expected', 'fd12:3456:789a:e::1'],
      ['expected', 'fd12:3456:789a:e::2'],
      ['expected', 'fd12:3456:789a:e::3'],
    ],
  );
  assert.match(report.dataCenters[0]!.waitingFor!, /dc1-0 .* expected, never seen/);
  for (const file of await readdir(join(folder, 'disk', 'operator'), { withFileTypes: true })) {
    if (file.isFile())
      assert.equal((await stat(join(file.parentPath, file.name))).mode & 0o077, 0, file.name);
  }
});

test('a one-time key reaches the enrolment port and nothing else', async () => {
  const report = await control.waitFor('join files', ({ nodes }) =>
    nodes.every((node) => node.join !== null),
  );
  for (const [index, puppet] of puppets.entries()) {
    await puppet.ask({ do: 'oneTime', join: report.nodes[index]!.join! });
    assert.equal(await puppet.ask({ do: 'handshake', timeoutMs: 10_000 }), true);
  }
  const [first] = puppets as [Puppet];
  assert.equal(await first.ask({ do: 'tcp', host: tunnelAddress, port: ports.enrolment }), 'open');
  assert.equal(await first.ask({ do: 'tcp', host: tunnelAddress, port: ports.exchange }), 'silence');
  assert.equal(await first.ask({ do: 'tcp', host: tunnelAddress, port: 22 }), 'silence');
  assert.equal(await first.ask({ do: 'echo', host: tunnelAddress, port: ports.mtuProbe, bytes: 100 }), null);
  assert.equal(
    await first.ask({ do: 'tcp', host: operatorAddress, port: ports.exchange }),
    'silence',
    'not past the tunnel',
  );
  await control.waitFor('the knock', ({ dataCenters }) =>
    /was seen at the door/.test(dataCenters[0]!.waitingFor ?? ''),
  );
});

test('another name is refused and reported; the node itself gets its certificates, twice if need be', async () => {
  const [first] = puppets as [Puppet];
  await assert.rejects(first.ask({ do: 'enrol', node: 'dc1-1', address: ring[0] }), /WrongNode/);
  await control.waitFor('the refusal', ({ refusals }) =>
    refusals.some((refusal) => refusal.code === 'WrongNode'),
  );
  const grant = await first.ask({ do: 'enrol', node: 'dc1-0', address: ring[0] });
  assert.deepEqual(await first.ask({ do: 'enrol', node: 'dc1-0', address: ring[0] }), grant);
  await assert.rejects(
    first.ask({ do: 'enrol', node: 'dc1-0', address: ring[0], freshKey: true }),
    /AlreadyEnrolled/,
  );
  const report = await control.waitFor('the phase', (said) => nodeOf(said, 'dc1-0').phase === 'enrolled');
  assert.equal(nodeOf(report, 'dc1-0').join, null);
});

test('with its own key a node reaches exchange and MTU probe only, and the one-time key is dead', async () => {
  const [first] = puppets as [Puppet];
  await first.ask({ do: 'lasting' });
  assert.equal(await first.ask({ do: 'handshake', timeoutMs: 10_000 }), true);
  assert.equal(await first.ask({ do: 'tcp', host: tunnelAddress, port: ports.exchange }), 'open');
  assert.equal(await first.ask({ do: 'tcp', host: tunnelAddress, port: ports.enrolment }), 'silence');
  assert.equal(
    await first.ask({ do: 'echo', host: tunnelAddress, port: ports.mtuProbe, bytes: 1420 - 48 }),
    1420 - 48,
  );
  const dead = async (): Promise<true | undefined> => {
    const { stdout } = await machine.run(['wg', 'show', 'wg0', 'allowed-ips']);
    return stdout.includes('e::1/') ? undefined : true;
  };
  await until('the one-time peer to die', dead, { timeoutMs: 5_000 });
  const { stdout } = await machine.run(['wg', 'show', 'wg0', 'allowed-ips']);
  assert.match(stdout, /1::1\/128/);
  assert.match(stdout, /e::2\/128/);
});

test('a connected node is told its door and its peers', async () => {
  const [first] = puppets as [Puppet];
  await first.ask({ do: 'follow', node: 'dc1-0', address: ring[0], ring });
  await control.waitFor('contact', (report) => nodeOf(report, 'dc1-0').phase === 'connected');
  const told = await until(
    'an intent',
    async () => (await first.ask<NodeIntent | null>({ do: 'intent' })) ?? undefined,
    { timeoutMs: 5_000 },
  );
  assert.equal(told.door.state, 'joining');
  assert.deepEqual(told.door.peers, ring.slice(1));
  assert.equal(told.cassandra.process, 'stopped');
});

test('the other nodes follow, and none reaches another through the operator', async () => {
  for (const index of [1, 2]) {
    const puppet = puppets[index]!;
    await puppet.ask({ do: 'enrol', node: shall[index]!.name, address: ring[index] });
    await puppet.ask({ do: 'lasting' });
    assert.equal(await puppet.ask({ do: 'handshake', timeoutMs: 10_000 }), true);
  }
  await puppets[1]!.ask({ do: 'listen', port: 7001 });
  assert.equal(
    await puppets[1]!.ask({ do: 'tcp', host: lasting(2), port: 7001 }),
    'open',
    'the listener is there',
  );
  assert.equal(await puppets[0]!.ask({ do: 'tcp', host: lasting(2), port: 7001 }), 'silence');
});

test('the operator’s machine dials control and nobody else', async () => {
  const dial = async (host: string, port: number): Promise<string> => {
    const { exitCode } = await machine.run([
      'timeout',
      '2',
      'bash',
      '-c',
      `exec 3<>/dev/tcp/${host}/${port}`,
    ]);
    return exitCode === 0 ? 'open' : 'closed';
  };
  assert.equal(await dial(controlAddress, ports.control), 'open');
  assert.equal(await dial(ring[1]!, 7001), 'closed');
  assert.equal(
    (await places[0]!.run(['timeout', '2', 'bash', '-c', `exec 3<>/dev/tcp/${ring[1]}/7001`])).exitCode,
    0,
    'and it is there',
  );
  assert.equal(await dial(lasting(2), 7001), 'closed');
});

test('services: a node reaches the gate through it while control says there is one, and nobody else does', async () => {
  const logs = { account: 'logs.example', container: 'cassandra', sas: 'sig=x' };
  const gate = { address: controlAddress, port: 8_444, authority: 'PEM', accounts: ['logs.example'], logs };
  const server = createServer((socket) => socket.end('this is the gate')).listen(gate.port, controlAddress);
  await once(server, 'listening');
  const [first] = puppets as [Puppet];
  const to = { host: tunnelAddress, port: ports.services };
  assert.equal(await first.ask({ do: 'tcp', ...to }), 'silence', 'before');
  control.hand({ ...intent, gate });
  await control.waitFor('the gate', () => true);
  assert.equal(await first.ask({ do: 'hear', ...to }), 'this is the gate');
  const told = await until(
    'the node to be told',
    async () => (await first.ask<NodeIntent>({ do: 'intent' })).services,
    { timeoutMs: 5_000 },
  );
  assert.deepEqual(told, { port: ports.services, authority: 'PEM', accounts: ['logs.example'], logs });
  const outside = { host: operatorAddress, port: ports.services };
  assert.equal(await first.ask({ do: 'tcp', ...outside }), 'silence', 'not past the tunnel');
  control.hand(intent);
  await control.waitFor('no gate', () => true);
  assert.equal(await first.ask({ do: 'tcp', ...to }), 'silence', 'and no more');
  server.close();
});

test('killed, it finds its tunnel as it was, and the nodes are back within seconds', async () => {
  for (const index of [1, 2]) {
    await puppets[index]!.ask({ do: 'follow', node: shall[index]!.name, address: ring[index], ring });
  }
  await control.waitFor('all nodes', ({ nodes }) => nodes.every((node) => node.phase === 'connected'));
  await kill(operator);
  const killedAt = new Date().toISOString();
  operator = startOperator();
  await control.waitFor(
    'all nodes again',
    ({ nodes }) => nodes.every((node) => node.phase === 'connected' && node.lastSeen! > killedAt),
    8_000,
  );
});

test('its machine restarted, with control gone, it comes back with all it knew: nodes reconnect by themselves', async () => {
  const stateBefore = await readFile(join(folder, 'disk', 'operator', 'state.json'), 'utf8');
  control.stop();
  await kill(operator);
  await machine.run(['ip', 'link', 'delete', 'wg0']);
  operator = startOperator();
  const peers = async (): Promise<true | undefined> => {
    const { stdout } = await machine.run(['wg', 'show', 'wg0', 'latest-handshakes']);
    const seen = stdout
      .trim()
      .split('\n')
      .filter((line) => line && !line.endsWith('\t0'));
    return seen.length === 3 ? true : undefined;
  };
  // WireGuard itself notices a peer that forgot the session after 15 s of unanswered data.
  await until('three handshakes', peers, { timeoutMs: 40_000 });
  const stateAfter = JSON.parse(
    await readFile(join(folder, 'disk', 'operator', 'state.json'), 'utf8'),
  ) as Record<string, unknown>;
  assert.deepEqual(
    stateAfter['wireguard'],
    (JSON.parse(stateBefore) as Record<string, unknown>)['wireguard'],
  );
  assert.deepEqual(stateAfter['members'], (JSON.parse(stateBefore) as Record<string, unknown>)['members']);
  await control.start();
  await control.waitFor('all nodes again', ({ nodes }) => nodes.every((node) => node.phase === 'connected'));
  assert.equal(control.enrolments(), 1);
});

test('the data centre becomes ready, on tokens that Cassandra’s own allocator made', async () => {
  await control.waitFor(
    'ready',
    ({ dataCenters }) => dataCenters[0]!.phase === 'ready' && dataCenters[0]!.waitingFor === null,
    30_000,
  );
  const told = await puppets[0]!.ask<NodeIntent>({ do: 'intent' });
  assert.equal(told.door.state, 'joined');
  assert.equal(told.cassandra.tokens.length, 16);
});

test('a silent node is named within seconds and nothing is thrown back', async () => {
  await puppets[2]!.ask({ do: 'unfollow' });
  const report = await control.waitFor(
    'the silence',
    (said) => nodeOf(said, 'dc1-2').phase === 'silent',
    20_000,
  );
  assert.equal(report.dataCenters[0]!.phase, 'ready');
  assert.match(report.dataCenters[0]!.error!.message, /dc1-2/);
});

test('a node that leaves hears `retired`, and its peer dies', async () => {
  const [only] = intent.dataCenters as [(typeof intent.dataCenters)[number]];
  control.hand({ ...intent, dataCenters: [{ ...only, nodes: only.nodes.slice(1) }] });
  await until(
    'the last word',
    async () =>
      (await puppets[0]!.ask<NodeIntent>({ do: 'intent' })).door.state === 'retired' ? true : undefined,
    {
      timeoutMs: 5_000,
    },
  );
  const gone = async (): Promise<true | undefined> => {
    const { stdout } = await machine.run(['wg', 'show', 'wg0', 'allowed-ips']);
    return stdout.includes('1::1/') ? undefined : true;
  };
  await until('the peer to die', gone, { timeoutMs: 15_000 });
});
