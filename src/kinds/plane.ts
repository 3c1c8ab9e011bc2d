/** What control hands to the kinds as a whole, and what it gets back. Types only. */
import type { FabricIntent, FabricReport, FabricWork } from '../exchange/intents/fabric.ts';
import type { GateIntent, GateReport } from '../exchange/intents/gate.ts';
import type { OperatorIntent, OperatorReport } from '../exchange/intents/operator.ts';
import type { Revised } from '../exchange/revision.ts';
import type { Levels } from './levels.ts';
import type { Probes } from './probes.ts';
import type { Clock } from '../lib/clock.ts';
import type { Fault } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import type { Store } from '../store/resource.ts';
import type { ServiceAccount, ServiceMachine } from './service-accounts.ts';

export interface KindsOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** The last reports, kept by control; a report is in here before `onFabricReport` or `onOperatorReport` is called. */
  readonly heard: Levels;
  /** One-shot work for the fabric that isn't done yet: goes into `FabricIntent.work` as it is. */
  readonly work: () => readonly FabricWork[];
  /** Has machines send packets; left out: nobody can. */
  readonly probes?: Probes | undefined;
  readonly providerSubscription: string;
  /** Certificate (PEM) of the authority that signs control's side of the operators' exchange: for operator.json. */
  readonly operatorAuthority: string;
  /** Minutes between two rounds in which the walls are tried with packets; 0: never. */
  readonly wallsMinutes?: number | undefined;
  /** `eastus2` when left out. */
  readonly location?: string;
  readonly accounts?: readonly ServiceAccount[];
  readonly services?: readonly ServiceMachine[] | undefined;
  /** Heap of a node in the embedded default. */
  readonly heapMegabytes?: number;
  /** Megabytes free for nodes; null: unknown. Left out: what this host has, on which the embedded default runs all nodes. */
  readonly availableMegabytes?: () => number | null;
}

export interface Kinds {
  fabricIntent(): Revised<FabricIntent>;
  /** By the cluster's `identity`, which is the CN of its operator's certificate; undefined: no such cluster (any more). */
  operatorIntent(identity: string): Revised<OperatorIntent> | undefined;
  /** Undefined: no policy ever named an account, and there is no gate. */
  gateIntent?(): Revised<GateIntent> | undefined;
  onFabricReport(report: FabricReport, applied: string | null): void;
  onOperatorReport(identity: string, report: OperatorReport, applied: string | null): void;
  onGateReport?(report: GateReport, applied: string | null): void;
  /**
   * One-time token of an operator: resolves to its identity, or to why not. The token is spent. `admitted` is called in the
   * transaction that spends it, so that no crash comes between.
   */
  admitOperator(
    cluster: string,
    token: string,
    admitted?: (identity: string) => void,
  ): Promise<string | { readonly code: string; readonly message: string }>;
  /** The same for the gate: undefined, or why not. */
  admitGate?(token: string, admitted?: () => void): Fault | undefined;
  /** Something was written: let the reconcilers run. */
  wake(reason: string): void;
  /** Calls back when the intent of `fabric`, or of the operator with that identity, may be another than when it was last asked for. */
  onIntentChange(callback: (peer: string) => void): void;
  /** The ARM id of the cluster with that identity. */
  clusterOf?(identity: string): string | undefined;
  /** For status: the last pass of each reconciler. */
  passes?(): unknown;
}
