import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  connected,
  connectionId,
  createWorld,
  dataCenterBody,
  dataCenterId,
  decide,
  endpointBody,
  endpointId,
  group,
  makeCluster,
  makeNetwork,
  provider,
  subnetId,
  type World,
} from '../../../test/harness/kinds-world.ts';
import { groupId, ruleBody, watcherId } from '../../../test/harness/network-world.ts';
import { virtualMachineType, type MachineProperties } from '../virtual-machine/schema.ts';
import type { ProbeResult } from '../../exchange/intents/fabric.ts';
import type { JsonObject } from '../../store/resource.ts';

let world: World;
/** Nodes, by their ARM ids and by the fabric's. */
let machines: readonly string[];
let places: readonly string[];
before(async () => {
  world = createWorld();
  makeNetwork(world);
  const service = await makeCluster(world);
  world.put(endpointId(), endpointBody(service, '10.0.1.10'));
  decide(world, connectionId(world, service), 'Approved');
  await world.fabricApplies();
  world.put(dataCenterId(), dataCenterBody());
  await world.operatorSays();
  await world.fabricApplies();
  await world.operatorSays('c1', connected('ready'));
  await world.fabricApplies();
  const found = world.store.list<MachineProperties>(virtualMachineType, group());
  machines = found.map(({ id }) => id);
  places = found.map(({ properties }) => properties.machine);
});
after(() => world.stop());

interface Answer {
  readonly connectionStatus: string;
  readonly probesSent: number;
  readonly probesFailed?: number;
  readonly hops: readonly {
    readonly type: string;
    readonly issues: readonly {
      readonly origin: string;
      readonly severity: string;
      readonly type: string;
      readonly context: readonly { readonly key: string; readonly value: string }[];
    }[];
  }[];
}

const check = 'connectivityCheck';
const ask = (destination: JsonObject, more: JsonObject = {}): string => {
  const body = { source: { resourceId: machines[0]! }, destination, ...more };
  const { status, headers } = world.ask('POST', `${watcherId()}/${check}`, body);
  assert.equal(status, 202);
  return headers!['Location']!;
};
const answer = (location: string): Answer => {
  const { status, body } = world.ask('GET', location);
  assert.equal(status, 200);
  return body as unknown as Answer;
};
const running = (location: string): void => {
  const { status, body, headers } = world.ask('GET', location);
  assert.deepEqual([status, body, headers!['Retry-After']], [202, { status: 'InProgress' }, '1']);
};
/** Asked, and what the packet did. */
async function confirmed(
  destination: JsonObject,
  result: Partial<ProbeResult>,
  more: JsonObject = {},
): Promise<Answer> {
  const location = ask(destination, more);
  running(location);
  await world.packet(result);
  return answer(location);
}
const counts = ({ connectionStatus, probesSent, probesFailed }: Answer): readonly unknown[] => [
  connectionStatus,
  probesSent,
  probesFailed,
];
const issues = ({ hops }: Answer) =>
  hops.flatMap(({ type, issues: found }) =>
    found.map(({ origin, severity, type: kind }) => [type, origin, severity, kind]),
  );
const reasons = ({ hops }: Answer): string =>
  hops.flatMap((hop) => hop.issues.flatMap(({ context }) => context.map(({ value }) => value))).join('\n');

test('an answer is the model’s and a packet’s, where both agree', async () => {
  const location = ask({ resourceId: machines[1]!, port: 7001 });
  running(location);
  const { from, to, protocol, port } = await world.packet({ arrived: [places[1]!] });
  assert.deepEqual([from, protocol, port], [places[0], 'tcp', 7001]);
  assert.ok(world.kinds.fabricIntent().document.machines.some(({ address }) => address === to));
  const reached = answer(location);
  assert.deepEqual([counts(reached), issues(reached)], [['Reachable', 2, 0], []]);
  assert.equal('avgLatencyInMs' in reached, false, 'nobody measured it');
  assert.deepEqual(world.kinds.fabricIntent().document.work, []);

  const stopped = await confirmed({ resourceId: machines[1]!, port: 9042 }, {});
  assert.deepEqual(
    [counts(stopped), issues(stopped)],
    [['Unreachable', 2, 2], [['Source', 'Outbound', 'Error', 'Platform']]],
  );
  assert.match(reasons(stopped), /platformPolicy\/DenyAll\nit left its machine and arrived nowhere\./);
  const lost = await confirmed(
    { resourceId: machines[1]!, port: 7001 },
    { arrived: [places[1]!], packets: { tried: 2, arrived: 1 } },
  );
  assert.deepEqual(counts(lost), ['Reachable', 2, 1]);
  const door = await confirmed(
    { address: '10.0.1.10', port: '51820' },
    { arrived: world.kinds.fabricIntent().document.links.map(({ id }) => id) },
    { protocol: 'Udp' },
  );
  assert.deepEqual(counts(door), ['Reachable', 2, 0]);
});

