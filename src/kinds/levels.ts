/**
 * What the levels below control last said, as reconcilers of kinds see it.
 *
 * kinds/ says what a resource is: its schema, defaults, rules, and when it is as it shall be. It must touch no network and
 * no process: it writes intent, which others make so.
 */
import type { FabricReport } from '../exchange/intents/fabric.ts';
import type { GateReport } from '../exchange/intents/gate.ts';
import type { OperatorReport } from '../exchange/intents/operator.ts';

/** An operator reports at least every 3 s; after this it is missed. */
export const silentMs = 15_000;

export interface Heard<R> {
  readonly report: R;
  /** The revision of intent that the report speaks of. */
  readonly applied: string | null;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export interface Levels {
  /** The last report of the fabric; undefined before its first. */
  fabric(): Heard<FabricReport> | undefined;
  /** The last report of a cluster's operator, by the cluster's ARM id. */
  operator(clusterId: string): Heard<OperatorReport> | undefined;
  /** The gate's last report; undefined before its first, and where there is no gate. */
  gate?(): Heard<GateReport> | undefined;
}
