import { containsAddress } from '../../lib/ip.ts';
import { highestFree, storedPrefix } from '../addresses.ts';
import { claimsIn } from '../claims.ts';
import type { Pass } from '../pass.ts';
import { observeEntry, settleBy, type Observed } from '../settle.ts';
import { isPlatform } from '../platform-network.ts';
import { subnetsOf } from '../subnet/kind.ts';
import { peeringsOf } from '../virtual-network-peering/find.ts';
import type { VirtualNetworkState, VirtualNetwork } from './schema.ts';
import type { Subnet } from '../subnet/schema.ts';

export function reconcileVirtualNetwork(network: VirtualNetwork, pass: Pass): void {
  if (network.provisioningState === 'Deleting') {
    if (!pass.fabric()) return;
    for (const subnet of subnetsOf(pass.store, network.id)) pass.store.remove(subnet.id);
    for (const peering of peeringsOf(pass.store, network.id)) pass.store.remove(peering.id);
    return pass.store.remove(network.id);
  }
  if (!isPlatform(network)) pass.store.setState(network.id, placeApplication(pass, network));
  settleBy(pass, network, () => observeNetwork(network, pass));
}

export function reconcileSubnet(subnet: Subnet, network: VirtualNetwork | undefined, pass: Pass): void {
  const gone = !network || (subnet.provisioningState === 'Deleting' && pass.fabric());
  if (gone) return pass.store.remove(subnet.id);
  settleBy(pass, subnet, () => observeNetwork(network, pass));
}

/**
 * A network is so once the fabric says so of the intent as it is now; the platform's, to whose subnet policies are attached,
 * once the gate does as they say, too.
 */
export function observeNetwork(network: VirtualNetwork, pass: Pass): Observed {
  const report = pass.fabric();
  const seen: Observed = report
    ? observeEntry(report.networks[network.state.network], 'ready')
    : { at: 'not yet' };
  return seen.at === 'so' && isPlatform(network) ? observeGate(pass) : seen;
}

function observeGate(pass: Pass): Observed {
  if (pass.gateApplied()) return { at: 'so' };
  const said = pass.gateHeard()?.report;
  return said?.state === 'failed' ? { at: 'failed', error: said.error } : { at: 'not yet' };
}

/**
 * An application machine stands in every network that has a subnet. Once placed it stays, unless its subnet goes; a moved
 * one is another machine, so that nobody takes it for the first.
 */
function placeApplication(pass: Pass, network: VirtualNetwork): VirtualNetworkState {
  const { state } = network;
  const subnets = subnetsOf(pass.store, network.id).filter(
    (subnet) => subnet.provisioningState !== 'Deleting',
  );
  const { application } = state;
  const home = subnets.find((subnet) => subnet.name === application?.subnet);
  if (application && home && containsAddress(storedPrefix(home.properties.prefix), application.address))
    return state;
  const claims = claimsIn(pass.store, network.id);
  for (const subnet of inOrder(subnets)) {
    const address = highestFree(storedPrefix(subnet.properties.prefix), claims);
    if (address === undefined) continue;
    const placed = state.placed + 1;
    const machine = `app-${network.state.network.replace(/^vnet-/, '')}-${placed}`;
    return { ...state, placed, application: { machine, subnet: subnet.name, address } };
  }
  return application ? { ...state, application: null } : state;
}

const inOrder = (subnets: readonly Subnet[]): readonly Subnet[] => [
  ...subnets.filter((subnet) => subnet.name.toLowerCase() === 'apps'),
  ...subnets.filter((subnet) => subnet.name.toLowerCase() !== 'apps'),
];
