/** What the gate says of itself: pure. */
import type {
  GateAccount,
  GateAccountReport,
  GateCluster,
  GateClusterReport,
  GateIntent,
  GateReport,
} from '../exchange/intents/gate.ts';
import type { Fault } from '../lib/errors.ts';
import type { GatePlan, Judged } from '../network/gate.ts';
import type { Authorities } from './authorities.ts';
import { accountKey, bytesOf, type Counts } from './counts.ts';
import type { Stat } from './master.ts';

export interface Seen {
  readonly intent: GateIntent;
  readonly judged: Judged;
  /** What is in force; undefined: it isn't known. */
  readonly plan: GatePlan | undefined;
  readonly error: Fault | null;
  readonly counts: Counts;
  readonly authorities: Pick<Authorities, 'certificateOf'>;
  readonly probes: Stat['probes'];
  readonly starts: number;
}

/** Before control has spoken: nothing passes. */
export const noReport: GateReport = {
  ...{ state: 'closed', error: null, clusters: {}, starts: 0, refused: 0, refusals: [] },
};

export function gateReport(seen: Seen): GateReport {
  const { counts, error, plan } = seen;
  return {
    state: error ? 'failed' : plan && plan.grants.length > 0 ? 'passing' : 'closed',
    error,
    clusters: Object.fromEntries(
      seen.intent.clusters.map((cluster) => [cluster.identity, clusterReport(seen, cluster)]),
    ),
    starts: seen.starts,
    refused: counts.refused,
    refusals: [...counts.refusals],
  };
}

function clusterReport(seen: Seen, cluster: GateCluster): GateClusterReport {
  const { identity } = cluster;
  const flaw = seen.judged.flaws.find((one) => one.identity === identity && one.account === null);
  return {
    authority: seen.authorities.certificateOf(identity) ?? '',
    accounts: Object.fromEntries(
      cluster.accounts.map((account) => [account.name, accountReport(seen, identity, account)]),
    ),
    error: flaw?.error ?? null,
  };
}

function accountReport(seen: Seen, identity: string, account: GateAccount): GateAccountReport {
  const { name } = account;
  const flaw = seen.judged.flaws.find(
    (one) => one.identity === identity && (one.account === name || one.account === null),
  );
  const grant = seen.plan?.grants.find((one) => one.identity === identity && one.account === name);
  const probe = grant && seen.probes[grant.probe];
  return {
    state: flaw ? 'refused' : !account.enabled ? 'closed' : grant ? 'open' : 'refused',
    ...bytesOf(seen.counts, accountKey(identity, name)),
    upstream: probe ? (probe.up ? 'up' : 'down') : null,
    error:
      flaw?.error ??
      (account.enabled && !grant ? seen.error : null) ??
      (probe && !probe.up ? downFault(account, probe.said) : null),
  };
}

const downFault = ({ name, upstream }: GateAccount, said: string): Fault => ({
  code: 'UpstreamDown',
  message: `${name} does not answer at ${upstream.address}, port ${upstream.port}: ${said}.`,
});
