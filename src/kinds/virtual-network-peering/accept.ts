/** Judges a peering, whether it is sent by itself or within its network. */
import { randomUUID } from 'node:crypto';
import { ArmError } from '../../arm/errors.ts';
import { sameId } from '../../arm/id.ts';
import type { KindContext } from '../../arm/kind.ts';
import { overlaps } from '../../lib/ip.ts';
import type { Store } from '../../store/resource.ts';
import { storedPrefix } from '../addresses.ts';
import { isPresent } from '../children.ts';
import type { Fields } from '../fields.ts';
import { isPlatform, isPlatformNetwork, refusePlatform } from '../platform-network.ts';
import { readReference } from '../references.ts';
import { idOf, keep } from '../rules.ts';
import {
  virtualNetworkType,
  type VirtualNetwork,
  type VirtualNetworkProperties,
  type VirtualNetworkState,
} from '../virtual-network/schema.ts';
import { peeringBack, peeringsOf } from './find.ts';
import { peerAction, type Peering, type PeeringProperties, type PeeringState } from './schema.ts';

export interface PeeringNetwork {
  readonly id: string;
  readonly prefixes: readonly string[];
}

/** Refuses before it writes; a peering that finds its other side waiting connects both. */
export function acceptPeering(
  context: KindContext,
  network: PeeringNetwork,
  name: string,
  body: Fields,
  existing: Pick<Peering, 'properties' | 'state'> | undefined,
): { readonly properties: PeeringProperties; readonly state: PeeringState } {
  const properties = readPeering(body, existing?.properties);
  if (existing) return { properties, state: existing.state };
  const { store } = context;
  if (isPlatformNetwork(store, network.id)) refusePlatform('Its peerings');
  const remote = remoteOf(context, body, properties.remoteVirtualNetwork.id);
  if (sameId(remote.id, network.id))
    return body.fail('remoteVirtualNetwork', 'is the network itself. Name another.');
  const others = peeringsOf(store, network.id).filter((other) => !sameId(other.name, name));
  const same = others.find((other) => sameId(other.properties.remoteVirtualNetwork.id, remote.id));
  if (same) {
    throw new ArmError(
      'Conflict',
      `Peering '${same.name}' leads to ${remote.id} already. Two networks have one peering.`,
      {
        target: 'properties.remoteVirtualNetwork',
      },
    );
  }
  checkApart(network, remote.id, remote.properties.prefixes);
  for (const other of others) {
    const peer = store.get<VirtualNetworkProperties>(other.properties.remoteVirtualNetwork.id);
    if (peer)
      checkApart({ id: peer.id, prefixes: peer.properties.prefixes }, remote.id, remote.properties.prefixes);
  }
  const back = peeringBack(store, network.id, { properties });
  if (back?.state.peeringState === 'Disconnected') {
    throw new ArmError(
      'Conflict',
      `The other side's peering ${back.id} is Disconnected, and stays so. Have it deleted, then create both again.`,
      { target: 'properties.remoteVirtualNetwork' },
    );
  }
  if (back) store.setState<PeeringState>(back.id, { ...back.state, peeringState: 'Connected' });
  return { properties, state: { peeringState: back ? 'Connected' : 'Initiated', guid: randomUUID() } };
}

function readPeering(body: Fields, now: PeeringProperties | undefined): PeeringProperties {
  body.notYet('useRemoteGateways', 'there are no gateways here; leave it false.');
  if (body.flag('peerCompleteVnets') === false || body.flag('enableOnlyIPv6Peering') === true) {
    throw new ArmError(
      'NotYetSupported',
      `${body.path}: networks are peered whole; leave peerCompleteVnets true.`,
      {
        target: `${body.path}.peerCompleteVnets`,
      },
    );
  }
  const asked = readReference(body, 'remoteVirtualNetwork');
  if (now && asked && !sameId(now.remoteVirtualNetwork.id, asked.id))
    keep('remoteVirtualNetwork', now.remoteVirtualNetwork, asked);
  const flag = (
    name: 'allowVirtualNetworkAccess' | 'allowForwardedTraffic' | 'allowGatewayTransit',
    unsaid: boolean,
  ) => body.flag(name) ?? now?.[name] ?? unsaid;
  return {
    remoteVirtualNetwork:
      now?.remoteVirtualNetwork ??
      asked ??
      body.fail('remoteVirtualNetwork', 'is missing: the ARM id of the network to peer with.'),
    allowVirtualNetworkAccess: flag('allowVirtualNetworkAccess', true),
    allowForwardedTraffic: flag('allowForwardedTraffic', false),
    allowGatewayTransit: flag('allowGatewayTransit', false),
    useRemoteGateways: false,
  };
}

function remoteOf({ store, may, caller }: KindContext, body: Fields, text: string): VirtualNetwork {
  const target = `${body.path}.remoteVirtualNetwork.id`;
  const id = idOf(target, text, virtualNetworkType);
  if (!may(peerAction, id.text)) {
    throw new ArmError(
      'AuthorizationFailed',
      `'${caller.displayName}' may not peer with ${id.text}: that takes ${peerAction} there. Ask its owner for a role that has it.`,
      { target },
    );
  }
  const found = store.get<VirtualNetworkProperties, VirtualNetworkState>(id.text);
  if (found && isPlatform(found)) refusePlatform('Its peerings');
  if (found && isPresent(found)) return found;
  throw new ArmError(
    'InvalidParameter',
    `${target}: there is no virtual network ${id.text}. Create it first.`,
    { target },
  );
}

function checkApart(network: PeeringNetwork, remoteId: string, prefixes: readonly string[]): void {
  for (const own of network.prefixes) {
    const other = prefixes.find((prefix) => overlaps(storedPrefix(prefix), storedPrefix(own)));
    if (other === undefined) continue;
    throw new ArmError(
      'InvalidParameter',
      `Address spaces overlap: ${own} of ${network.id} and ${other} of ${remoteId}. Networks that are peered, with each other or with a third, need addresses of their own.`,
      { target: 'properties.remoteVirtualNetwork' },
    );
  }
}

/** Refuses an address space that a network's peers have too. */
export function checkPeers(store: Pick<Store, 'get' | 'list'>, network: PeeringNetwork): void {
  for (const { properties } of peeringsOf(store, network.id)) {
    const remote = store.get<VirtualNetworkProperties>(properties.remoteVirtualNetwork.id);
    if (remote && isPresent(remote)) checkApart(network, remote.id, remote.properties.prefixes);
  }
}

/** The other side of a peering that goes. */
export function disconnectBack(store: Store, networkId: string, peering: Pick<Peering, 'properties'>): void {
  const back = peeringBack(store, networkId, peering);
  if (back) store.setState<PeeringState>(back.id, { ...back.state, peeringState: 'Disconnected' });
}
