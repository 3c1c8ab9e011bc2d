import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { after, before, test } from 'node:test';
import type { FabricIntent, FabricMachine, Probe, ProbeResult } from '../../src/exchange/intents/fabric.ts';
import { machineDevice, routerNamespace } from '../../src/fabric/names.ts';
import { describe } from '../../src/kinds/network-watcher/connectivity-answer.ts';
import { until } from '../../src/lib/clock.ts';
import { compare, shallArrive, type Comparison } from '../../src/network/probes.ts';
import { reach } from '../../src/network/reachability.ts';
import { wallsOfIntent } from '../../src/network/walls.ts';
import { buildProgram, TestFabric } from '../harness/fabric.ts';

const machine = (id: string, network: string, subnet: string, address: string): FabricMachine => ({
  id,
  kind: 'application',
  hostname: id,
  network,
  subnet,
  address,
  allow: null,
  seed: {},
});
const door = { network: 'one', address: '10.0.1.10' };
const world: FabricIntent = {
  networks: [
    {
      id: 'one',
      label: 'one',
      prefixes: ['10.0.0.0/16'],
      subnets: [
        { name: 'pe', prefix: '10.0.1.0/24' },
        { name: 'apps', prefix: '10.0.3.0/24' },
      ],
      internet: true,
    },
    {
      id: 'provider',
      label: 'provider',
      prefixes: ['172.31.0.0/16'],
      subnets: [{ name: 'operators', prefix: '172.31.1.0/24' }],
      internet: false,
    },
  ],
  machines: [
    machine('app', 'one', 'apps', '10.0.3.4'),
    {
      ...machine('box', 'one', 'apps', '10.0.3.5'),
      allow: [
        {
          direction: 'out',
          protocol: 'udp',
          remote: [`${door.address}/32`],
          port: 51820,
          reason: 'the door',
        },
        { direction: 'in', protocol: 'tcp', remote: ['10.0.0.0/16'], port: 9042, reason: 'CQL' },
      ],
    },
    machine('operator', 'provider', 'operators', '172.31.1.4'),
  ],
  links: [
    {
      id: 'link',
      label: 'link',
      consumer: door,
      provider: { network: 'provider', natAddress: '172.31.2.4', destination: '172.31.1.4' },
      port: 51820,
      open: true,
    },
  ],
  work: [],
};

let program: string;
let fabric: TestFabric;
before(async () => {
  program = await buildProgram();
  fabric = await TestFabric.start({ program });
  await fabric.tell(world);
});
after(async () => {
  await fabric?.close();
  rmSync(program, { recursive: true, force: true });
});

const probe = (from: string, to: string, protocol: Probe['protocol'], port: number): Probe => ({
  from,
  to,
  protocol,
  port,
});

/** As control asks for it: a piece of work, whose result comes as a stream. */
async function sent(asked: Probe): Promise<ProbeResult> {
  const id = randomUUID();
  await fabric.tell({ ...world, work: [{ id, kind: 'probe', ...asked }] });
  const text = await until('the result', () => fabric.streams.get(`probe/${id}`), { timeoutMs: 20_000 });
  return JSON.parse(text) as ProbeResult;
}
const walls = wallsOfIntent(world);
/** As Network Watcher tells it. */
async function connectivity(asked: Probe): Promise<readonly unknown[]> {
  const from = walls.places.find(({ id }) => id === asked.from)!;
  const flow = {
    protocol: ({ tcp: 'Tcp', udp: 'Udp', icmp: 'Icmp' } as const)[asked.protocol],
    source: { address: from.address, port: null },
    destination: { address: asked.to, port: asked.port },
  };
  const reached = reach(walls, from, flow);
  const result = await sent(asked);
  const packet = { ...result, ...compare(walls, asked, result, () => true) };
  const told = describe({ walls, from, flow, reached, shows: () => true }, { packet });
  return [told['connectionStatus'], told['probesSent'], told['probesFailed']];
}
const judged = async (asked: Probe): Promise<Comparison> =>
  compare(walls, asked, await sent(asked), () => true);

test('what is allowed arrives where the model says', async () => {
  for (const [asked, at] of [
    [probe('app', '192.0.2.10', 'tcp', 443), ['internet']],
    [probe('app', '203.0.113.9', 'udp', 53), ['internet']],
    [probe('app', '198.51.100.10', 'icmp', 0), ['internet']],
    [probe('app', '10.0.3.5', 'tcp', 9042), ['box']],
    [probe('box', door.address, 'udp', 51820), ['operator', 'link']],
  ] as const) {
    const result = await sent(asked);
    assert.deepEqual([result.said, result.left, result.blind], ['sent', true, null], JSON.stringify(asked));
    assert.deepEqual(result.packets, { tried: 2, arrived: 2 }, JSON.stringify(asked));
    assert.deepEqual([...result.arrived].sort(), [...at].sort(), JSON.stringify(asked));
    assert.equal(compare(walls, asked, result, () => true).outcome, 'agrees');
  }
});

