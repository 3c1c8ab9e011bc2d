import type { JsonObject, Resource, Store } from '../store/resource.ts';
import type { AnyKind } from './kind.ts';

/** A resource as everybody sees it. */
export function show(kind: AnyKind, resource: Resource, store: Store): JsonObject {
  if (kind.bare === true) return kind.show(resource, { store });
  const own = kind.envelope?.(resource, { store }) ?? {};
  return {
    id: resource.id,
    name: resource.name,
    type: kind.type,
    ...(kind.operations === 'network' && { etag: resource.etag }),
    ...(kind.tracked && { location: resource.location, tags: resource.tags }),
    ...(kind.operations === 'documentdb' && { systemData: { ...resource.systemData } }),
    ...own,
    properties: { provisioningState: resource.provisioningState, ...kind.show(resource, { store }) },
  };
}
