/**
 * Control without its sockets: the real store, the real ARM handlers, the real kinds and their reconcilers; the fabric and the
 * operators are played by the test, which says when they have applied what.
 */
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { show } from '../../src/arm/envelope.ts';
import { ArmError } from '../../src/arm/errors.ts';
import { handleArm } from '../../src/arm/handle.ts';
import { groupType } from '../../src/arm/lookup.ts';
import type { ArmContext, ArmReply } from '../../src/arm/wire.ts';
import type { FabricReport, Probe, ProbeResult } from '../../src/exchange/intents/fabric.ts';
import type { JoinFile, NodeReport } from '../../src/exchange/intents/node.ts';
import type { GateReport } from '../../src/exchange/intents/gate.ts';
import type { OperatorReport } from '../../src/exchange/intents/operator.ts';
import { allows } from '../../src/identity/roles.ts';
import { startKinds } from '../../src/kinds/control.ts';
import type { Kinds } from '../../src/kinds/plane.ts';
import { managedGroup } from '../../src/kinds/platform.ts';
import { kinds as allKinds } from '../../src/kinds/registry.ts';
import type { ServiceAccount, ServiceMachine } from '../../src/kinds/service-accounts.ts';
import { until, type Clock } from '../../src/lib/clock.ts';
import { createLog } from '../../src/lib/log.ts';
import { wallsOfIntent } from '../../src/network/walls.ts';
import { createEar } from '../../src/server/levels.ts';
import { probeRuns, type ProbeRuns } from '../../src/server/probes.ts';
import type { Json, JsonObject } from '../../src/store/resource.ts';
import { openStore, type ControlStore } from '../../src/store/store.ts';

export const provider = { principalId: randomUUID(), displayName: 'provider', subscription: randomUUID() };
export const customer = { principalId: randomUUID(), displayName: 'customer', subscription: randomUUID() };
type Principal = typeof provider;

export const group = (name = 'rg1', of: Principal = customer): string =>
  `/subscriptions/${of.subscription}/resourceGroups/${name}`;
export const networkId = (name = 'vnet1'): string =>
  `${group()}/providers/Microsoft.Network/virtualNetworks/${name}`;
export const subnetId = (name: string, network = 'vnet1'): string => `${networkId(network)}/subnets/${name}`;
export const endpointId = (name = 'pe1'): string =>
  `${group()}/providers/Microsoft.Network/privateEndpoints/${name}`;
export const clusterId = (name = 'c1'): string =>
  `${group()}/providers/Microsoft.DocumentDB/cassandraClusters/${name}`;
export const dataCenterId = (name = 'dc1', cluster = 'c1'): string =>
  `${clusterId(cluster)}/dataCenters/${name}`;

export interface Refusal {
  readonly code: string;
  readonly status: number;
  readonly message: string;
}

export interface World {
  readonly store: ControlStore;
  readonly kinds: Kinds;
  /** One request; a refusal is thrown as the ArmError it is. */
  ask(
    method: string,
    id: string,
    body?: JsonObject,
    as?: Principal,
    headers?: Readonly<Record<string, string>>,
  ): ArmReply;
  put(id: string, properties: JsonObject, as?: Principal): JsonObject;
  get(id: string, as?: Principal): JsonObject & { readonly properties: JsonObject };
  refused(method: string, id: string, body?: JsonObject, as?: Principal): Refusal;
  /** Runs the reconcilers once more and waits for that pass. */
  settle(): Promise<void>;
  /** The fabric has applied the intent as it is now; `change` may bend its report. */
  fabricApplies(change?: (report: FabricReport) => FabricReport): Promise<void>;
  /** A cluster's operator has applied its intent as it is now. */
  operatorSays(cluster?: string, change?: (report: OperatorReport) => OperatorReport): Promise<void>;
  /** The gate has applied its intent as it is now; `change` may bend its report. */
  gateSays(change?: (report: GateReport) => GateReport): Promise<void>;
  /** The packet that was asked for first and is still waited for, and what the fabric says became of it. */
  packet(result: Partial<ProbeResult>): Promise<Probe>;
  identity(cluster?: string): string;
  /** Moves the clock and runs a pass. */
  pass(ms: number): Promise<void>;
  /** Control dies and starts again on the same store: what was heard is forgotten. With other accounts, where they are given. */
  restart(accounts?: readonly ServiceAccount[]): void;
  stop(): void;
}

