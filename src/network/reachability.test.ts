import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { numberToIpv4 } from '../lib/ip.ts';
import { judge, judgedRules, reach, routeTo, type Flow, type Place, type Walls } from './reachability.ts';
import { defaultSecurityRules, serviceTag, type SecurityRule } from './security-rules.ts';

const place = (id: string, network: string, address: string, more: Partial<Place> = {}): Place => ({
  id,
  network,
  address,
  allow: null,
  group: { id: 'g', rules: [] },
  routes: [],
  routeTable: null,
  ...more,
});
const a = place('a', 'left', '10.0.0.4');
const walls: Walls = {
  networks: [
    {
      id: 'left',
      prefixes: ['10.0.0.0/16'],
      peers: [
        { id: 'right', access: true },
        { id: 'shut', access: false },
      ],
      internet: true,
    },
    {
      id: 'right',
      prefixes: ['10.1.0.0/16'],
      peers: [
        { id: 'left', access: true },
        { id: 'far', access: true },
      ],
      internet: true,
    },
    { id: 'far', prefixes: ['10.2.0.0/16'], peers: [{ id: 'right', access: true }], internet: false },
    { id: 'shut', prefixes: ['10.3.0.0/16'], peers: [{ id: 'left', access: true }], internet: false },
  ],
  places: [a, place('b', 'right', '10.1.0.4'), place('c', 'far', '10.2.0.4')],
  endpoints: [
    {
      id: 'door',
      network: 'left',
      address: '10.0.1.10',
      port: 51820,
      open: true,
      group: { id: null, rules: [] },
    },
  ],
  members: {
    '/asg/one': [
      { network: 'left', address: '10.0.0.9' },
      { network: 'far', address: '10.0.0.77' },
    ],
  },
  tags: { Storage: ['203.0.113.0/24'], 'Storage.eastus2': ['203.0.113.0/25'] },
};
const flow = (destination: string, port: number | null = 443, source = a.address): Flow => ({
  protocol: 'Tcp',
  source: { address: source, port: 5000 },
  destination: { address: destination, port },
});
const rule = (more: Partial<SecurityRule>): SecurityRule => ({
  name: 'r',
  priority: 100,
  direction: 'Outbound',
  access: 'Deny',
  protocol: '*',
  source: { prefixes: ['*'], groups: [] },
  sourcePorts: ['*'],
  destination: { prefixes: ['*'], groups: [] },
  destinationPorts: ['*'],
  ...more,
});
const decides = (at: Place, one: Flow, direction: 'Inbound' | 'Outbound' = 'Outbound'): string => {
  const verdict = judge(walls, at, direction, one);
  return `${verdict.access} ${verdict.by === 'group' ? verdict.rule.name : verdict.by}`;
};

test('the default rules, which follow the peers', () => {
  assert.equal(decides(a, flow('10.0.9.9')), 'Allow AllowVnetOutBound');
  assert.equal(decides(a, flow('10.1.9.9')), 'Allow AllowVnetOutBound', 'a peer');
  assert.equal(decides(a, flow('10.2.9.9')), 'Deny DenyAllOutBound', "a peer's peer");
  assert.equal(decides(a, flow('8.8.8.8')), 'Allow AllowInternetOutBound');
  for (const address of ['192.168.0.1', '100.64.0.1', '169.254.169.254', '224.0.0.1'])
    assert.equal(decides(a, flow(address)), 'Deny DenyAllOutBound', address);
  assert.equal(decides(a, flow(a.address, 22, '10.1.0.4'), 'Inbound'), 'Allow AllowVnetInBound');
  assert.equal(decides(a, flow(a.address, 22, '8.8.8.8'), 'Inbound'), 'Deny DenyAllInBound');
});

test('multicast is carried nowhere, even where a route leads it to an appliance', () => {
  const appliance = place('d', 'left', '10.0.0.5', { group: { id: null, rules: [] } });
  const led = place('e', 'left', '10.0.0.6', {
    group: { id: null, rules: [] },
    routes: [
      {
        name: 'r',
        prefix: '224.0.0.0/3',
        nextHopType: 'VirtualAppliance',
        nextHopAddress: appliance.address,
      },
    ],
  });
  const world = { ...walls, places: [...walls.places, appliance, led] };
  const stopped = reach(world, led, flow('224.0.0.5'));
  assert.ok(!stopped.reached && stopped.why === 'route' && stopped.at === null);
  const reserved = reach(world, led, flow('240.0.0.5'));
  assert.ok(!reserved.reached && reserved.at === 'd', 'led to the appliance, which is not its owner');
});

