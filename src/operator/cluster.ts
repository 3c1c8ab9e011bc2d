/**
 * The operator's reconciler: one pass makes members, door, tunnel, listeners and nodes' intents those of control's intent,
 * and finds what there is to report. What a pass can't do is named, and the rest is done all the same.
 */
import type { NodeIntent, NodeReport } from '../exchange/intents/node.ts';
import type { OperatorIntent, OperatorReport } from '../exchange/intents/operator.ts';
import type { Revised } from '../exchange/revision.ts';
import type { Clock } from '../lib/clock.ts';
import { faultOf } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import type { OperatorDoor } from '../network/operator-door.ts';
import { overlayOf } from '../network/operator-door.ts';
import type { Failure, Reconciler } from '../reconcile/reconciler.ts';
import { ports } from '../network/ports.ts';
import type { Authorities } from './authorities.ts';
import { climb, type Climb } from './ladder.ts';
import { createLeavers, withoutTheirKeys } from './leavers.ts';
import { memberAt, peersOf, seenWithOwnKey, settleMembers, settleRings, tunnelAddress } from './members.ts';
import type { Admitted } from './node-exchange.ts';
import type { Metrics } from './metrics/metrics.ts';
import { metricsShall, type MetricsShall } from './metrics/shall.ts';
import { operatorReport } from './report.ts';
import { ringIntent, type Heard, type RingView } from './ring-view.ts';
import type { Refusals } from './refusals.ts';
import type { Relay } from './relay.ts';
import type { Book, OperatorState, WireguardKeys } from './state.ts';
import type { TokenMaker } from './token-maker.ts';
import type { Tunnel, TunnelShape } from './tunnel.ts';

export interface ClusterOptions {
  readonly book: Book;
  readonly authorities: Authorities;
  readonly authorityFingerprint: string;
  /** Control's intent as it is on disk. */
  readonly intent: () => Revised<OperatorIntent> | undefined;
  /** Puts what control sent last on disk, and in force. */
  readonly takeIntent: () => Promise<void>;
  readonly makeKeys: () => WireguardKeys;
  readonly door: { ensure(overlay: OperatorDoor['overlay'], gate?: OperatorDoor['gate']): Promise<void> };
  readonly tunnel: Tunnel;
  readonly listeners: { ensure(address: string): Promise<void>; wake(node: string): void };
  readonly relay: Relay;
  readonly tokens: TokenMaker;
  readonly refusals: Refusals;
  readonly metrics: Pick<Metrics, 'report'>;
  readonly wake: (reason: string) => void;
  readonly clock: Clock;
  readonly log: Log;
}

export interface ClusterStatus {
  /** The revision that this pass made so; null before there is an intent. */
  readonly applied: string | null;
  readonly report: OperatorReport;
  readonly failed: readonly Failure[];
}

/** How old what is known of the tunnel may be where nothing has changed. */
const calmMs = 5_000;

export interface Cluster {
  readonly reconciler: Reconciler<ClusterStatus>;
  intentFor(node: string): Revised<NodeIntent> | undefined;
  onReport(node: string, report: NodeReport, applied: string | null): void;
  admitted(node: string): Admitted | undefined;
  /** The enrolled node of the intent whose tunnel address this is; one that leaves is none. */
  nodeAt(source: string): string | undefined;
  /** As of now; undefined: the nodes' metrics go nowhere. */
  metricsShall(): MetricsShall | undefined;
  /** The tunnel's peers, as of now. */
  applyPeers(): Promise<void>;
}

