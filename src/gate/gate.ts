/**
 * The gate's reconciler: one pass makes the proxy's policy that of control's intent, and finds what has passed. What of the
 * intent can't be enforced is named and lets nothing through; the rest is enforced all the same.
 */
import type { GateCluster, GateIntent, GateReport } from '../exchange/intents/gate.ts';
import type { Revised } from '../exchange/revision.ts';
import type { Clock } from '../lib/clock.ts';
import { faultOf, type Fault } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import { judgeGate, type GatePlan, type Judged } from '../network/gate.ts';
import type { Reconciler } from '../reconcile/reconciler.ts';
import type { Authorities } from './authorities.ts';
import { withoutOthers, withPlan, withWorkers } from './counts.ts';
import type { DoorKeeper } from './door.ts';
import type { Enforcer } from './enforce.ts';
import type { Ledger } from './ledger.ts';
import type { Stat } from './master.ts';
import { gateReport, noReport } from './report.ts';

export interface GateStatus {
  /** The revision that this pass made so; null before there is an intent, and where it could not. */
  readonly applied: string | null;
  readonly report: GateReport;
}

export interface GateOptions {
  /** Control's intent, on disk already. */
  readonly intent: () => Promise<Revised<GateIntent> | undefined>;
  readonly door?: DoorKeeper;
  readonly authorities: Authorities;
  readonly enforcer: Enforcer;
  readonly ledger: Ledger;
  /** Asks the newest worker, and then the older ones; by pid. */
  readonly look: () => Promise<readonly (readonly [string, Stat])[]>;
  readonly starts: () => number;
  readonly clock: Clock;
  readonly log: Log;
}

const periodMs = 2_000;

export function createGate(options: GateOptions): Reconciler<GateStatus> {
  const { authorities, enforcer, ledger, clock, log } = options;
  let complaint = '';
  /** Of the last intent: certificates are read in it, and a pass is every two seconds. */
  let known: { readonly revision: string; readonly judged: Judged } | undefined;

  async function enforce(clusters: readonly GateCluster[], identities: readonly string[]): Promise<GatePlan> {
    await enforcer.cut(clusters);
    await options.door?.ensure(clusters);
    await authorities.ensure(identities, clusters, clock.now());
    const plan = await enforcer.enforce(clusters, (coming) => ledger.change((now) => withPlan(now, coming)));
    await authorities.tidy();
    return plan;
  }

  async function count(identities: readonly string[], plan: GatePlan): Promise<readonly Stat[]> {
    const workers = await options.look();
    const said = Object.fromEntries(workers.map(([pid, { bytes }]) => [pid, bytes]));
    await ledger.follow(new Date(clock.now()).toISOString(), (now) =>
      withoutOthers(withWorkers(now, said), identities, plan),
    );
    return workers.map(([, stat]) => stat);
  }

  async function attempt<T>(work: () => Promise<T>): Promise<T | Fault> {
    try {
      return await work();
    } catch (error) {
      const fault = faultOf(error);
      if (fault.message !== complaint) log.error('a pass of the gate failed', { error });
      complaint = fault.message;
      return fault;
    }
  }

  async function pass(): Promise<GateStatus> {
    const revised = await options.intent();
    if (!revised) return { applied: null, report: noReport };
    const { revision, document } = revised;
    if (known?.revision !== revision) known = { revision, judged: judgeGate(document) };
    const { judged } = known;
    const identities = judged.clusters.map(({ identity }) => identity);
    const plan = await attempt(() => enforce(judged.clusters, identities));
    if (!('grants' in plan)) {
      return { applied: null, report: reportOf([], plan) };
    }
    const stats = await attempt(() => count(identities, plan));
    if ('code' in stats) return { applied: revised.revision, report: reportOf([], null, plan) };
    complaint = '';
    return { applied: revised.revision, report: reportOf(stats, null, plan) };

    function reportOf(seen: readonly Stat[], error: Fault | null, inForce?: GatePlan): GateReport {
      return gateReport({
        ...{ intent: revised!.document, judged, plan: inForce, error, counts: ledger.read() },
        ...{ authorities, probes: seen[0]?.probes ?? {}, starts: options.starts() },
      });
    }
  }

  return { name: 'gate', periodMs, reconcile: pass };
}
