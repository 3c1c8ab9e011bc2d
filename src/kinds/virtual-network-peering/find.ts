import { sameId } from '../../arm/id.ts';
import type { Store } from '../../store/resource.ts';
import { childrenOf } from '../children.ts';
import { peeringType, type Peering, type PeeringProperties, type PeeringState } from './schema.ts';

type Reading = Pick<Store, 'list'>;

export const peeringsOf = (store: Reading, networkId: string): readonly Peering[] =>
  childrenOf<PeeringProperties, PeeringState>(store, peeringType, networkId);

/** The other network's peering back to `networkId`, where there is one. */
export const peeringBack = (
  store: Reading,
  networkId: string,
  { properties }: Pick<Peering, 'properties'>,
): Peering | undefined =>
  peeringsOf(store, properties.remoteVirtualNetwork.id).find((other) =>
    sameId(other.properties.remoteVirtualNetwork.id, networkId),
  );

/** The networks that a network's connected peerings lead to. */
export const connectedTo = (store: Reading, networkId: string): readonly string[] =>
  peeringsOf(store, networkId)
    .filter(({ state }) => state.peeringState === 'Connected')
    .map(({ properties }) => properties.remoteVirtualNetwork.id);
