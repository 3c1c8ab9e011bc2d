import type { Resource, Store } from '../../store/resource.ts';
import { privateLinkServiceType, type LinkServiceProperties } from './schema.ts';

export function putLinkService(
  store: Pick<Store, 'putOwned'>,
  service: Pick<Resource, 'id' | 'location'> & { readonly properties: LinkServiceProperties },
): void {
  store.putOwned({
    id: service.id,
    type: privateLinkServiceType,
    location: service.location,
    properties: service.properties,
    state: {},
  });
}
