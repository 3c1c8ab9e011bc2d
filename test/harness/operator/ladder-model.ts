/** A model of nodes for the ladder's tests: it obeys intents as an agent does, in whatever order it is driven. */
import assert from 'node:assert/strict';
import type { NodeIntent, NodeReport } from '../../../src/exchange/intents/node.ts';
import type { OperatorIntent, OperatorNode } from '../../../src/exchange/intents/operator.ts';
import type { Revised } from '../../../src/exchange/revision.ts';
import { climb, type Climb } from '../../../src/operator/ladder.ts';
import { granted, seenWithOwnKey, settleMembers, settleRings } from '../../../src/operator/members.ts';
import type { Heard, RingView } from '../../../src/operator/ring-view.ts';
import { newState, type OperatorState } from '../../../src/operator/state.ts';
import { testKeys } from './shapes.ts';
import { tokensKey } from '../../../src/operator/tokens.ts';

export interface ModelNode {
  readonly name: string;
  readonly address: string;
  intent: Revised<NodeIntent> | undefined;
  applied: string | null;
  door: NodeReport['door']['state'];
  running: boolean;
  mode: string | null;
  native: boolean;
  readonly ledger: Record<
    string,
    { state: 'running' | 'done' | 'failed'; error: { code: string; message: string } | null }
  >;
  /** Its last check ran against roles that were in force. */
  checked: boolean;
  /** It is in the ring: the others remember it, also while it is down. */
  member: boolean;
}

const newNode = ({ name, address }: Pick<ModelNode, 'name' | 'address'>): ModelNode => ({
  ...{ name, address, intent: undefined, applied: null, door: 'born' as const, running: false },
  ...{ mode: null, native: false, ledger: {}, checked: false, member: false },
});

export class Model {
  intent: OperatorIntent;
  state: OperatorState;
  now = 1_000_000;
  since = 1_000_000;
  heard = new Map<string, Heard>();
  knocked = new Set<string>();
  nodes: ModelNode[];
  secured = false;
  published: Climb['intents'] = new Map();
  last: Climb | undefined;
  readonly keys = testKeys();
  readonly kinds = new Map<string, string>();

  constructor(intent: OperatorIntent) {
    this.intent = intent;
    this.state = settleRings(settleMembers(newState(this.keys()), intent, this.keys), intent);
    this.nodes = intent.dataCenters.flatMap((dataCenter) => dataCenter.nodes).map(newNode);
  }

  /** Control wants another thing. A machine that is new is a node that knows nothing. */
  want(intent: OperatorIntent): void {
    const { members } = this.state;
    this.intent = intent;
    this.state = settleRings(settleMembers(this.state, intent, this.keys), intent);
    const wanted = intent.dataCenters.flatMap((dataCenter) => dataCenter.nodes);
    this.nodes = wanted.map(
      (node) =>
        this.nodes.find(
          (had) => had.name === node.name && members[node.name] === this.state.members[node.name],
        ) ?? newNode(node),
    );
    for (const name of this.heard.keys()) if (!this.state.members[name]?.grant) this.heard.delete(name);
  }

  /** As control does: asks some to leave, or takes away who has left. */
  wantNodes(change: (nodes: readonly OperatorNode[]) => readonly OperatorNode[]): void {
    const [first, ...rest] = this.intent.dataCenters;
    this.want({ ...this.intent, dataCenters: [{ ...first!, nodes: [...change(first!.nodes)] }, ...rest] });
  }

  view(): RingView {
    const { intent, state, heard, knocked, now, since } = this;
    return { intent, state, authorities: { internode: 'I', client: 'C' }, heard, knocked, now, since };
  }

  pass(): Climb {
    const climbed = climb(this.view());
    this.state = { ...this.state, rings: climbed.rings };
    this.published = climbed.intents;
    this.last = climbed;
    this.judge(climbed);
    return climbed;
  }

