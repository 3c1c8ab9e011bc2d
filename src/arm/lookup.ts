import type { Resource } from '../store/resource.ts';
import { ArmError } from './errors.ts';
import { parentOf, parseArmId, type ArmId } from './id.ts';
import type { AnyKind } from './kind.ts';
import type { ArmContext } from './wire.ts';

export const groupType = 'Microsoft.Resources/resourceGroups';

export const groupIdOf = (id: Pick<ArmId, 'subscriptionId' | 'resourceGroup'>): string =>
  `/subscriptions/${id.subscriptionId}/resourceGroups/${id.resourceGroup}`;

export function needGroup(cx: ArmContext, id: Pick<ArmId, 'subscriptionId' | 'resourceGroup'>): Resource {
  const group = cx.store.get(groupIdOf(id));
  if (group) return group;
  throw new ArmError(
    'ResourceGroupNotFound',
    `Resource group '${id.resourceGroup}' could not be found. Create it: sallyport group create -n ${id.resourceGroup} -l LOCATION.`,
  );
}

export function needResource(cx: ArmContext, kind: AnyKind, id: ArmId): Resource {
  const resource = cx.store.get(id.text);
  if (resource && resource.type.toLowerCase() === kind.type.toLowerCase()) return resource;
  needGroup(cx, id);
  throw new ArmError(
    'ResourceNotFound',
    `The Resource '${resourcePath(kind.type, id.names)}' under resource group '${id.resourceGroup}' was not found.`,
  );
}

/** The ARM parent must be there, and stay. */
export function needParent(cx: ArmContext, id: ArmId): void {
  const group = needGroup(cx, id);
  if (group.provisioningState === 'Deleting') {
    throw new ArmError(
      'ResourceGroupBeingDeleted',
      `The resource group '${group.name}' is being deleted: nothing can be made in it. Wait until it is gone, or choose another group.`,
      { target: group.id },
    );
  }
  const parentId = parentOf(id);
  if (parentId === undefined) return;
  const parent = cx.store.get(parentId);
  if (!parent) {
    throw new ArmError(
      'ParentResourceNotFound',
      `Can not perform requested operation on nested resource. Parent resource '${id.names.slice(0, -1).join('/')}' not found. Create the parent first.`,
    );
  }
  if (parent.provisioningState === 'Deleting') {
    throw new ArmError('AnotherOperationInProgress', `The parent '${parent.id}' is being deleted.`, {
      target: parent.id,
    });
  }
}

/** `Microsoft.DocumentDB/cassandraClusters/c1/dataCenters/d1`: type and names interleaved, as ARM's texts have it. */
export function resourcePath(type: string, names: readonly string[]): string {
  const [namespace, ...types] = type.split('/');
  return [namespace, ...types.flatMap((part, at) => [part, names[at] ?? ''])].join('/');
}

/** The scope that something is to hang on must be there: a subscription, a group or a resource. */
export function needScope(cx: ArmContext, scope: string): Resource | undefined {
  const id = parseArmId(scope);
  if (id?.type === undefined) return id?.resourceGroup === undefined ? undefined : needGroup(cx, id);
  const resource = cx.store.get(scope);
  if (resource) return resource;
  if (id.resourceGroup !== undefined) needGroup(cx, id);
  throw new ArmError(
    'ResourceNotFound',
    `The Resource '${resourcePath(id.type, id.names)}' under resource group '${id.resourceGroup ?? ''}' was not found.`,
  );
}
