import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Caller } from '../arm/kind.ts';
import { authorize, type ArmContext } from '../arm/wire.ts';
import type { GateReport } from '../exchange/intents/gate.ts';
import type { OperatorReport } from '../exchange/intents/operator.ts';
import type { Heard } from '../kinds/levels.ts';
import type { Kinds } from '../kinds/plane.ts';
import type { Ear } from './levels.ts';

export interface StatusRoutes {
  readonly cx: ArmContext;
  readonly kinds: Pick<Kinds, 'fabricIntent' | 'operatorIntent' | 'gateIntent' | 'passes'>;
  readonly ear: Ear;
  readonly version: string;
  readonly endpoint: string;
  readonly authenticated: (request: FastifyRequest) => Caller | Promise<Caller>;
}

/** `GET /sallyport/status`: the whole picture, for the platform's people. */
export function addStatusRoute(app: FastifyInstance, options: StatusRoutes): void {
  const startedAt = new Date(options.cx.clock.now()).toISOString();
  app.get('/sallyport/status', async (request) => {
    authorize(options.cx, await options.authenticated(request), 'Sallyport/status/read', '/');
    return { ...picture(options), startedAt };
  });
}

function picture({ cx, kinds, ear, version, endpoint }: StatusRoutes) {
  const { revision, document } = kinds.fabricIntent();
  const heard = ear.fabric();
  const report = heard?.report;
  return {
    version,
    node: process.version,
    time: new Date(cx.clock.now()).toISOString(),
    endpoint,
    fabric: {
      heardAt: heard ? new Date(heard.at).toISOString() : null,
      upToDate: heard?.applied === revision,
    },
    limits: report?.limits ?? [],
    walls: report?.walls ?? null,
    networks: document.networks.map((network) => ({
      ...network,
      ...(report?.networks[network.id] ?? unheard),
    })),
    // Not `seed`: there are one-time secrets in it.
    machines: document.machines.map(({ id, kind, hostname, network, subnet, address }) => ({
      id,
      kind,
      hostname,
      network,
      subnet,
      address,
      ...(report?.machines[id] ?? { ...unheard, pid: null, since: null }),
    })),
    links: document.links.map((link) => ({ ...link, ...(report?.links[link.id] ?? unheard) })),
    operators: [...ear.operators()].map(([identity, said]) => operator(kinds, identity, said)),
    gate: gate(kinds, ear.gate?.()),
    passes: kinds.passes?.() ?? null,
    events: cx.store.events.latest('/subscriptions', 20),
  };
}

const unheard = { state: 'unheard', error: null } as const;

/** Null: no policy ever named an account, and there is none. */
function gate(kinds: Pick<Kinds, 'gateIntent'>, heard: Heard<GateReport> | undefined) {
  const intent = kinds.gateIntent?.();
  if (!intent) return null;
  return {
    heardAt: heard ? new Date(heard.at).toISOString() : null,
    upToDate: heard?.applied === intent.revision,
    ...(heard?.report ?? unheard),
  };
}

function operator(
  kinds: Pick<Kinds, 'operatorIntent'>,
  identity: string,
  { report, applied, at }: Heard<OperatorReport>,
) {
  const intent = kinds.operatorIntent(identity);
  return {
    identity,
    cluster: intent?.document.cluster.id ?? null,
    heardAt: new Date(at).toISOString(),
    upToDate: intent !== undefined && intent.revision === applied,
    wireguard: report.wireguard,
    dataCenters: report.dataCenters,
    // Not `join`: there is a one-time key in it.
    nodes: report.nodes.map(({ join: _join, ...node }) => node),
    refusals: report.refusals,
    metrics: report.metrics ?? null,
  };
}