test('what a rule matches', () => {
  const at = (more: Partial<SecurityRule>): Place => ({ ...a, group: { id: 'g', rules: [rule(more)] } });
  const to = (destination: SecurityRule['destination']): Place => at({ destination });
  const matches = (where: Place, one: Flow): boolean => decides(where, one) === 'Deny r';
  assert.ok(matches(to({ prefixes: ['Storage.eastus2'], groups: [] }), flow('203.0.113.10')));
  assert.ok(!matches(to({ prefixes: ['Storage.eastus2'], groups: [] }), flow('203.0.113.200')));
  assert.ok(
    !matches(to({ prefixes: ['AzureMonitor'], groups: [] }), flow('203.0.113.10')),
    'a tag that nobody runs',
  );
  assert.ok(matches(to({ prefixes: [], groups: ['/ASG/One'] }), flow('10.0.0.9')));
  assert.ok(!matches(to({ prefixes: [], groups: ['/asg/two'] }), flow('10.0.0.9')));
  assert.ok(!matches(to({ prefixes: [], groups: ['/asg/one'] }), flow('10.0.0.77')), 'a member elsewhere');
  assert.ok(matches(at({ destinationPorts: ['80', '440-450'] }), flow('8.8.8.8', 443)));
  assert.ok(!matches(at({ destinationPorts: ['80', '440-450'] }), flow('8.8.8.8', 451)));
  assert.ok(!matches(at({ sourcePorts: ['1-4999'] }), flow('8.8.8.8')));
  assert.ok(!matches(at({ protocol: 'Udp' }), flow('8.8.8.8')));
  const ping: Flow = { ...flow('8.8.8.8', null), protocol: 'Icmp' };
  assert.ok(matches(at({ destinationPorts: ['80'], protocol: '*' }), ping), 'only Tcp and Udp have ports');
});

test('without a group nothing is filtered, but peers without access', () => {
  const open = { ...a, group: { id: null, rules: [] } };
  assert.equal(decides(open, flow('10.0.9.9')), 'Allow no group');
  assert.equal(decides(open, flow(a.address, 22, '8.8.8.8'), 'Inbound'), 'Allow no group');
  assert.equal(decides(open, flow('10.3.0.4')), 'Deny no group');
  assert.equal(decides(a, flow('10.3.0.4')), 'Deny DenyAllOutBound');
  const naming = { ...a, group: { id: 'g', rules: [rule({ access: 'Allow' })] } };
  assert.equal(decides(naming, flow('10.3.0.4')), 'Allow r');
});

test('both walls must agree, and a group can only narrow', () => {
  const node = place('n', 'left', '10.0.0.5', {
    allow: [{ direction: 'out', protocol: 'tcp', remote: ['10.0.0.4/32'], port: 7001, reason: 'the ring' }],
  });
  assert.equal(decides(node, flow('10.0.0.4', 7001)), 'Allow AllowVnetOutBound');
  assert.equal(decides(node, flow('10.0.0.4', 22)), 'Deny platform');
  const open = { ...node, group: { id: 'g', rules: [rule({ access: 'Allow' })] } };
  assert.equal(decides(open, flow('8.8.8.8')), 'Deny platform');
  const shut = { ...node, group: { id: 'g', rules: [rule({})] } };
  assert.equal(decides(shut, flow('10.0.0.4', 7001)), 'Deny r');
});

test('the first rule by priority decides, whatever the order in which they stand', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer({ min: 100, max: 4096 }), { maxLength: 8 }),
      fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
      fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      (priorities, accesses, address) => {
        const rules = priorities.map((priority, at) =>
          rule({ priority, name: `${priority}`, access: accesses[at] ? 'Allow' : 'Deny' }),
        );
        const first = rules.toSorted((x, y) => x.priority - y.priority)[0];
        const verdict = judge(
          walls,
          { ...a, group: { id: 'g', rules } },
          'Outbound',
          flow(numberToIpv4(address)),
        );
        if (first) assert.equal(verdict.access, first.access);
        else assert.ok(verdict.by === 'group' && verdict.isDefault);
        const order = judgedRules({ id: 'g', rules }, 'Outbound').map(({ priority }) => priority);
        assert.deepEqual(
          order,
          order.toSorted((x, y) => x - y),
        );
      },
    ),
  );
});

test('routes: the longest prefix, and of equals the user’s', () => {
  const hop = (where: Place, address: string): string => routeTo(walls, where, address).hop;
  assert.deepEqual(
    ['10.0.5.5', '10.1.5.5', '10.2.5.5', '8.8.8.8'].map((address) => hop(a, address)),
    ['VnetLocal', 'VNetPeering', 'None', 'Internet'],
  );
  assert.equal(hop(walls.places[2]!, '8.8.8.8'), 'None', 'a network with no way out');
  const routed = {
    ...a,
    routes: [
      { name: 'x', prefix: '10.1.0.0/16', nextHopType: 'None', nextHopAddress: null },
      { name: 'y', prefix: '10.0.5.0/24', nextHopType: 'VirtualAppliance', nextHopAddress: '10.0.0.8' },
    ] as const,
  };
  assert.equal(hop(routed, '10.1.5.5'), 'None');
  assert.equal(routeTo(walls, routed, '10.0.5.5').address, '10.0.0.8');
  assert.equal(hop(routed, '10.0.6.5'), 'VnetLocal');
});

