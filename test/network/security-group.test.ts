import assert from 'node:assert/strict';
import { after, before, describe, it, test } from 'node:test';
import fc from 'fast-check';
import type { FabricIntent, FabricMachine } from '../../src/exchange/intents/fabric.ts';
import { until } from '../../src/lib/clock.ts';
import { containsAddress, parsePrefix } from '../../src/lib/ip.ts';
import type { RuleDirection, RuleSide, SecurityRule } from '../../src/network/security-rules.ts';
import { arrivedAs, insideYard, runInYard, Yard, type Probe } from './yard.ts';

const web = 'asg-web';
const machine = (id: string, place: Partial<FabricMachine>): FabricMachine => ({
  id,
  kind: 'application',
  hostname: id,
  network: 'a',
  subnet: 'one',
  address: '',
  allow: null,
  seed: {},
  ...place,
});
const hosts = [
  machine('a1', { address: '10.0.1.4', applicationSecurityGroups: [web], securityGroup: 'nic' }),
  machine('a2', { address: '10.0.1.5' }),
  machine('a3', { subnet: 'two', address: '10.0.2.4', applicationSecurityGroups: [web] }),
  machine('b1', { network: 'b', address: '10.1.1.4' }),
];
const services = '203.0.113.0/25';
const nowhereElse = ['192.0.2.10', '203.0.113.9'];

interface Rules {
  readonly subnet: readonly SecurityRule[];
  readonly nic: readonly SecurityRule[];
}

const intent = ({ subnet, nic }: Rules): FabricIntent => ({
  networks: [
    {
      id: 'a',
      label: 'a',
      prefixes: ['10.0.0.0/16'],
      subnets: [
        { name: 'one', prefix: '10.0.1.0/24', securityGroup: 'subnet' },
        { name: 'two', prefix: '10.0.2.0/24' },
      ],
      peerings: [{ network: 'b', access: true }],
      internet: true,
    },
    {
      id: 'b',
      label: 'b',
      prefixes: ['10.1.0.0/16'],
      subnets: [{ name: 'one', prefix: '10.1.1.0/24' }],
      peerings: [{ network: 'a', access: true }],
      internet: false,
    },
  ],
  machines: hosts,
  links: [],
  work: [],
  securityGroups: [
    { id: 'subnet', rules: subnet.map(plain) },
    { id: 'nic', rules: nic.map(plain) },
  ],
  serviceTags: { Storage: [services] },
});
const plain = (rule: SecurityRule) =>
  structuredClone(rule) as NonNullable<FabricIntent['securityGroups']>[0]['rules'][0];

// ---- what Azure's documents say of such rules, told a second time and in another way than the compiler tells it

const inside = (address: string, prefix: string): boolean => containsAddress(parsePrefix(prefix)!, address);
const isVirtualNetwork = (address: string): boolean => /^10\.[01]\./.test(address);

const holds = (side: RuleSide, address: string): boolean =>
  (side.groups.includes(web) &&
    hosts.some((h) => h.address === address && h.applicationSecurityGroups?.includes(web))) ||
  side.prefixes.some((text) => {
    if (text === '*') return true;
    if (text === 'VirtualNetwork') return isVirtualNetwork(address);
    if (text === 'Internet') return !isVirtualNetwork(address) && !address.startsWith('10.');
    if (text === 'Storage') return inside(address, services);
    return text.includes('/') && inside(address, text);
  });

const holdsPort = (ports: readonly string[], port: number): boolean =>
  ports.some((text) => {
    const [first, last = first] = text.split('-').map(Number);
    return text === '*' || (port >= first! && port <= last!);
  });

function allows(rules: readonly SecurityRule[], direction: RuleDirection, probe: Probe): boolean {
  let best: SecurityRule | undefined;
  for (const rule of rules) {
    if (rule.direction !== direction || (best && best.priority < rule.priority)) continue;
    if (rule.protocol !== '*' && rule.protocol.toLowerCase() !== probe.protocol) continue;
    if (!holds(rule.source, probe.from) || !holds(rule.destination, probe.to)) continue;
    const ports =
      holdsPort(rule.sourcePorts, probe.sourcePort) && holdsPort(rule.destinationPorts, probe.port);
    if (probe.protocol !== 'icmp' && !ports) continue;
    best = rule;
  }
  if (best) return best.access === 'Allow';
  const within = isVirtualNetwork(probe.from) && isVirtualNetwork(probe.to);
  return within || (direction === 'Outbound' && !isVirtualNetwork(probe.to));
}

function passes({ subnet, nic }: Rules, probe: Probe): boolean {
  const groups = (address: string) => [
    ...(inside(address, '10.0.1.0/24') ? [subnet] : []),
    ...(address === '10.0.1.4' ? [nic] : []),
  ];
  return (
    groups(probe.from).every((rules) => allows(rules, 'Outbound', probe)) &&
    groups(probe.to).every((rules) => allows(rules, 'Inbound', probe))
  );
}