export function createCluster(options: ClusterOptions): Cluster {
  const { book, clock, authorities, tunnel } = options;
  const since = clock.now();
  const leavers = createLeavers();
  /** What was said in the log already: a pass every two seconds is not a line every two seconds. */
  const complaints = new Map<string, string>();
  const heard = new Map<string, Heard>();
  let knocked: ReadonlySet<string> = new Set();
  let published: Climb['intents'] = new Map();

  const shape = (): TunnelShape | undefined => {
    const ulaPrefix = options.intent()?.document.cluster.ulaPrefix;
    return ulaPrefix === undefined
      ? undefined
      : { ulaPrefix, peers: [...peersOf(book.read(), ulaPrefix), ...leavers.peers(ulaPrefix)] };
  };
  const applyPeers = (): Promise<void> => tunnel.apply(shape, calmMs);

  const view = (intent: OperatorIntent, state: OperatorState): RingView => ({
    ...{ intent, state, heard, knocked, since, now: clock.now() },
    authorities: { internode: authorities.internode.certificate, client: authorities.client.certificate },
  });

  /** Members and rings of the intent; a machine that was replaced isn't the one that was heard. */
  async function settle(intent: OperatorIntent): Promise<void> {
    const before = book.read();
    const hasHeard = (name: string): boolean => heard.get(name)?.report.door.state === 'retired';
    const after = await book.write((state) =>
      withoutTheirKeys(
        settleRings(settleMembers(state, intent, options.makeKeys), intent),
        hasHeard,
        clock.now(),
      ),
    );
    const left = leavers.note(before, after, (name) => published.get(name), clock.now());
    leavers.expire(clock.now());
    for (const name of left) options.listeners.wake(name);
    for (const name of heard.keys()) if (!after.members[name]?.grant) heard.delete(name);
  }

  /** What the handshakes tell: a one-time key that came to the door, an own key that is in use. */
  async function lookAtHandshakes(): Promise<boolean> {
    const awaited = Object.values(book.read().members).some((member) => member.oneTime !== null);
    const state = await tunnel.read(awaited ? 0 : calmMs);
    const shaken = new Set(
      (state?.peers ?? []).filter((peer) => peer.latestHandshake !== null).map((peer) => peer.publicKey),
    );
    const before = book.read();
    const waiting = Object.values(before.members).filter((member) => member.oneTime !== null);
    knocked = new Set(
      waiting.filter((member) => shaken.has(member.oneTime!.publicKey)).map((member) => member.name),
    );
    const after = await book.write((now) => [...shaken].reduce(seenWithOwnKey, now));
    if (after !== before) await applyPeers();
    return state !== undefined && state.listenPort === ports.wireguard;
  }

  async function climbOn(intent: OperatorIntent): Promise<Climb> {
    let climbed: Climb | undefined;
    // Judged inside the write: whatever was written before, the ladder has seen it. On disk before any node hears of it.
    await book.write((state) => {
      climbed = climb(view(intent, state));
      return JSON.stringify(climbed.rings) === JSON.stringify(state.rings)
        ? state
        : { ...state, rings: climbed.rings };
    });
    const before = published;
    published = climbed!.intents;
    for (const [name, { revision }] of published) {
      if (before.get(name)?.revision !== revision) options.listeners.wake(name);
    }
    return climbed!;
  }

  async function pass(): Promise<ClusterStatus> {
    const failed: Failure[] = [];
    const attempt = async <T>(item: string, work: () => Promise<T>): Promise<T | undefined> => {
      try {
        const value = await work();
        if (complaints.delete(item)) options.log.info('a part that failed is well again', { item });
        return value;
      } catch (error) {
        const fault = faultOf(error);
        failed.push({ item, error: fault });
        if (complaints.get(item) !== fault.message)
          options.log.error('a part of the pass failed', { item, error });
        complaints.set(item, fault.message);
        return undefined;
      }
    };
    await attempt('intent', options.takeIntent);
    const revised = options.intent();
    const intent = revised?.document;
    await attempt('door', () =>
      options.door.ensure(intent && overlayOf(intent.cluster.ulaPrefix), intent?.gate),
    );
    let climbed: Climb | undefined;
    let listening = false;
    if (intent) {
      await attempt('members', () => settle(intent));
      await attempt('tunnel', applyPeers);
      await attempt('relay', () => options.relay.ensure(wayToGate(intent)));
      listening = (await attempt('handshakes', lookAtHandshakes)) ?? false;
      const noTokens = options.tokens.ensure(ringIntent(intent, book.read()), book.read());
      if (noTokens) failed.push({ item: 'tokens', error: noTokens });
      climbed = await attempt('ladder', () => climbOn(intent));
      await attempt('listeners', () => options.listeners.ensure(tunnelAddress(intent.cluster.ulaPrefix)));
    }
    const report = operatorReport({
      ...{ intent, heard, listening, state: book.read(), now: clock.now() },
      authorities: {
        internode: authorities.internode.certificate,
        client: authorities.client.certificate,
        exchange: authorities.exchange.certificate,
      },
      authorityFingerprint: options.authorityFingerprint,
      dataCenters: withFailures(climbed?.reports ?? [], failed),
      refusals: options.refusals.latest(),
      metrics: options.metrics.report(),
    });
    return { applied: revised?.revision ?? null, report, failed };
  }

  return {
    reconciler: { name: 'cluster', periodMs: 2_000, reconcile: pass },
    applyPeers,
    // What was published last still names a node that has just left: it must not hear that after its last word.
    intentFor: (node) =>
      leavers.get(node)?.intent ?? (book.read().members[node] ? published.get(node) : undefined),
    admitted(node) {
      const member = leavers.get(node)?.member ?? book.read().members[node];
      if (!member?.grant) return undefined;
      const prefix = options.intent()?.document.cluster.ulaPrefix;
      return {
        exchangeFingerprint: member.grant.exchangeFingerprint,
        speaksFrom: (source) => prefix !== undefined && speaker(source, prefix) === node,
      };
    },
    nodeAt(source) {
      const prefix = options.intent()?.document.cluster.ulaPrefix;
      const member = prefix === undefined ? undefined : memberAt(book.read(), prefix, source, 'lasting');
      return member?.grant ? member.name : undefined;
    },
    metricsShall() {
      const intent = options.intent()?.document;
      return intent && metricsShall(intent, published, book.read(), ports.metrics);
    },
    onReport(node, report, applied) {
      const leaver = leavers.get(node);
      if (leaver) {
        if (report.door.state === 'retired') leavers.drop(node);
      } else {
        heard.set(node, { report, applied, at: clock.now() });
        const member = book.read().members[node];
        if (member?.oneTime && member.grant) {
          const { publicKey } = member.grant;
          void book.write((state) => seenWithOwnKey(state, publicKey)).catch(() => undefined);
        }
      }
      options.wake('report');
    },
  };

  function speaker(source: string, prefix: string): string | undefined {
    const leaver = leavers.names().map((name) => leavers.get(name)!);
    const state = book.read();
    const members = {
      ...state.members,
      ...Object.fromEntries(leaver.map(({ member }) => [member.name, member])),
    };
    return memberAt({ ...state, members }, prefix, source, 'lasting')?.name;
  }
}

const wayToGate = ({ cluster, gate }: OperatorIntent) =>
  gate && { listen: { address: tunnelAddress(cluster.ulaPrefix), port: ports.services }, gate };

/** A part of the operator that fails is a fault of each data centre that isn't ready, unless it has one of its own. */
function withFailures(reports: Climb['reports'], failed: readonly Failure[]): Climb['reports'] {
  const [first] = failed;
  if (!first) return reports;
  const error = { code: first.error.code, message: `The operator's ${first.item}: ${first.error.message}` };
  return reports.map((report) => (report.phase === 'ready' || report.error ? report : { ...report, error }));
}