test('reached or not, and why', () => {
  const tries = (from: Place, one: Flow): string => {
    const reached = reach(walls, from, one);
    return reached.reached ? reached.at : reached.why;
  };
  assert.equal(tries(a, flow('10.1.0.4')), 'b');
  assert.equal(tries(a, flow('8.8.8.8')), 'Internet');
  assert.equal(tries(a, flow('10.2.0.4')), 'group out', 'no transit');
  assert.equal(tries(a, flow('10.0.7.7')), 'nobody');
  assert.equal(tries(a, flow('10.0.1.10', 51820)), 'link', 'the door takes UDP');
  assert.equal(tries(a, { ...flow('10.0.1.10', 51820), protocol: 'Udp' }), 'door');
  const overridden = {
    ...a,
    routes: [{ name: 'x', prefix: '10.0.1.10/32', nextHopType: 'None', nextHopAddress: null }] as const,
  };
  assert.equal(
    tries(overridden, { ...flow('10.0.1.10', 51820), protocol: 'Udp' }),
    'door',
    'no route overrides it',
  );
  const bound = { ...walls.endpoints[0]!, group: { id: 'g', rules: [rule({ direction: 'Inbound' })] } };
  const there = reach({ ...walls, endpoints: [bound] }, a, { ...flow('10.0.1.10', 51820), protocol: 'Udp' });
  assert.ok(!there.reached && there.why === 'group in', 'its group may bind it');
  const dark = {
    ...a,
    routes: [{ name: 'x', prefix: '0.0.0.0/0', nextHopType: 'None', nextHopAddress: null }] as const,
  };
  assert.equal(tries(dark, flow('8.8.8.8')), 'route');
});

test('tags', () => {
  assert.deepEqual(serviceTag('STORAGE.EastUS2'), { name: 'Storage', region: 'eastus2' });
  assert.deepEqual(serviceTag('azurefrontdoor.firstparty'), {
    name: 'AzureFrontDoor.FirstParty',
    region: null,
  });
  for (const text of ['Storage.', '.eastus2', 'Internet.eastus2', 'Nobody', ''])
    assert.equal(serviceTag(text), undefined);
  for (const direction of ['Inbound', 'Outbound'] as const)
    assert.equal(defaultSecurityRules.filter((one) => one.direction === direction).length, 3);
});

test('an interface may have a group of its own, and both must allow', () => {
  const shut = { id: 'own', rules: [rule({ destinationPorts: ['443'] })] };
  assert.equal(decides({ ...a, ownGroup: shut }, flow('10.0.9.9')), 'Deny r');
  assert.equal(decides({ ...a, ownGroup: shut }, flow('10.0.9.9', 80)), 'Allow AllowVnetOutBound');
  const bare = { ...a, group: { id: null, rules: [] }, ownGroup: shut };
  assert.equal(decides(bare, flow('8.8.8.8')), 'Deny r', 'a group of its own alone is one');
  const probe = flow(a.address, 80, '168.63.129.16');
  assert.equal(decides(a, probe, 'Inbound'), 'Allow AllowAzureLoadBalancerInBound');
});

test('a route that leads nowhere, to an appliance, or an answer astray', () => {
  const box = place('box', 'left', '10.0.0.8');
  const there = place('d', 'left', '10.0.3.4');
  const routed = (...routes: Place['routes']): Place => ({ ...a, routes });
  const to = (nextHopType: Place['routes'][number]['nextHopType'], prefix: string) =>
    ({ name: 'x', prefix, nextHopType, nextHopAddress: '10.0.0.8' }) as const;
  const tries = (from: Place, address: string, more: readonly Place[] = [box, there]) =>
    reach({ ...walls, places: [...walls.places, ...more] }, from, flow(address));
  const diverted = tries(routed(to('VirtualAppliance', '10.0.3.0/24')), '10.0.3.4');
  assert.ok(!diverted.reached && diverted.why === 'route' && diverted.at === 'box');
  const list: Place['allow'] = [
    { direction: 'out', protocol: 'tcp', remote: ['10.0.3.4/32'], port: 443, reason: 'it' },
  ];
  const bound = { ...routed(to('VirtualAppliance', '10.0.3.0/24')), allow: list };
  const kept = tries(bound, '10.0.3.4');
  assert.ok(!kept.reached && kept.why === 'route' && kept.at === null, 'a list names addresses');
  assert.equal(tries(routed(to('VirtualAppliance', '10.0.0.8/32')), '10.0.0.8').at, 'box', 'whom it is for');
  assert.equal(tries(routed(to('Internet', '10.0.3.0/24')), '10.0.3.4').reached, false, 'private');
  assert.equal(tries(routed(to('VnetLocal', '10.1.0.0/16')), '10.1.0.4').reached, false, "a peer's");
  assert.equal(tries(routed(to('VnetLocal', '10.0.3.0/24')), '10.0.3.4').at, 'd');
  const deaf = { ...there, routes: [to('None', '10.0.0.0/24')] };
  const heard = tries(a, '10.0.3.4', [deaf]);
  assert.ok(heard.reached && heard.astray?.name === 'x');
});
