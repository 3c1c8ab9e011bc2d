/**
 * `POST /sallyport/why`: why one machine reaches another or not. The answer comes from the model at once; a packet that
 * the machine itself sends confirms it, and its result is fetched.
 */
import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Value } from 'typebox/value';
import { ArmError } from '../arm/errors.ts';
import type { Caller } from '../arm/kind.ts';
import type { ArmContext } from '../arm/wire.ts';
import { ProbeResult, type FabricReport, type FabricWork, type Probe } from '../exchange/intents/fabric.ts';
import type { Fault } from '../lib/errors.ts';
import { answerWhy, type Question, type WhyAnswer } from '../kinds/why/why.ts';
import type { Kinds } from '../kinds/plane.ts';
import { compare, type Comparison } from '../network/probes.ts';
import type { Json } from '../store/resource.ts';

interface Run {
  readonly id: string;
  readonly askedBy: string;
  readonly answer: WhyAnswer;
  readonly probe: Probe;
  /** What the packet is held against, as long as it is waited for: it may be as large as everything that there is. */
  readonly against: Pick<Question, 'walls' | 'names'> | null;
  readonly askedAt: number;
  readonly state: 'sending' | 'done' | 'failed';
  readonly error: Fault | null;
  readonly packet: (ProbeResult & Comparison) | null;
}

/** Kept in memory: the question is asked again in a second, and a restart of control forgets it. */
export interface WhyRuns {
  readonly work: () => readonly FabricWork[];
  readonly onReport: (report: FabricReport) => void;
  readonly take: (id: string, body: Readable) => Promise<void>;
  readonly add: (run: Omit<Run, 'state' | 'error' | 'packet'>) => Run;
  readonly get: (id: string) => Run | undefined;
  readonly openOf: (askedBy: string) => number;
}

const kept = 100;
/** A packet that the fabric has not sent by then is not waited for. */
const longestMs = 30_000;
const largest = 64 * 1024;

export function whyRuns(now: () => number, machines: () => FabricReport['machines']): WhyRuns {
  const runs = new Map<string, Run>();
  const move = (id: string, change: Partial<Run>): void => {
    const run = runs.get(id);
    if (run?.state === 'sending') runs.set(id, { ...run, ...change, against: null });
  };
  const open = (): readonly Run[] => {
    for (const { id, askedAt } of runs.values())
      if (now() - askedAt > longestMs)
        move(id, {
          state: 'failed',
          error: { code: 'NotSent', message: 'The fabric has not sent the packet within 30 s.' },
        });
    return [...runs.values()].filter(({ state }) => state === 'sending');
  };
  return {
    work: () => open().map(({ id, probe }) => ({ id, kind: 'probe' as const, ...probe })),
    onReport(report) {
      for (const { id } of open()) {
        const said = report.work[id];
        if (said?.state === 'failed') move(id, { state: 'failed', error: said.error });
      }
    },
    async take(id, body) {
      const run = runs.get(id);
      if (!run) throw new Error(`Nobody asked for probe '${id.slice(0, 100)}'.`);
      const result: unknown = JSON.parse(await readBounded(body));
      if (!Value.Check(ProbeResult, result)) throw new Error('A probe has another result than it may have.');
      const runsNow = (machine: string): boolean => machines()[machine]?.state === 'running';
      const { against } = run;
      if (!against) return;
      const nameOf = (at: string): string => against.names.get(at) ?? at;
      const compared = compare(against.walls, run.probe, result, runsNow, nameOf);
      move(id, { state: 'done', packet: { ...result, ...compared } });
    },
    add(asked) {
      const run: Run = { ...asked, state: 'sending', error: null, packet: null };
      runs.set(run.id, run);
      for (const id of [...runs.keys()].slice(0, -kept)) runs.delete(id);
      return run;
    },
    get: (id) => (open(), runs.get(id)),
    openOf: (askedBy) => open().filter((run) => run.askedBy === askedBy).length,
  };
}

async function readBounded(body: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += (chunk as Buffer).length;
    if (size > largest) throw new Error(`A probe's result has at most ${largest} bytes.`);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString();
}

export interface WhyRoutes {
  readonly cx: ArmContext;
  readonly kinds: Pick<Kinds, 'fabricIntent'>;
  readonly runs: WhyRuns;
  readonly authenticated: (request: FastifyRequest) => Caller | Promise<Caller>;
  readonly onAsked: () => void;
}

/** Who may try every door may ask about every machine; others about networks that they can read. */
const action = 'Sallyport/verify/action';
const openMost = 4;

export function addWhyRoutes(
  app: FastifyInstance,
  { cx, kinds, runs, authenticated, onAsked }: WhyRoutes,
): void {
  app.post('/sallyport/why', async (request, reply) => {
    const caller = await authenticated(request);
    const all = cx.may(caller, action, '/');
    const asker = {
      seesNetwork: (label: string) =>
        all || (label.startsWith('/') && cx.may(caller, 'Microsoft.Network/virtualNetworks/read', label)),
      sees: (id: string) => all || cx.may(caller, 'Microsoft.Network/networkSecurityGroups/read', id),
    };
    if (runs.openOf(caller.principalId) >= openMost)
      throw new ArmError(
        'TooManyRequests',
        `${openMost} of your questions are being confirmed. Wait for one of them.`,
        {
          headers: { 'Retry-After': '2' },
        },
      );
    const { answer, probe, walls, names } = answerWhy(
      cx.store,
      kinds.fabricIntent().document,
      asker,
      request.body as Json | undefined,
    );
    const run = runs.add({
      id: randomUUID(),
      askedBy: caller.principalId,
      answer,
      probe,
      against: { walls, names },
      askedAt: cx.clock.now(),
    });
    onAsked();
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
