import { groupType } from '../../arm/lookup.ts';
import { resourceId } from '../../arm/id.ts';
import type { Store } from '../../store/resource.ts';

export const networkWatcherType = 'Microsoft.Network/networkWatchers';

/** Where Azure puts it too, when the first network of a region is made. */
const group = 'NetworkWatcherRG';

/** A subscription has one in each region in which it has anything to ask about. */
export function putWatcher(
  store: Pick<Store, 'get' | 'putOwned'>,
  { subscriptionId, location }: { readonly subscriptionId: string; readonly location: string | null },
): void {
  if (location === null) return;
  const id = resourceId(subscriptionId, group, networkWatcherType, `NetworkWatcher_${location}`);
  if (store.get(id)) return;
  const groupId = `/subscriptions/${subscriptionId}/resourceGroups/${group}`;
  if (!store.get(groupId))
    store.putOwned({ id: groupId, type: groupType, location, properties: {}, state: {} });
  store.putOwned({ id, type: networkWatcherType, location, properties: {}, state: {} });
}