export function createWorld(
  options: {
    readonly availableMegabytes?: number;
    readonly accounts?: readonly ServiceAccount[];
    readonly services?: readonly ServiceMachine[];
  } = {},
): World {
  let now = Date.parse('2026-11-24T10:00:00Z');
  // Passes run when somebody wakes them, never by the passing of time.
  const clock: Clock = {
    now: () => now,
    sleep: (_, signal) =>
      new Promise((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true })),
  };
  const store: ControlStore = openStore({
    path: ':memory:',
    masterKey: randomBytes(32),
    clock,
    shown: (resource) =>
      show(
        allKinds.find((kind) => kind.type === resource.type)!,
        resource,
        store,
      ),
  });
  for (const party of [provider, customer]) {
    const { principalId: clientId, displayName, subscription } = party;
    store.principals.put({ clientId, objectId: randomUUID(), displayName, secretHash: 'none' });
    store.principals.putSubscription({ id: subscription, displayName });
    store.principals.assign({ principal: clientId, role: 'Owner', scope: `/subscriptions/${subscription}` });
  }
  for (const id of [group(), managedGroup(provider.subscription)]) {
    store.putOwned({ id, type: groupType, location: 'eastus2', properties: {}, state: {} });
  }
  const log = createLog({}, { level: 'error' });
  let stop = new AbortController();
  let kinds!: Kinds;
  let ear!: ReturnType<typeof createEar>;
  let probes!: ProbeRuns;
  let { accounts } = options;
  const start = (): void => {
    stop = new AbortController();
    ear = createEar(() => kinds);
    probes = probeRuns({
      ...{ clock, signal: stop.signal },
      walls: () => wallsOfIntent(kinds.fabricIntent().document),
      machines: () => ear.fabric()?.report.machines ?? {},
      onAsked: () => undefined,
    });
    kinds = startKinds({
      store,
      clock,
      log,
      signal: stop.signal,
      heard: ear,
      work: () => probes.work(),
      probes,
      providerSubscription: provider.subscription,
      operatorAuthority: 'PEM',
      ...(accounts && { accounts }),
      ...(options.services && { services: options.services }),
      availableMegabytes: () => options.availableMegabytes ?? null,
    });
  };
  start();
  const cx: ArmContext = {
    store,
    kinds: allKinds,
    clock,
    tenantId: randomUUID(),
    location: 'eastus2',
    may: (caller, action, scope) => allows(store.principals.assignments(caller.principalId), action, scope),
    wake: () => {},
  };

  const ask: World['ask'] = (method, id, body, as = customer, headers = {}) =>
    handleArm(cx, {
      method,
      // The address of an operation is a URL with a query of its own.
      path: id.replace(/^https:\/\/[^/]+|\?.*$/g, ''),
      query: new URLSearchParams('api-version=2026-03-15'),
      header: (name) => headers[name],
      body: body as Json | undefined,
      caller: as,
      endpoint: 'https://127.0.0.1:1',
    });
  const passes = (): number =>
    (kinds.passes?.() as { kinds?: { pass: number } } | undefined)?.kinds?.pass ?? 0;
  const settle = async (): Promise<void> => {
    const before = passes();
    kinds.wake('test');
    await until('a pass', () => passes() > before || undefined, { timeoutMs: 5_000, everyMs: 1 });
  };

  const world: World = {
    store,
    get kinds() {
      return kinds;
    },
    ask,
    put: (id, properties, as) => {
      const tracked = !/\/(subnets|dataCenters|privateEndpointConnections)\/[^/]+$/.test(id);
      return ask('PUT', id, { ...(tracked && { location: 'eastus2' }), properties }, as).body!;
    },
    get: (id, as) => ask('GET', id, undefined, as).body as ReturnType<World['get']>,
    refused(method, id, body, as) {
      try {
        ask(method, id, body, as);
      } catch (error) {
        assert.ok(error instanceof ArmError, String(error));
        return { code: error.code, status: error.status, message: error.message };
      }
      return assert.fail(`${method} ${id} was not refused`);
    },
    settle,
    async fabricApplies(change = (report) => report) {
      await settle();
      const { revision, document } = kinds.fabricIntent();
      const report: FabricReport = {
        networks: Object.fromEntries(
          document.networks.map(({ id }) => [id, { state: 'ready', error: null }]),
        ),
        machines: Object.fromEntries(
          document.machines.map(({ id }) => [id, { state: 'running', pid: 1, since: null, error: null }]),
        ),
        links: Object.fromEntries(
          document.links.map(({ id, open }) => [id, { state: open ? 'open' : 'closed', error: null }]),
        ),
        work: {},
        limits: [],
      };
      const said = change(report);
      ear.hearFabric({ report: said, applied: revision, at: now });
      probes.onReport(said);
      kinds.onFabricReport(said, revision);
      await settle();
    },
    identity: (cluster = 'c1') => (store.get(clusterId(cluster))!.state as { identity: string }).identity,
    async operatorSays(cluster = 'c1', change = (report) => report) {
      await settle();
      const identity = world.identity(cluster);
      const { revision, document } = kinds.operatorIntent(identity)!;
      const report: OperatorReport = {
        wireguard: { publicKey: 'key', listening: true },
        authorities: { internode: 'INTERNODE', client: 'CLIENT', exchange: 'EXCHANGE' },
        dataCenters: document.dataCenters.map(({ name }) => ({
          name,
          phase: 'enrolling',
          waitingFor: 'Is the endpoint approved?',
          error: null,
        })),
        nodes: document.dataCenters.flatMap((dataCenter) =>
          dataCenter.nodes.map(({ name, address }) => ({
            name,
            address,
            dataCenter: dataCenter.name,
            phase: 'expected' as const,
            lastSeen: null,
            join: joinFile(identity, name),
            report: null,
          })),
        ),
        refusals: [],
      };
      const said = change(report);
      ear.hearOperator(identity, { report: said, applied: revision, at: now });
      kinds.onOperatorReport(identity, said, revision);
      await settle();
    },
    async packet(result) {
      const [first] = kinds.fabricIntent().document.work;
      assert.ok(first?.kind === 'probe', 'no packet was asked for');
      const seen: ProbeResult = {
        ...{ said: 'sent', left: true, arrived: [], blind: null },
        ...{ packets: { tried: 2, arrived: result.arrived?.length ? 2 : 0 }, ...result },
      };
      await probes.take(first.id, Readable.from([Buffer.from(JSON.stringify(seen))]));
      return first;
    },
    async gateSays(change = (report) => report) {
      await settle();
      const { revision, document } = kinds.gateIntent!()!;
      const said = change({
        ...{ state: 'passing', error: null, starts: 1, refused: 0, refusals: [] },
        clusters: Object.fromEntries(
          document.clusters.map(({ identity }) => [
            identity,
            { authority: `AUTHORITY ${identity}`, accounts: {}, error: null },
          ]),
        ),
      });
      ear.hearGate({ report: said, applied: revision, at: now });
      kinds.onGateReport!(said, revision);
      await settle();
    },
    async pass(ms) {
      now += ms;
      await settle();
    },
    restart(others) {
      accounts = others ?? accounts;
      stop.abort();
      start();
    },
    stop() {
      stop.abort();
      store.close();
    },
  };
  return world;
}

