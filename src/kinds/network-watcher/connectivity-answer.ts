/** ARM's ConnectivityInformation, of what the model says and what a packet did. Pure. */
import type { Flow, Place, Reached, Walls } from '../../network/reachability.ts';
import type { JsonObject } from '../../store/resource.ts';
import type { Probed } from '../probes.ts';
import { ruleOf } from './questions.ts';

export interface Asking {
  readonly walls: Walls;
  readonly from: Place;
  readonly flow: Flow;
  readonly reached: Reached;
  /** Whether a group's rules may be named before whoever asks. */
  readonly shows: (group: string) => boolean;
}

type Sent = Extract<Probed, { packet: unknown }>;

/** The packet did other than the walls as they are asked for would have it. */
export const isFinding = (probed: Probed): probed is Sent =>
  'packet' in probed && (probed.packet.outcome === 'opened' || probed.packet.outcome === 'shut');

/**
 * Reachable and Unreachable are what the model says, where no packet speaks against it; else the status is Unknown. An issue
 * of severity Warning says that no packet speaks for it. Latencies aren't measured.
 */
export function describe(asking: Asking, probed: Probed): JsonObject {
  const { reached } = asking;
  const said = reached.reached ? 'Reachable' : 'Unreachable';
  return {
    hops: hopsOf(asking, probed),
    connectionStatus: isFinding(probed) ? 'Unknown' : said,
    ...counts(probed),
  };
}

/** Where silence proves nothing, nobody knows how many failed. */
function counts(probed: Probed): JsonObject {
  if ('unsent' in probed || !probed.packet.packets) return { probesSent: 0, probesFailed: 0 };
  const { tried, arrived } = probed.packet.packets;
  return { probesSent: tried, ...(probed.packet.blind === null && { probesFailed: tried - arrived }) };
}

function hopsOf(asking: Asking, probed: Probed): readonly JsonObject[] {
  const { walls, from, flow, reached } = asking;
  // An appliance that a route leads to instead is no destination.
  const diverted = !reached.reached && reached.why === 'route';
  const to = diverted ? undefined : walls.places.find(({ id }) => id === reached.at);
  const atSource = !reached.reached && !['group in', 'platform in', 'link'].includes(reached.why);
  const ofModel = reached.reached ? [] : [issueOf(reached, asking.shows, probed)];
  const ofPacket = packetIssues(probed);
  return [
    {
      type: 'Source',
      id: 'source',
      address: from.address,
      nextHopIds: atSource ? [] : ['destination'],
      issues: [...(atSource ? ofModel : []), ...ofPacket.source],
    },
    {
      type: to ? 'VirtualMachine' : reached.at === 'Internet' ? 'Internet' : 'Destination',
      id: 'destination',
      address: flow.destination.address,
      nextHopIds: [],
      issues: [...(atSource ? [] : ofModel), ...ofPacket.destination],
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

function issueOf(
  reached: Extract<Reached, { reached: false }>,
  shows: Asking['shows'],
  probed: Probed,
): JsonObject {
  const { verdict } = reached;
  const hidden = verdict?.by === 'group' && verdict.group !== null && !shows(verdict.group);
  const agrees = 'packet' in probed && probed.packet.outcome === 'agrees';
  return {
    origin: reached.why.endsWith('in') ? 'Inbound' : reached.why.endsWith('out') ? 'Outbound' : 'Local',
    severity: 'Error',
    type: types[reached.why],
    context: [
      { key: 'reason', value: words[reached.why] },
      ...(verdict && !hidden ? [{ key: 'RuleName', value: ruleOf(verdict) }] : []),
      ...(reached.why === 'route' ? [{ key: 'RouteName', value: reached.route.name ?? 'System Route' }] : []),
      ...(agrees ? [{ key: 'packet', value: sentence(probed.packet.text) }] : []),
    ],
  };
}

interface PacketIssues {
  readonly source: readonly JsonObject[];
  readonly destination: readonly JsonObject[];
}

/** What the packet adds to the model: that it did otherwise, or that there was none to tell. */
function packetIssues(probed: Probed): PacketIssues {
  if ('unsent' in probed) {
    const { code, message } = probed.unsent;
    return warning(code === 'MachineStopped' ? 'AgentStopped' : 'Unknown', message);
  }
  const { outcome, text, left } = probed.packet;
  switch (outcome) {
    case 'agrees':
      return { source: [], destination: [] };
    case 'unproved':
      return warning('Unknown', text);
    case 'opened':
      return {
        source: [],
        destination: [
          issue('Inbound', 'Error', 'Unknown', `A wall is open that should not be: ${sentence(text)}`),
        ],
      };
    case 'shut': {
      const reason = `Something stops it that the walls don't know: ${sentence(text)}`;
      return left
        ? { source: [], destination: [issue('Inbound', 'Error', 'Unknown', reason)] }
        : { source: [issue('Outbound', 'Error', 'GuestFirewall', reason)], destination: [] };
    }
  }
}

const warning = (type: string, text: string): PacketIssues => ({
  source: [
    issue(
      'Local',
      'Warning',
      type,
      `No packet confirms it, for ${sentence(text)} So this is what the walls as they are asked for would do.`,
    ),
  ],
  destination: [],
});

const issue = (origin: string, severity: string, type: string, reason: string): JsonObject => ({
  origin,
  severity,
  type,
  context: [{ key: 'reason', value: reason }],
});

const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);
