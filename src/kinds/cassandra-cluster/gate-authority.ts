import type { Pass } from '../pass.ts';
import type { Cluster, ClusterState } from './schema.ts';

/** The authority by which a cluster's operator knows the gate, as the gate said it last; kept, so that it outlives control. */
export function noteGateAuthority(cluster: Cluster, pass: Pass): void {
  const said = pass.gateHeard()?.report.clusters[cluster.state.identity]?.authority;
  if (!said || said === cluster.state.gateAuthority) return;
  pass.store.setState<ClusterState>(cluster.id, { ...cluster.state, gateAuthority: said });
}
