import type { KindContext } from '../../arm/kind.ts';
import { isIPv4 } from 'node:net';
import { reach, type Place, type Reached, type Walls } from '../../network/reachability.ts';
import type { Json, JsonObject } from '../../store/resource.ts';
import type { Fields } from '../fields.ts';
import { machineOf, placeOf, readBody, readPort } from './target.ts';
import { ruleOf } from './questions.ts';

/** Whether a machine reaches an address or another machine, and which wall stops it if not. No probe is sent. */
export function connectivityCheck(json: Json | undefined, context: KindContext): JsonObject {
  const body = readBody(json);
  const source = body.object('source') ?? body.fail('source', 'is missing: the machine that asks.');
  const id = source.text('resourceId') || source.fail('resourceId', 'is missing: the ARM id of a machine.');
  const { walls, place } = placeOf(context, machineOf(context, 'source.resourceId', id));
  const destination =
    body.object('destination') ?? body.fail('destination', 'is missing: an address or a machine.');
  const protocol = body.choice('protocol', ['Tcp', 'Udp', 'Icmp']) ?? 'Tcp';
  const flow = {
    protocol,
    source: { address: place.address, port: readPort(source, 'port', true) },
    destination: {
      address: addressOf(context, destination),
      port: readPort(destination, 'port', protocol === 'Icmp'),
    },
  };
  const reached = reach(walls, place, flow);
  return {
    hops: hopsOf(walls, place, flow.destination.address, reached),
    connectionStatus: reached.reached ? 'Reachable' : 'Unreachable',
    probesSent: 0,
    probesFailed: 0,
  };
}

function addressOf(context: KindContext, destination: Fields): string {
  const id = destination.text('resourceId');
  if (id) return placeOf(context, machineOf(context, 'destination.resourceId', id)).place.address;
  const address =
    destination.text('address') ||
    destination.fail('address', 'is missing: an IPv4 address, or the resourceId of a machine.');
  return isIPv4(address)
    ? address
    : destination.fail(
        'address',
        `'${address}' is no IPv4 address; machines have no resolver, so names can't be asked about.`,
      );
}

function hopsOf(walls: Walls, from: Place, address: string, reached: Reached): readonly JsonObject[] {
  // An appliance that a route leads to instead is no destination.
  const diverted = !reached.reached && reached.why === 'route';
  const to = diverted ? undefined : walls.places.find(({ id }) => id === reached.at);
  const issue = reached.reached ? undefined : issueOf(reached);
  const atSource = !reached.reached && !['group in', 'platform in', 'link'].includes(reached.why);
  return [
    {
      type: 'Source',
      id: 'source',
      address: from.address,
      nextHopIds: atSource ? [] : ['destination'],
      issues: issue && atSource ? [issue] : [],
    },
    {
      type: to ? 'VirtualMachine' : reached.at === 'Internet' ? 'Internet' : 'Destination',
      id: 'destination',
      address,
      nextHopIds: [],
      issues: issue && !atSource ? [issue] : [],
    },
  ];
}

const types = {
  'group out': 'NetworkSecurityRule',
  'group in': 'NetworkSecurityRule',
  'platform out': 'Platform',
  'platform in': 'Platform',
  route: 'UserDefinedRoute',
  nobody: 'Unknown',
  link: 'Platform',
} as const;

const words = {
  'group out': 'A security rule at the source denies it.',
  'group in': 'A security rule at the destination denies it.',
  'platform out': "The source's platform policy doesn't name it.",
  'platform in': "The destination's platform policy doesn't name it.",
  route: 'The route to it leads nowhere that delivers.',
  nobody: 'Nobody has this address.',
  link: 'A private endpoint takes one UDP port, while its connection is Approved.',
} as const;

function issueOf(reached: Extract<Reached, { reached: false }>): JsonObject {
  return {
    origin: reached.why.endsWith('in') ? 'Inbound' : reached.why.endsWith('out') ? 'Outbound' : 'Local',
    severity: 'Error',
    type: types[reached.why],
    context: [
      { key: 'reason', value: words[reached.why] },
      ...(reached.verdict ? [{ key: 'RuleName', value: ruleOf(reached.verdict) }] : []),
      ...(reached.why === 'route' ? [{ key: 'RouteName', value: reached.route.name ?? 'System Route' }] : []),
    ],
  };
}