const joinFile = (cluster: string, node: string): JoinFile => ({
  version: 1,
  cluster,
  node,
  endpoint: { address: '10.0.1.10', port: 51820 },
  operator: { publicKey: 'key', address: 'fd00::1', enrolmentPort: 8440, authorityFingerprint: 'ab' },
  oneTime: { privateKey: `one-time key of ${node}`, address: 'fd00:e::1' },
});

/** What the operator says once every node has enrolled and the ring is as far as `phase`. */
export const connected =
  (phase: OperatorReport['dataCenters'][number]['phase']) =>
  (report: OperatorReport): OperatorReport => ({
    ...report,
    dataCenters: report.dataCenters.map((item) => ({
      ...item,
      phase,
      waitingFor: phase === 'ready' ? null : `rung ${phase}`,
    })),
    nodes: report.nodes.map((node) => ({
      ...node,
      phase: 'connected',
      join: null,
      lastSeen: '2026-11-24T10:00:00Z',
      report: nodeReport(
        node.name,
        report.nodes.map((other) => other.address),
      ),
    })),
  });

const nodeReport = (name: string, live: readonly string[]): NodeReport => ({
  name,
  agent: { version: '0.1.0', startedAt: '2026-11-24T10:00:00Z' },
  door: { state: 'joined', endpoint: '10.0.1.10', peers: [], error: null, limits: [] },
  tunnel: { implementation: 'userspace', mtu: 1420, handshakeAgeSeconds: 1 },
  cassandra: {
    process: 'running',
    error: null,
    mode: 'NORMAL',
    nativeTransport: true,
    live: [...live],
    unreachable: [],
    hostId: 'host',
    tokens: ['1', '2'],
    rack: 'rack1',
    load: 123_456,
    version: '5.0.9',
    starts: 1,
    memoryUsedKB: 1,
    memoryTotalKB: 1,
    memoryFreeKB: 1,
    memoryBuffersAndCachedKB: 1,
    diskUsedKB: 1,
    diskFreeKB: 1,
    cpuUsage: 0.5,
  },
  work: {},
});