// ---- random rules and packets

const address = fc.constantFrom(...hosts.map((h) => h.address));
const target = fc.constantFrom(...hosts.map((h) => h.address), ...nowhereElse);
const sideOf: fc.Arbitrary<RuleSide> = fc.oneof(
  fc
    .constantFrom('*', 'VirtualNetwork', 'Internet', 'Storage', '10.0.0.0/16', '10.0.1.0/24', '10.1.0.0/16')
    .map(only),
  fc
    .uniqueArray(
      target.map((one) => `${one}/32`),
      { minLength: 1, maxLength: 3 },
    )
    .map((prefixes) => ({ prefixes, groups: [] })),
  fc.constant({ prefixes: [], groups: [web] }),
  fc.constant({ prefixes: ['Internet', '10.0.2.0/24', '10.0.0.0/16'], groups: [] }),
);
function only(prefix: string): RuleSide {
  return { prefixes: [prefix], groups: [] };
}
const portsOf = (low: number): fc.Arbitrary<readonly string[]> =>
  fc.oneof(
    { weight: 2, arbitrary: fc.constant(['*']) },
    {
      weight: 1,
      arbitrary: fc.array(
        fc
          .tuple(fc.integer({ min: low, max: low + 70 }), fc.integer({ min: 0, max: 40 }))
          .map(([first, more]) => (more < 5 ? `${first}` : `${first}-${first + more}`)),
        { minLength: 1, maxLength: 3 },
      ),
    },
  );
const ruleOf = fc.record({
  direction: fc.constantFrom<RuleDirection>('Inbound', 'Outbound'),
  access: fc.constantFrom<SecurityRule['access']>('Allow', 'Deny'),
  protocol: fc.constantFrom<SecurityRule['protocol']>('Tcp', 'Udp', 'Icmp', '*'),
  source: sideOf,
  sourcePorts: portsOf(40_000),
  destination: sideOf,
  destinationPorts: portsOf(1000),
});
const group = fc.array(ruleOf, { minLength: 1, maxLength: 8 }).chain((rules) =>
  fc
    .shuffledSubarray(
      rules.map((_, index) => 100 + index),
      { minLength: rules.length, maxLength: rules.length },
    )
    .map((priorities) =>
      rules.map((rule, index): SecurityRule => ({
        name: `rule-${index}`,
        priority: priorities[index]!,
        ...rule,
      })),
    ),
);
const world = fc.record({
  subnet: group,
  nic: group,
  probes: fc
    .array(fc.tuple(address, target, fc.constantFrom<Probe['protocol']>('tcp', 'udp', 'icmp')), {
      minLength: 30,
      maxLength: 30,
    })
    .map((list) =>
      list
        .map(([from, to, protocol], index): Probe => ({
          from,
          to,
          protocol,
          sourcePort: 40_000 + 2 * index,
          port: 1000 + 3 * index,
        }))
        .filter(({ from, to }) => from !== to && !(from.startsWith('10.1.') && nowhereElse.includes(to))),
    ),
});

if (!insideYard)
  test('security groups, with real packets', { timeout: 300_000 }, () => runInYard(import.meta.url));
else
  describe('security groups, with real packets', () => {
    const yard = new Yard();
    before(async () => {
      await yard.tell(intent({ subnet: [], nic: [] }));
      for (const { id } of hosts) await yard.watch(id);
    });
    after(() => yard.close());

    it('pass what the rules say, and nothing else', async () => {
      let echoes = 0;
      let sent = 0;
      let passed = 0;
      await fc.assert(
        fc.asyncProperty(world, async ({ subnet, nic, probes: drawn }) => {
          // An echo's identifier is used once: a translation that still stands would give it another.
          const probes = drawn.map((probe) =>
            probe.protocol === 'icmp' ? { ...probe, port: 10_000 + echoes++ } : probe,
          );
          await yard.tell(intent({ subnet, nic }));
          await yard.forgetAll();
          for (const network of ['a', 'b']) await yard.send(network, probes);
          const expected = probes.filter((probe) => passes({ subnet, nic }, probe)).map(arrivedAs);
          await until(
            'what shall pass',
            async () => {
              const seen = await yard.arrivals();
              return expected.every((one) => seen.has(one)) ? true : undefined;
            },
            { timeoutMs: 2000, everyMs: 20 },
          ).catch(() => undefined);
          assert.deepEqual([...(await yard.arrivals())].sort(), [...expected].sort());
          sent += probes.length;
          passed += expected.length;
        }),
        { numRuns: 20, endOnFailure: true },
      );
      assert.ok(sent > 300 && passed > 30 && passed < sent - 30, `${passed} of ${sent} passed`);
    });
  });
