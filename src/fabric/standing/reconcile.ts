/**
 * Walls tried again on new connections, every few minutes: what a firewall change has quietly opened is found, though every
 * rule may still stand where the fabric put it.
 */
import type { FabricIntent, Probe, ProbeResult, WallsReport } from '../../exchange/intents/fabric.ts';
import type { Revised } from '../../exchange/revision.ts';
import type { Clock } from '../../lib/clock.ts';
import { faultOf } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import { compare, shallArrive, type Comparison } from '../../network/probes.ts';
import { wallsOfIntent } from '../../network/walls.ts';
import type { Reconciler, Status } from '../../reconcile/reconciler.ts';
import { standingProbes } from './pairs.ts';

export interface StandingOptions {
  readonly intent: () => Revised<FabricIntent> | undefined;
  /** The revision that the last whole pass of the fabric was for. */
  readonly applied: () => string | null;
  readonly running: (machineId: string) => boolean;
  readonly send: (
    document: FabricIntent,
    probes: readonly Probe[],
    shall: (probe: Probe) => readonly string[],
  ) => Promise<readonly ProbeResult[]>;
  /** A pass of the fabric that begins now, to its end: whatever it can put back is back then. */
  readonly mend: () => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Standing extends Reconciler {
  report(): WallsReport;
  /** The fabric has found that somebody else changed what it had put in place, and has put it back. */
  putBack(where: string, what: string): void;
}

const defaultSeconds = 600;
/** After machines have come or gone. */
const soonSeconds = 60;
/** How many findings are kept in the report. */
const kept = 20;

export function createStanding(options: StandingOptions): Standing {
  const { clock, log } = options;
  let turn = 0;
  let begun: number | undefined;
  let met = '';
  let last: WallsReport['last'] = null;
  let findings: WallsReport['findings'] = [];
  let changed: WallsReport['putBack'] = [];
  const now = (): string => new Date(clock.now()).toISOString();

  async function round(current: Revised<FabricIntent>): Promise<Status> {
    const { document } = current;
    const probes = standingProbes(document, options.running, turn++);
    if (probes.length === 0) return nothing;
    const walls = wallsOfIntent(document);
    const shall = (probe: Probe) => shallArrive(walls, probe);
    const judge = async (some: readonly Probe[]): Promise<readonly Comparison[]> => {
      const results = await options.send(document, some, shall);
      return some.map((probe, n) =>
        believed(
          compare(walls, probe, results[n]!, options.running, (id) => hostnameOf(document, id)),
          results[n]!,
        ),
      );
    };
    const started = clock.now();
    const first = await judge(probes);
    // Whatever was asked for meanwhile may have changed what they met.
    if (options.intent()?.revision !== current.revision) return nothing;
    const odd = probes.filter((_, n) => isFinding(first[n]!));
    let second: readonly Comparison[] = [];
    if (odd.length > 0) {
      await options.mend();
      if (options.intent()?.revision !== current.revision) return nothing;
      second = await judge(odd);
    }
    const found = odd.map((probe, n) => {
      const { outcome, text } = first[probes.indexOf(probe)]!;
      return { at: now(), ...named(document, probe), outcome, text, stands: isFinding(second[n]!) };
    });
    for (const finding of found) log.warn('a wall is not as it is asked for', { finding });
    findings = [...found, ...findings].slice(0, kept);
    const count = (outcome: Comparison['outcome']): number =>
      first.filter((one) => one.outcome === outcome).length;
    last = {
      at: now(),
      tried: probes.length,
      agreed: count('agrees'),
      unproved: count('unproved'),
      arrived: first.filter((one, n) => one.outcome === 'agrees' && shall(probes[n]!).length > 0).length,
      milliseconds: Math.round(clock.now() - started),
    };
    return { ...nothing, unchanged: last.agreed, failed: found.filter(({ stands }) => stands).map(failure) };
  }

  return {
    name: 'walls',
    // It looks often and tries seldom: an intent that was just changed is waited for.
    periodMs: 1_000,
    async reconcile() {
      const current = options.intent();
      const seconds = current?.document.wallsSeconds ?? defaultSeconds;
      if (!current || seconds === 0 || options.applied() !== current.revision) return nothing;
      // Who has come since, or gone, is not waited ten minutes for; nor are there rounds all the time while many come.
      const machines = current.document.machines.map(({ id }) => id).filter(options.running);
      const wait = machines.join(' ') === met ? seconds : Math.min(seconds, soonSeconds);
      if (begun !== undefined && clock.now() - begun < wait * 1000) return nothing;
      begun = clock.now();
      met = machines.join(' ');
      try {
        return await round(current);
      } catch (error) {
        return { at: 'reading', error: faultOf(error) };
      }
    },
    report: () => ({ last, findings: [...findings], putBack: [...changed] }),
    putBack(where, what) {
      log.warn('somebody else had changed a wall; it is put back', { where, what });
      changed = [{ at: now(), where, what }, ...changed].slice(0, kept);
    },
  };
}

const nothing = { at: 'applied', unchanged: 0, applied: [], cleared: [], failed: [] } as const;

const isFinding = ({ outcome }: Comparison): boolean => outcome === 'opened' || outcome === 'shut';

/** What a machine's own rules keep is the machine's affair, and says nothing of the walls outside it. */
const believed = (said: Comparison, { left }: ProbeResult): Comparison =>
  said.outcome === 'shut' && !left ? { ...said, outcome: 'unproved' } : said;

function named(document: FabricIntent, { from, to, protocol, port }: Probe) {
  return { from: hostnameOf(document, from), to, protocol, port };
}

const failure = ({ from, to, protocol, port, outcome, text }: WallsReport['findings'][number]) => ({
  item: `${from} → ${to} ${protocol} ${port}`,
  error: { code: outcome === 'opened' ? 'WallOpen' : 'WallShut', message: text },
});

const hostnameOf = (document: FabricIntent, machine: string): string =>
  document.machines.find(({ id }) => id === machine)?.hostname ?? machine;