test('a packet that says other than the walls is told as the finding that it is', async () => {
  const open = await confirmed({ address: '203.0.113.10', port: 443 }, { arrived: ['internet'] });
  assert.equal(open.connectionStatus, 'Unknown');
  assert.deepEqual(issues(open), [
    ['Source', 'Outbound', 'Error', 'Platform'],
    ['Destination', 'Inbound', 'Error', 'Unknown'],
  ]);
  assert.match(reasons(open), /A wall is open that should not be: it arrived at the internet/);
  const shut = await confirmed({ resourceId: machines[1]!, port: 7001 }, {});
  assert.deepEqual(
    [counts(shut), issues(shut)],
    [['Unknown', 2, 2], [['VirtualMachine', 'Inbound', 'Error', 'Unknown']]],
  );
  const kept = await confirmed({ resourceId: machines[1]!, port: 7001 }, { said: 'EPERM', left: false });
  assert.deepEqual(issues(kept), [['Source', 'Outbound', 'Error', 'GuestFirewall']]);
  assert.deepEqual(
    world.store.events
      .latest(machines[0]!, 3)
      .map(({ reason, type }) => `${type} ${reason}`)
      .toSorted(),
    ['Warning WallOpen', 'Warning WallShut'],
    "what the machine's own rules keep is no event",
  );
});

test('walls that were changed while the packet was under way are not held against it', async () => {
  const events = () => world.store.events.latest(machines[0]!, 10).length;
  const before = events();
  const rule = (destinationPortRange: string) => ({
    securityRules: [
      {
        name: 'no-ring',
        properties: ruleBody({
          ...{ direction: 'Inbound', priority: 100, access: 'Deny', destinationAddressPrefix: '*' },
          ...{ sourceAddressPrefix: '*', destinationPortRange, protocol: 'Tcp' },
        }),
      },
    ],
  });
  world.put(groupId(), rule('22'));
  world.put(subnetId('cass'), { addressPrefix: '10.0.2.0/24', networkSecurityGroup: { id: groupId() } });
  await world.fabricApplies();
  const shut = ask({ resourceId: machines[1]!, port: 7001 });
  world.put(groupId(), rule('7001'));
  await world.packet({});
  await world.fabricApplies();
  assert.deepEqual(issues(answer(shut)), [['Source', 'Local', 'Warning', 'Unknown']]);
  assert.match(reasons(answer(shut)), /for the walls were changed meanwhile\./);
  world.put(groupId(), rule('22'));
  await world.fabricApplies();
  // What says nothing of this packet takes nothing away from it.
  const same = ask({ resourceId: machines[1]!, port: 7001 });
  world.put(groupId(), rule('23'));
  await world.packet({ arrived: [places[1]!] });
  await world.fabricApplies();
  assert.deepEqual([counts(answer(same)), issues(answer(same))], [['Reachable', 2, 0], []]);
  assert.equal(events(), before);
  world.put(subnetId('cass'), { addressPrefix: '10.0.2.0/24' });
  await world.fabricApplies();
});

test('where no packet tells, the answer is the model’s and says why', async () => {
  const blind = await confirmed(
    { address: '203.0.113.10', port: 443 },
    { blind: 'a router was not watched' },
  );
  assert.deepEqual(counts(blind), ['Unreachable', 2, undefined]);
  assert.deepEqual(issues(blind).at(-1), ['Source', 'Local', 'Warning', 'Unknown']);
  assert.match(reasons(blind), /No packet confirms it, for a router was not watched\./);

  const from = (location: string): readonly unknown[] => [counts(answer(location)), issues(answer(location))];
  await world.fabricApplies((report) => ({
    ...report,
    machines: { ...report.machines, [places[0]!]: { state: 'failed', pid: null, since: null, error: null } },
  }));
  assert.deepEqual(from(ask({ resourceId: machines[1]!, port: 7001 })), [
    ['Reachable', 0, 0],
    [['Source', 'Local', 'Warning', 'AgentStopped']],
  ]);
  await world.pass(20_000);
  assert.match(reasons(answer(ask({ resourceId: machines[1]!, port: 7001 }))), /not reported for 20 s/);
  await world.fabricApplies();
  const itself = ask({ resourceId: machines[0]!, port: 7001 });
  assert.match(reasons(answer(itself)), /says to itself/);
});