  /** What must hold after every pass, whatever happened before it. */
  private judge(climbed: Climb): void {
    const withPassword = this.intent.cluster.authentication === 'Cassandra';
    for (const { document } of climbed.intents.values()) {
      const open = document.door.state === 'joined' || document.cassandra.startNativeTransport;
      if (open && withPassword) {
        assert.ok(this.secured, `${document.name} is opened before the roles are in force`);
        const { change, started } = climbed.rings[document.cassandra.dataCenter]!;
        for (const node of this.of(document.cassandra.dataCenter)) {
          const own = node.name === document.name && document.door.state === 'joined';
          const settled = node.name in started && change?.node !== node.name;
          assert.ok(node.checked || !(own || settled), `${node.name} is not checked`);
        }
      }
      const { seeds, tokens } = document.cassandra;
      const node = this.nodes.find((one) => one.name === document.name)!;
      if (document.cassandra.process === 'running')
        assert.equal(tokens.length === 0 && seeds.includes(node.address), false, 'a seed has its tokens');
      if (tokens.length === 0 && !node.member && document.cassandra.process === 'running')
        assert.equal(
          climbed.rings[document.cassandra.dataCenter]!.change?.node,
          document.name,
          'who bootstraps is the one that changes',
        );
      for (const work of document.work) {
        const said = JSON.stringify({ ...work, on: document.name });
        assert.equal(this.kinds.get(work.id) ?? said, said, 'an id means one piece of work on one node');
        this.kinds.set(work.id, said);
      }
    }
    for (const report of climbed.reports) {
      assert.equal(
        report.phase === 'ready' || report.phase === 'deallocated' || report.waitingFor !== null,
        true,
        'what is waited for is said',
      );
    }
    const changing = Object.values(climbed.rings).filter((ring) => ring.change);
    assert.ok(changing.length <= 1, 'one node at a time');
    for (const { name, nodes } of this.intent.dataCenters) {
      const told = [...climbed.intents.values()].map(({ document }) => document.cassandra);
      const running = told.filter(
        (cassandra) => cassandra.dataCenter === name && cassandra.process === 'running',
      );
      const together = climbed.rings[name]!.rung === 'starting' ? nodes.length : 0;
      assert.ok(running.length >= together, 'all start together');
    }
  }

  of = (dataCenter: string): ModelNode[] =>
    this.nodes.filter((node) => node.name.startsWith(`${dataCenter}-`));

  enrol(node: ModelNode): void {
    if (this.state.members[node.name]?.grant) return;
    const certificates = { exchange: 'e', internode: 'i', client: 'c' };
    const grant = {
      publicKey: `own-${node.name}`,
      keyDigests: certificates,
      certificates,
      exchangeFingerprint: '',
      at: '',
    };
    this.state = seenWithOwnKey(granted(this.state, node.name, grant), grant.publicKey);
  }

  tokens(dataCenter: string): void {
    const ring = this.state.rings[dataCenter]!;
    const shall = this.intent.dataCenters.find((one) => one.name === dataCenter)!;
    if (ring.rung !== 'enrolling') return;
    const tokens = Object.fromEntries(
      shall.nodes.map((node) => [node.name, Array.from({ length: 16 }, (_, i) => String(i))]),
    );
    this.state = {
      ...this.state,
      rings: { ...this.state.rings, [dataCenter]: { ...ring, tokens, tokensFor: tokensKey(shall) } },
    };
  }

  /** The agent fetches its intent and makes it so. */
  apply(node: ModelNode): void {
    node.intent = this.published.get(node.name) ?? node.intent;
    if (!node.intent) return;
    node.door = node.intent.document.door.state;
    node.running = node.intent.document.cassandra.process === 'running';
    if (!node.running) this.crash(node);
    node.applied = node.intent.revision;
  }

