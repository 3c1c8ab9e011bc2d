/** What the operator tells control: a pure function of what it holds and of what the last pass found. */
import type { JoinFile, NodeReport } from '../exchange/intents/node.ts';
import type {
  MetricsReport,
  OperatorIntent,
  OperatorNodeReport,
  OperatorReport,
} from '../exchange/intents/operator.ts';
import { ports } from '../network/ports.ts';
import type { DataCenterReport } from './ladder.ts';
import { oneTimeAddress, tunnelAddress } from './members.ts';
import { commandReports } from './commands.ts';
import { membershipOf, phaseOf, reached, silentAfterMs, type Heard } from './ring-view.ts';
import type { Refusal } from './refusals.ts';
import type { OperatorState } from './state.ts';

/** So many names of a data centre are enough to say why it can't go. */
const mostKeyspaces = 100;

export interface Found {
  readonly intent: OperatorIntent | undefined;
  readonly state: OperatorState;
  readonly authorities: OperatorReport['authorities'];
  /** SHA-256 of the exchange authority, hex. */
  readonly authorityFingerprint: string;
  readonly listening: boolean;
  readonly heard: ReadonlyMap<string, Heard>;
  readonly dataCenters: readonly DataCenterReport[];
  readonly refusals: readonly Refusal[];
  readonly metrics: MetricsReport | undefined;
  readonly now: number;
}

export function operatorReport(found: Found): OperatorReport {
  const { intent, state } = found;
  return {
    wireguard: { publicKey: state.wireguard.publicKey, listening: found.listening },
    authorities: found.authorities,
    dataCenters: found.dataCenters.map((item) => {
      const ring = state.rings[item.name];
      const keyspaces = keyspacesIn(found, item.name, ring !== undefined && reached(ring, 'starting'));
      return keyspaces ? { ...item, keyspaces: [...keyspaces] } : item;
    }),
    nodes: (intent?.dataCenters ?? []).flatMap((dataCenter) =>
      dataCenter.nodes.flatMap((node) => nodeReport(found, dataCenter.endpoint, node.name) ?? []),
    ),
    refusals: [...found.refusals],
    ...(found.metrics && { metrics: found.metrics }),
    ...(intent?.commands && { commands: commandReports(intent, found.heard) }),
  };
}

function nodeReport(
  found: Found,
  endpoint: JoinFile['endpoint'],
  name: string,
): OperatorNodeReport | undefined {
  const member = found.state.members[name];
  if (!member) return undefined;
  const heard = found.heard.get(name);
  return {
    name,
    address: member.address,
    dataCenter: member.dataCenter,
    phase: phaseOf(member, heard, found.now),
    membership: membershipOf(found.state, member.dataCenter, name),
    lastSeen: heard ? new Date(heard.at).toISOString() : null,
    // The one-time private key goes up only while it is of use: a node that was granted its certificates has it already.
    join: member.oneTime && !member.grant ? joinFile(found, endpoint, name, member.oneTime.privateKey) : null,
    // Commands and keyspaces go up once, in their own place.
    report: heard ? bare(heard.report) : null,
  };
}

function bare(report: NodeReport): NodeReport {
  const { commands: _, keyspaces: __, ...rest } = report;
  return rest;
}

/**
 * By what any node that reports now says, in whatever data centre: one whose nodes are gone can still be let go of. What goes to
 * whatever node comes next is in a data centre only once it has been `started`.
 */
export function keyspacesIn(
  { heard, now }: Pick<Found, 'heard' | 'now'>,
  dataCenter: string,
  started: boolean,
): readonly string[] | undefined {
  const said = [...heard.values()].flatMap(({ at, report }) =>
    report.keyspaces && now - at <= silentAfterMs ? [report.keyspaces] : [],
  );
  if (said.length === 0) return undefined;
  const names = said.flatMap((one) => [...(one[dataCenter] ?? []), ...((started && one['*']) || [])]);
  return [...new Set(names)].toSorted().slice(0, mostKeyspaces);
}

function joinFile(found: Found, endpoint: JoinFile['endpoint'], name: string, privateKey: string): JoinFile {
  const { identity, ulaPrefix } = found.intent!.cluster;
  return {
    version: 1,
    cluster: identity,
    node: name,
    endpoint,
    operator: {
      publicKey: found.state.wireguard.publicKey,
      address: tunnelAddress(ulaPrefix),
      enrolmentPort: ports.enrolment,
      authorityFingerprint: found.authorityFingerprint,
    },
    oneTime: { privateKey, address: oneTimeAddress(ulaPrefix, found.state.numbers[name]!) },
  };
}

/** What is worth telling at once. Figures that change all the time wait for the next beat. */
export function headline(report: OperatorReport): string {
  return JSON.stringify([
    report.wireguard,
    report.dataCenters,
    report.refusals,
    report.metrics && [report.metrics.account, report.metrics.waitingFor, report.metrics.silent],
    Object.entries(report.commands ?? {}).map(([id, { state }]) => [id, state]),
    report.nodes.map(({ name, phase, membership, join, report: node }) => [
      ...[name, phase, membership, join === null, node?.door.state, node?.door.error, node?.tunnel.mtu],
      ...[
        node?.cassandra.process,
        node?.cassandra.error,
        node?.cassandra.mode,
        node?.cassandra.nativeTransport,
      ],
      ...[node?.cassandra.live, node?.cassandra.unreachable, node?.cassandra.starts, node?.work],
      node?.services?.logs?.waitingFor,
    ]),
  ]);
}
