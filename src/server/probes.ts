/** Packets that the fabric has a machine send because somebody asked: each is work until its result comes, or its time is over. */
import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { Value } from 'typebox/value';
import { ArmError } from '../arm/errors.ts';
import { ProbeResult, type FabricReport, type FabricWork, type Probe } from '../exchange/intents/fabric.ts';
import type { Clock } from '../lib/clock.ts';
import type { Fault } from '../lib/errors.ts';
import type { ProbeAsked, Probed, Probes } from '../kinds/probes.ts';
import { compare, type Comparison } from '../network/probes.ts';
import type { Walls } from '../network/reachability.ts';

interface Run {
  readonly id: string;
  readonly askedBy: string;
  readonly probe: Probe;
  readonly askedAt: number;
  /** As the question was answered by them; as long as it is waited for: they may be as large as everything that there is. */
  readonly walls: Walls;
  readonly nameOf: (id: string) => string;
  readonly ended: (probed: Probed) => void;
}

/** Kept in memory: the question is asked again in a second, and a restart of control forgets it. */
export interface ProbeRuns extends Probes {
  readonly work: () => readonly FabricWork[];
  readonly onReport: (report: FabricReport) => void;
  /** The stream `probe/<id>` of the fabric. */
  readonly take: (id: string, body: Readable) => Promise<void>;
  /** As `send`; answers the probe's id. */
  readonly begin: (asked: ProbeAsked, ended: (probed: Probed) => void) => string;
}

export interface ProbeRunsOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** The walls as they are asked for. */
  readonly walls: () => Walls;
  readonly machines: () => FabricReport['machines'];
  /** There is new work for the fabric. */
  readonly onAsked: () => void;
}

/** Of one caller's, under way at once. */
const most = 4;
/** A result that comes for one of those that ended last is late, and no fault of whoever sent it. */
const remembered = 100;
/** A packet that the fabric has not sent by then is not waited for. */
const longestMs = 30_000;
const largest = 64 * 1024;

export function probeRuns({ clock, signal, walls, machines, onAsked }: ProbeRunsOptions): ProbeRuns {
  const runs = new Map<string, Run>();
  const over = new Set<string>();
  const end = (id: string, probed: Probed): void => {
    const run = runs.get(id);
    if (!run) return;
    runs.delete(id);
    over.add(id);
    for (const old of [...over].slice(0, -remembered)) over.delete(old);
    run.ended(probed);
  };
  const fail = (id: string, unsent: Fault): void => end(id, { unsent });
  const open = (): readonly Run[] => {
    for (const { id, askedAt } of [...runs.values()])
      if (clock.now() - askedAt > longestMs)
        fail(id, {
          code: 'NotSent',
          message:
            'The fabric has not sent the packet within 30 s. A proof (`verify`) may be under way, which packets wait for.',
        });
    return [...runs.values()];
  };
  const begin: ProbeRuns['begin'] = (asked, ended) => {
    const id = randomUUID();
    runs.set(id, { ...asked, id, ended, walls: walls(), askedAt: clock.now() });
    onAsked();
    // With a fabric that is gone, nobody else looks.
    void clock.sleep(longestMs + 1, signal).then(() => signal.aborted || open());
    return id;
  };
  return {
    work: () => open().map(({ id, probe }) => ({ id, kind: 'probe' as const, ...probe })),
    onReport(report) {
      for (const { id } of open()) {
        const said = report.work[id];
        if (said?.state === 'failed') fail(id, said.error ?? { code: 'Failed', message: 'It failed.' });
      }
    },
    async take(id, body) {
      if (!runs.has(id) && !over.has(id)) throw new Error(`Nobody asked for probe '${id.slice(0, 100)}'.`);
      const result: unknown = JSON.parse(await readBounded(body));
      if (!Value.Check(ProbeResult, result)) throw new Error('A probe has another result than it may have.');
      const run = runs.get(id);
      if (!run) return;
      const runsNow = (machine: string): boolean => machines()[machine]?.state === 'running';
      const against = (one: Walls) => compare(one, run.probe, result, runsNow, run.nameOf);
      const compared = whereBoth(against(run.walls), against(walls()));
      end(id, { packet: { ...result, ...compared } });
    },
    check(askedBy) {
      if (open().filter((run) => run.askedBy === askedBy).length < most) return;
      throw new ArmError(
        'TooManyRequests',
        `${most} of your questions are being confirmed. Wait for one of them.`,
        { headers: { 'Retry-After': '2' } },
      );
    },
    begin,
    send: (asked, ended) => void begin(asked, ended),
  };
}

/**
 * The packet met the walls at some time after it was asked for. What it says stands where those of before and those of now
 * would have it mean the same: a change of somebody else's does not take it away.
 */
const whereBoth = (before: Comparison, now: Comparison): Comparison =>
  before.outcome === now.outcome && before.text === now.text
    ? before
    : { outcome: 'unproved', text: 'the walls were changed meanwhile' };

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
