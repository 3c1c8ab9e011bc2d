import { randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Readable } from 'node:stream';
import { ArmError } from '../arm/errors.ts';
import type { Caller } from '../arm/kind.ts';
import { isObject } from '../arm/request-body.ts';
import type { ArmContext } from '../arm/wire.ts';
import type { FabricReport, FabricWork } from '../exchange/intents/fabric.ts';
import type { Clock } from '../lib/clock.ts';
import type { Fault } from '../lib/errors.ts';
import type { Json } from '../store/resource.ts';
import type { VerifyRun, VerifyRuns } from '../store/verify-runs.ts';
import type { Evidence } from './evidence.ts';
import type { Kinds } from '../kinds/plane.ts';

const kept = 20;
const action = 'Sallyport/verify/action';

/** Runs of `verify` as the fabric sees them: work until it says done or failed. */
export function verifyWork(runs: VerifyRuns): {
  readonly work: () => readonly FabricWork[];
  readonly onReport: (report: FabricReport) => void;
} {
  return {
    work: () => runs.open().map(({ id, network }) => ({ id, kind: 'verify' as const, network })),
    onReport(report) {
      for (const run of runs.open()) {
        const said = report.work[run.id];
        if (said && said.state !== run.state) runs.move(run.id, said.state, said.error);
      }
    },
  };
}

/** The stream `verify/<id>` of the fabric. */
export async function takeEvidence(
  name: string,
  body: Readable,
  runs: VerifyRuns,
  evidence: Evidence,
): Promise<void> {
  const id = /^verify\/([0-9a-f-]{36})$/.exec(name)?.[1];
  if (id === undefined || !runs.get(id)) throw new Error(`Nobody asked for '${name.slice(0, 100)}'.`);
  await evidence.save(id, body);
}

export interface VerifyRoutes {
  readonly cx: ArmContext;
  readonly kinds: Pick<Kinds, 'fabricIntent'>;
  readonly runs: VerifyRuns;
  readonly evidence: Evidence;
  readonly authenticated: (request: FastifyRequest) => Caller | Promise<Caller>;
  /** When the fabric last reported, in milliseconds since the epoch; undefined: never. */
  readonly heardAt: () => number | undefined;
  /** There is new work for the fabric. */
  readonly onAsked: () => void;
}

/** The fabric reports every few seconds, at work too. */
const hopelessMs = 60_000;

/** Why a run will not end by itself: the fabric, which makes the tries, has been silent for too long. */
export function whyHopeless(
  { state, createdAt }: Pick<VerifyRun, 'state' | 'createdAt'>,
  /** When the fabric last reported; where it has not yet, since when it was listened for. */
  heardAt: number,
  now: number,
): Fault | undefined {
  const silent = now - Math.max(heardAt, Date.parse(createdAt));
  if ((state !== 'queued' && state !== 'running') || silent < hopelessMs) return undefined;
  return {
    code: 'FabricSilent',
    message: `Nothing was proved: the fabric, which makes the tries, has not reported for ${Math.round(silent / 1000)} s. Does it run, and has its disk room? sallyport status tells. Then ask again.`,
  };
}