test('what is not allowed leaves its machine and arrives nowhere', async () => {
  for (const asked of [
    probe('box', '192.0.2.10', 'tcp', 443),
    probe('box', '10.0.3.4', 'tcp', 22),
    probe('app', '10.0.3.5', 'tcp', 7001),
    probe('app', '172.31.1.4', 'udp', 51820),
    probe('app', door.address, 'tcp', 443),
    probe('app', '10.0.9.9', 'tcp', 22),
  ]) {
    assert.deepEqual(shallArrive(walls, asked), []);
    const result = await sent(asked);
    assert.deepEqual([result.left, result.arrived, result.blind], [true, [], null], JSON.stringify(asked));
    assert.deepEqual(result.packets, { tried: 2, arrived: 0 }, JSON.stringify(asked));
  }
});

test("a machine's own rules are told from the walls outside", async () => {
  await fabric.inMachine('app', [
    'nft',
    'add table inet own; add chain inet own out { type filter hook output priority 0; policy drop; }',
  ]);
  const kept = await judged(probe('app', '192.0.2.10', 'tcp', 443));
  assert.deepEqual(kept, {
    outcome: 'shut',
    text: 'it did not arrive at the internet: its own machine kept it (EPERM)',
  });
  assert.deepEqual(await connectivity(probe('app', '192.0.2.10', 'tcp', 443)), ['Unknown', 2, 2]);
  await fabric.inMachine('app', ['nft', 'delete table inet own']);
  assert.deepEqual(await connectivity(probe('app', '192.0.2.10', 'tcp', 443)), ['Reachable', 2, 0]);
  assert.equal((await judged(probe('app', '192.0.2.10', 'tcp', 443))).outcome, 'agrees');
  assert.deepEqual(await connectivity(probe('box', '192.0.2.10', 'tcp', 443)), ['Unreachable', 2, 2]);
});

test('a way that was opened by hand, and that is no part of any plan, is found', async () => {
  const asked = probe('app', '10.0.9.9', 'tcp', 22);
  const route = ['ip', '-n', routerNamespace('one'), 'route'];
  const way = ['10.0.9.9/32', 'via', '10.0.3.5', 'dev', machineDevice('box'), 'onlink'];
  const added = await fabric.inFabric([...route, 'add', ...way]);
  assert.equal(added.exitCode, 0, added.stderr);
  // The platform policy of `box` is a wall of its own, and holds: nothing but CQL goes in.
  assert.equal((await judged(asked)).outcome, 'agrees');
  const opened = await judged({ ...asked, port: 9042 });
  assert.deepEqual(opened, {
    outcome: 'opened',
    text: 'it arrived at box, and the walls as they are asked for let it arrive nowhere',
  });
  await fabric.inFabric([...route, 'del', ...way]);
  assert.equal((await judged({ ...asked, port: 9042 })).outcome, 'agrees');
});

test('a machine that does not run is no answer, and work for one is told to have failed', async () => {
  const result = await sent(probe('nobody', '192.0.2.10', 'tcp', 443));
  assert.match(result.blind ?? '', /nobody/);
  assert.deepEqual(result.packets, { tried: 0, arrived: 0 });
});

test('what is run in a machine ends with its time, whatever becomes of it there, and leaves nothing', async () => {
  const run = `
    import { readFileSync } from 'node:fs';
    import { runInMachine } from '${program}/dist/fabric/machine/enter.js';
    const { machines } = JSON.parse(readFileSync('${fabric.home}/fabric/state.json', 'utf8'));
    const argv = ['perl', '-e', 'print "begun"; $| = 1; print "\\n"; kill STOP => $$; sleep 61'];
    const { signal } = new AbortController();
    const said = await runInMachine(machines.find(({ id }) => id === 'app'), argv, { signal, timeoutMs: 1000 });
    process.stdout.write(JSON.stringify(said));`;
  const ran = await fabric.inFabric([process.execPath, '--input-type=module', '-e', run]);
  assert.deepEqual([ran.stdout, ran.stderr], ['{"exitCode":null,"stdout":"begun\\n","stderr":""}', '']);
  const left = async () => {
    const { stdout } = await fabric.inMachine('app', ['sh', '-c', 'cat /proc/[0-9]*/cmdline']);
    return !stdout.includes('kill STOP') || undefined;
  };
  await until('nothing of it to be left', left, { timeoutMs: 2000 });
});