  /** Cassandra comes up, with the configuration of its start. */
  boot(node: ModelNode): void {
    if (!node.running || (node.mode !== null && node.mode !== 'JOINING')) return;
    const { tokens, startNativeTransport } = node.intent!.document.cassandra;
    const bootstraps = tokens.length === 0 && !node.member;
    if (bootstraps && node.mode === null) {
      assert.ok(this.nodes.every((one) => one.mode !== 'JOINING' && one.mode !== 'LEAVING'));
      node.mode = 'JOINING';
      return;
    }
    node.mode = 'NORMAL';
    node.member = true;
    if (startNativeTransport) node.native = node.intent!.document.cassandra.startNativeTransport;
  }

  crash(node: ModelNode): void {
    if (node.mode !== 'DECOMMISSIONED' || !node.running) node.mode = null;
    node.native = false;
  }

  /** Runs the first piece of work that isn't in the ledger; `fail` makes it fail. */
  work(node: ModelNode, fail = false): void {
    const work = node.intent?.document.work.find((one) => !(one.id in node.ledger));
    if (!work) return;
    const done = !fail && this.run(node, work.kind);
    node.ledger[work.id] = done
      ? { state: 'done', error: null }
      : { state: 'failed', error: { code: 'Model', message: 'no' } };
  }

  private run(node: ModelNode, kind: string): boolean {
    if (node.mode !== 'NORMAL') return false;
    if (kind === 'decommission') {
      assert.ok(this.nodes.filter((one) => one.member).length > 3, 'the ring keeps its replicas');
      node.mode = 'DECOMMISSIONED';
      node.native = false;
      node.member = false;
      return true;
    }
    if (kind === 'cleanup') return true;
    if (kind === 'start-native-transport') node.native = true;
    if (!node.native) return false;
    if (kind === 'secure-roles') this.secured = true;
    if (kind === 'check-default-password-refused') node.checked = this.secured;
    return kind !== 'check-default-password-refused' || node.checked;
  }

  report(node: ModelNode): void {
    if (!this.state.members[node.name]?.grant || !this.published.has(node.name)) return;
    const live = this.nodes.filter((one) => one.mode === 'NORMAL').map((one) => one.address);
    const down = this.nodes.filter((one) => one.member && one.mode !== 'NORMAL').map((one) => one.address);
    this.heard.set(node.name, { at: this.now, applied: node.applied, report: reportOf(node, live, down) });
  }

  restartOperator(): void {
    this.state = JSON.parse(JSON.stringify(this.state)) as OperatorState;
    this.heard = new Map();
    this.knocked = new Set();
    this.since = this.now;
  }

  /** Everything takes its course, fairly; `enough` is asked between the steps, and ends it. */
  round(enough: () => boolean = () => false): void {
    for (const dataCenter of this.intent.dataCenters) this.tokens(dataCenter.name);
    for (const node of this.nodes) {
      this.enrol(node);
      this.pass();
      if (enough()) return;
      this.apply(node);
      this.boot(node);
      this.work(node);
      this.report(node);
    }
    this.now += 1000;
    this.pass();
  }

  phase = (dataCenter = 'dc1') => this.last!.reports.find((report) => report.name === dataCenter)!;
}

export function reportOf(node: ModelNode, live: readonly string[], down: readonly string[] = []): NodeReport {
  const peers = [...(node.intent?.document.door.peers ?? [])];
  return {
    name: node.name,
    agent: { version: '0', startedAt: '' },
    door: { state: node.door, endpoint: null, peers, error: null, limits: [] },
    tunnel: { implementation: 'kernel', mtu: null, handshakeAgeSeconds: null },
    cassandra: {
      ...{
        process: node.mode ? 'running' : node.running ? 'starting' : 'stopped',
        error: null,
        mode: node.mode,
      },
      ...{
        nativeTransport: node.native,
        live: [...live],
        unreachable: [...down],
        hostId: null,
        tokens: [],
        rack: null,
      },
      ...{
        load: null,
        version: null,
        starts: 1,
        memoryUsedKB: null,
        memoryTotalKB: null,
        memoryFreeKB: null,
      },
      ...{ memoryBuffersAndCachedKB: null, diskUsedKB: null, diskFreeKB: null, cpuUsage: null },
    },
    work: structuredClone(node.ledger),
  };
}