export function addVerifyRoutes(app: FastifyInstance, options: VerifyRoutes): void {
  const { cx, kinds, runs, evidence, authenticated } = options;
  const pace = createPace(runs, cx.clock);
  const startedAt = cx.clock.now();
  /** Who asks must not wait without end for a fabric that does not come back; a control that has just started has heard nobody. */
  const giveUp = (id: string): void => {
    const run = runs.get(id);
    const fault = run && whyHopeless(run, options.heardAt() ?? startedAt, cx.clock.now());
    if (fault) runs.move(id, 'failed', fault);
  };

  app.post('/sallyport/verify', async (request, reply) => {
    const caller = await authenticated(request);
    const network = findNetwork(kinds, wantedNetwork(request.body as Json | undefined));
    // The platform's people may try every door; a customer those of a network that it can read.
    const allowed =
      cx.may(caller, action, '/') ||
      (network !== null && cx.may(caller, 'Microsoft.Network/virtualNetworks/read', network.label));
    if (!allowed) {
      throw new ArmError(
        'AuthorizationFailed',
        `The client '${caller.displayName}' may verify the doors of its own virtual networks only. Name one: {"network": "<id of the virtual network>"}.`,
      );
    }
    pace(caller);
    const run = runs.add({ id: randomUUID(), network: network?.id ?? null, askedBy: caller.principalId });
    for (const id of runs.prune(kept)) await evidence.forget(id);
    options.onAsked();
    return reply
      .code(202)
      .headers({ 'Retry-After': '1', Location: `/sallyport/verify/${run.id}` })
      .send(show(run, null));
  });

  app.get<{ Params: { id: string } }>('/sallyport/verify/:id', async (request) => {
    const caller = await authenticated(request);
    giveUp(request.params.id);
    const run = runs.get(request.params.id);
    if (!run || (run.askedBy !== caller.principalId && !cx.may(caller, action, '/'))) {
      throw new ArmError(
        'NotFound',
        `There is no run '${request.params.id.slice(0, 100)}' (the last ${kept} are kept).`,
      );
    }
    return show(run, (await evidence.read(run.id)) ?? null);
  });
}

/** A run takes the whole machine's breath for a while: of one caller, one at a time, and so many an hour. */
const paceMost = 30;
const paceMs = 3_600_000;

/** Counts in memory: a restart of control forgives. */
function createPace(runs: Pick<VerifyRuns, 'of'>, clock: Pick<Clock, 'now'>): (caller: Caller) => void {
  const asked = new Map<string, readonly number[]>();
  const refuse = (message: string, seconds: number): never => {
    throw new ArmError('TooManyRequests', message, { headers: { 'Retry-After': String(seconds) } });
  };
  return ({ principalId }) => {
    const running = runs.of(principalId).find(({ state }) => state === 'queued' || state === 'running');
    if (running) {
      return refuse(
        `Your run '${running.id}' is not done yet, and one runs at a time. GET /sallyport/verify/${running.id} until it is.`,
        5,
      );
    }
    const now = clock.now();
    const recent = (asked.get(principalId) ?? []).filter((at) => now - at < paceMs);
    if (recent.length >= paceMost) {
      const seconds = Math.max(1, Math.ceil((recent[0]! + paceMs - now) / 1000));
      return refuse(
        `You asked for ${recent.length} runs within an hour, which is as many as may be. Wait ${seconds} s, as Retry-After says.`,
        seconds,
      );
    }
    asked.set(principalId, [...recent, now]);
  };
}

function wantedNetwork(body: Json | undefined): string | null {
  const network = body === undefined ? null : isObject(body) ? (body['network'] ?? null) : undefined;
  if (network === null || typeof network === 'string') return network;
  throw new ArmError(
    'InvalidRequestContent',
    'Send {"network": "<id of a virtual network>"}, or nothing for all.',
    { target: 'network' },
  );
}

/** By the ARM id, or by the fabric's own. */
function findNetwork(
  kinds: Pick<Kinds, 'fabricIntent'>,
  wanted: string | null,
): { readonly id: string; readonly label: string } | null {
  if (wanted === null) return null;
  const { networks } = kinds.fabricIntent().document;
  const found = networks.find(
    ({ id, label }) => id === wanted || label.toLowerCase() === wanted.toLowerCase(),
  );
  if (found) return found;
  throw new ArmError(
    'ResourceNotFound',
    `The virtual network '${wanted.slice(0, 300)}' was not found. List what is there, and check name and group.`,
  );
}

const show = (run: VerifyRun, result: unknown) => ({
  id: run.id,
  network: run.network,
  state: run.state,
  error: run.fault,
  createdAt: run.createdAt,
  endedAt: run.endedAt,
  result,
});
