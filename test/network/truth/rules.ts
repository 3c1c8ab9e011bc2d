/** Walls and routes as they are drawn: what one group, list or table may say. */
import fc from 'fast-check';
import type { AllowRule, FabricIntent } from '../../../src/exchange/intents/fabric.ts';
import { door, machines, outside, senders, tags } from './ground.ts';

type Group = NonNullable<FabricIntent['securityGroups']>[number];
type Rule = Group['rules'][number];
type Route = NonNullable<FabricIntent['networks'][number]['subnets'][number]['routes']>[number];

// ---- ports: rules and packets draw from one small pool, so that they meet at the edges of ranges

export type Ports = readonly number[];
export const pool: fc.Arbitrary<Ports> = fc
  .uniqueArray(fc.integer({ min: 1000, max: 65_000 }), { minLength: 4, maxLength: 4 })
  .map((some) => [...some, 22, 9042, door.port]);
export const near = (ports: Ports) =>
  fc.tuple(fc.constantFrom(...ports), fc.constantFrom(-1, 0, 0, 1)).map(([port, by]) => port + by);
const rangesOf = (ports: Ports): fc.Arbitrary<string[]> =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constant<string[]>(['*']) },
    { weight: 1, arbitrary: fc.constant<string[]>(['0-65535']) },
    {
      weight: 4,
      arbitrary: fc.array(
        fc
          .tuple(fc.constantFrom(...ports), fc.constantFrom(...ports), fc.boolean())
          .map(([a, b, single]) => (single ? `${a}` : `${Math.min(a, b)}-${Math.max(a, b)}`)),
        { minLength: 1, maxLength: 3 },
      ),
    },
  );

// ---- rules

export const asgs = ['asg-web', 'asg-data'];
const side: fc.Arbitrary<Rule['source']> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .subarray(
        [
          ...['*', 'VirtualNetwork', 'Internet', 'AzureLoadBalancer', ...Object.keys(tags)],
          ...['10.1.0.0/16', '10.1.1.0/24', '10.1.1.4/31', '10.2.0.0/16', '192.168.0.0/16', '203.0.113.0/24'],
          '10.0.0.0/8',
          '0.0.0.0/1',
        ],
        { minLength: 1, maxLength: 3 },
      )
      .map((prefixes) => ({ prefixes, groups: [] })),
  },
  {
    weight: 3,
    arbitrary: fc
      .subarray(
        [...machines.map(({ address }) => address), door.address, ...outside].map((one) => `${one}/32`),
        { minLength: 1, maxLength: 4 },
      )
      .map((prefixes) => ({ prefixes, groups: [] })),
  },
  {
    weight: 2,
    arbitrary: fc.subarray(asgs, { minLength: 1 }).map((groups) => ({ prefixes: [], groups })),
  },
);
const ruleOf = (ports: Ports): fc.Arbitrary<Omit<Rule, 'name' | 'priority'>> =>
  fc.record({
    direction: fc.constantFrom('Inbound', 'Outbound'),
    access: fc.constantFrom('Allow', 'Allow', 'Deny'),
    protocol: fc.constantFrom('Tcp', 'Udp', 'Icmp', 'Esp', '*', '*', '*'),
    source: side,
    sourcePorts: fc.oneof(
      { weight: 3, arbitrary: fc.constant<string[]>(['*']) },
      { weight: 1, arbitrary: rangesOf(ports) },
    ),
    destination: side,
    destinationPorts: rangesOf(ports),
  });
export const groupIds = ['g1', 'g2', 'g3'];
export const groupOf = (id: string, ports: Ports): fc.Arbitrary<Group> =>
  fc.array(ruleOf(ports), { maxLength: 9 }).chain((rules) =>
    fc
      .uniqueArray(fc.integer({ min: 100, max: 4096 }), {
        minLength: rules.length,
        maxLength: rules.length,
      })
      .map((priorities) => ({
        id,
        rules: rules.map((rule, at) => ({ name: `${id}-${at}`, priority: priorities[at]!, ...rule })),
      })),
  );

// ---- the platform's written list of the one node

export const allowOf = (ports: Ports): fc.Arbitrary<AllowRule[]> =>
  fc.array(
    fc.record({
      direction: fc.constantFrom('in', 'out'),
      protocol: fc.constantFrom('tcp', 'udp'),
      remote: fc.subarray(
        ['10.1.0.0/16', '10.1.1.4/32', '10.2.0.0/16', '10.1.1.10/32', '192.168.7.4/32', '203.0.113.0/24'],
        {
          minLength: 1,
        },
      ),
      port: fc.constantFrom(...ports),
      reason: fc.constant('drawn'),
    }),
    { minLength: 1, maxLength: 6 },
  );

// ---- routes

export const routes: fc.Arbitrary<Route[]> = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Route[]>([]) },
  {
    weight: 2,
    arbitrary: fc.uniqueArray(
      fc
        .record({
          prefix: fc.constantFrom(
            ...['0.0.0.0/0', '0.0.0.0/0', '10.0.0.0/8', '10.1.0.0/16', '10.1.2.0/24', '10.1.2.8/32'],
            ...['10.2.0.0/16', '10.2.1.4/32', '192.168.0.0/16', '192.168.7.0/24', '10.1.1.10/32'],
            ...['203.0.113.0/24', '203.0.113.9/32', '10.3.0.0/16', '10.1.1.0/25', '224.0.0.0/3'],
          ),
          nextHopType: fc.constantFrom<Route['nextHopType'][]>(
            ...(['VirtualAppliance', 'VirtualAppliance', 'None', 'Internet', 'VnetLocal'] as const),
            'VirtualNetworkGateway',
          ),
          to: fc.constantFrom(...senders.map(({ address }) => address), '10.1.9.9'),
        })
        .map(({ prefix, nextHopType, to }) => ({
          name: `to-${prefix}`,
          prefix,
          nextHopType,
          nextHopAddress: nextHopType === 'VirtualAppliance' ? to : null,
        })),
      { minLength: 1, maxLength: 4, selector: ({ prefix }) => prefix },
    ),
  },
);