test('a packet that is not sent is not waited for, and leaves nothing behind', async () => {
  await world.fabricApplies();
  const location = ask({ resourceId: machines[1]!, port: 7001 });
  const { id } = world.kinds.fabricIntent().document.work[0]!;
  await world.fabricApplies((report) => ({
    ...report,
    work: { [id]: { state: 'failed', error: { code: 'X', message: 'its sender ended badly' } } },
  }));
  assert.match(reasons(answer(location)), /for its sender ended badly\./);

  const late = ask({ resourceId: machines[1]!, port: 7001 });
  await world.pass(29_000);
  running(late);
  await world.pass(2_000);
  assert.deepEqual(counts(answer(late)), ['Reachable', 0, 0]);
  assert.match(reasons(answer(late)), /within 30 s/);
  assert.deepEqual(world.kinds.fabricIntent().document.work, []);

  await world.fabricApplies();
  const forgotten = ask({ resourceId: machines[1]!, port: 7001 });
  world.restart();
  await world.fabricApplies();
  running(forgotten);
  assert.deepEqual(world.kinds.fabricIntent().document.work, []);
  await world.pass(1);
  world.store.operations.endAsked(new Date('2100-01-01'));
  assert.match(reasons(answer(forgotten)), /nobody told what became of/);
});

test('so many at once, and rules of others unnamed', async () => {
  await world.fabricApplies();
  const asked = [1, 2, 3, 4].map((port) => ask({ resourceId: machines[1]!, port }));
  const fifth = { source: { resourceId: machines[0]! }, destination: { resourceId: machines[1]!, port: 5 } };
  assert.equal(world.refused('POST', `${watcherId()}/${check}`, fifth).code, 'TooManyRequests');
  for (const location of asked) {
    await world.packet({});
    assert.equal(answer(location).connectionStatus, 'Unreachable');
  }
  world.put(groupId(), {
    securityRules: [
      {
        name: 'no-ring',
        properties: ruleBody({
          ...{ direction: 'Inbound', priority: 100, destinationAddressPrefix: '*' },
          ...{ sourceAddressPrefix: '*', sourcePortRange: '1000', destinationPortRange: '7001' },
          protocol: 'Tcp',
        }),
      },
    ],
  });
  world.put(subnetId('cass'), { addressPrefix: '10.0.2.0/24', networkSecurityGroup: { id: groupId() } });
  await world.fabricApplies();
  const fromPort = ask(
    { resourceId: machines[1]!, port: 7001 },
    { source: { resourceId: machines[0]!, port: 1000 } },
  );
  assert.match(reasons(answer(fromPort)), /source port of its own[^]*no-ring/);

  // Who may read the machines and ask the watcher, but not the group, is told that there is a rule and no more.
  for (const [role, scope] of [
    ['Network Contributor', watcherId()],
    ['Reader', machines[0]!],
    ['Reader', machines[1]!],
  ] as const)
    world.store.principals.assign({ principal: provider.principalId, role, scope });
  const body = {
    source: { resourceId: machines[0]!, port: 1000 },
    destination: { resourceId: machines[1]!, port: 7001 },
  };
  const theirs = world.ask('POST', `${watcherId()}/${check}`, body, provider).headers!['Location']!;
  const shown = world.ask('GET', theirs, undefined, provider).body as unknown as Answer;
  assert.match(reasons(shown), /A security rule at the destination denies it\./);
  assert.doesNotMatch(reasons(shown), /no-ring/);
});

test('questions that can’t be answered', () => {
  const refuse = (body: JsonObject, message: RegExp): void =>
    assert.match(world.refused('POST', `${watcherId()}/${check}`, body).message, message);
  const source = { resourceId: machines[0]! };
  refuse({ source: {} }, /resourceId is missing/);
  refuse({ source }, /destination is missing/);
  refuse({ source, destination: { address: 'a.b', port: 1 } }, /no resolver/);
  refuse({ source, destination: { address: '10.0.2.5' } }, /port is missing/);
});