/** A virtual network with subnets pe, cass and apps. */
export const makeNetwork = (world: World, name = 'vnet1'): void => {
  world.put(networkId(name), {
    addressSpace: { addressPrefixes: ['10.0.0.0/16'] },
    subnets: ['pe', 'cass', 'apps'].map((subnet, index) => ({
      name: subnet,
      properties: { addressPrefix: `10.0.${index + 1}.0/24` },
    })),
  });
};

export const makeCluster = async (world: World, name = 'c1'): Promise<string> => {
  world.put(clusterId(name), { azureConnectionMethod: 'VPN', initialCassandraAdminPassword: 'password' });
  await world.fabricApplies();
  await world.operatorSays(name);
  return world.get(clusterId(name)).properties['privateLinkResourceId'] as string;
};

export const endpointBody = (
  service: string,
  address?: string,
  network = 'vnet1',
  manual = true,
): JsonObject => ({
  subnet: { id: subnetId('pe', network) },
  ...(address && { ipConfigurations: [{ name: 'ip1', properties: { privateIPAddress: address } }] }),
  [manual ? 'manualPrivateLinkServiceConnections' : 'privateLinkServiceConnections']: [
    { name: 'conn1', properties: { privateLinkServiceId: service, requestMessage: 'please' } },
  ],
});

export const dataCenterBody = (address = '10.0.1.10', more: JsonObject = {}): JsonObject => ({
  dataCenterLocation: 'eastus2',
  delegatedSubnetId: subnetId('cass'),
  nodeCount: '3',
  privateEndpointIpAddress: address,
  ...more,
});

/** The one connection of an endpoint, by its provider's id. */
export const connectionId = (world: World, service: string, at = 0): string =>
  (world.get(service, provider).properties['privateEndpointConnections'] as { id: string }[])[at]!.id;

export const decide = (world: World, connection: string, status: string): JsonObject =>
  world.put(connection, { privateLinkServiceConnectionState: { status, description: 'decided' } }, provider);

export const consumerStatus = (world: World, endpoint = endpointId()): string => {
  const list = world.get(endpoint).properties['manualPrivateLinkServiceConnections'] as {
    properties: JsonObject;
  }[];
  return (list[0]!.properties['privateLinkServiceConnectionState'] as { status: string }).status;
};
