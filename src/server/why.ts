/**
 * `POST /sallyport/why`: why one machine reaches another or not. The answer comes from the model at once; a packet that
 * the machine itself sends confirms it, and its result is fetched.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ArmError } from '../arm/errors.ts';
import type { Caller } from '../arm/kind.ts';
import type { ArmContext } from '../arm/wire.ts';
import type { ProbeResult } from '../exchange/intents/fabric.ts';
import type { Fault } from '../lib/errors.ts';
import type { Kinds } from '../kinds/plane.ts';
import { answerWhy, type WhyAnswer } from '../kinds/why/why.ts';
import type { Comparison } from '../network/probes.ts';
import type { Json } from '../store/resource.ts';
import type { ProbeRuns } from './probes.ts';

interface Run {
  readonly id: string;
  readonly askedBy: string;
  readonly answer: WhyAnswer;
  readonly state: 'sending' | 'done' | 'failed';
  readonly error: Fault | null;
  readonly packet: (ProbeResult & Comparison) | null;
}

/** So many are kept in memory for whoever fetches them. */
const kept = 100;

export interface WhyRoutes {
  readonly cx: ArmContext;
  readonly kinds: Pick<Kinds, 'fabricIntent'>;
  readonly probes: Pick<ProbeRuns, 'check' | 'begin'>;
  readonly authenticated: (request: FastifyRequest) => Caller | Promise<Caller>;
}

/** Who may try every door may ask about every machine; others about networks that they can read. */
const action = 'Sallyport/verify/action';

export function addWhyRoutes(app: FastifyInstance, { cx, kinds, probes, authenticated }: WhyRoutes): void {
  const runs = new Map<string, Run>();
  app.post('/sallyport/why', async (request, reply) => {
    const caller = await authenticated(request);
    const all = cx.may(caller, action, '/');
    const asker = {
      seesNetwork: (label: string) =>
        all || (label.startsWith('/') && cx.may(caller, 'Microsoft.Network/virtualNetworks/read', label)),
      sees: (id: string) => all || cx.may(caller, 'Microsoft.Network/networkSecurityGroups/read', id),
    };
    probes.check(caller.principalId);
    const { answer, probe, names } = answerWhy(
      cx.store,
      kinds.fabricIntent().document,
      asker,
      request.body as Json | undefined,
    );
    const askedBy = caller.principalId;
    const nameOf = (at: string): string => names.get(at) ?? at;
    const id = probes.begin({ askedBy, probe, nameOf }, (probed) => {
      const asked = runs.get(id);
      if (!asked) return;
      const ended =
        'packet' in probed
          ? { state: 'done' as const, packet: probed.packet }
          : { state: 'failed' as const, error: probed.unsent };
      runs.set(id, { ...asked, ...ended });
    });
    const run: Run = { id, askedBy, answer, state: 'sending', error: null, packet: null };
    runs.set(id, run);
    for (const old of [...runs.keys()].slice(0, -kept)) runs.delete(old);
    return reply
      .code(202)
      .headers({ 'Retry-After': '1', Location: `/sallyport/why/${run.id}` })
      .send(show(run));
  });

  app.get<{ Params: { id: string } }>('/sallyport/why/:id', async (request) => {
    const caller = await authenticated(request);
    const run = runs.get(request.params.id);
    if (run && (run.askedBy === caller.principalId || cx.may(caller, action, '/'))) return show(run);
    throw new ArmError(
      'NotFound',
      `There is no question '${request.params.id.slice(0, 100)}': the last ${kept} are kept, until control ends. Ask again.`,
    );
  });
}

const show = ({ id, state, error, answer, packet }: Run) => ({ id, state, error, answer, packet });
