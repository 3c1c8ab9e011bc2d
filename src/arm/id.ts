/**
 * ARM ids. Compared case-insensitively, kept as the caller cased them; doubled slashes are collapsed (contract §0.8).
 */
export interface ArmId {
  /** The id as given, with single slashes and no trailing one. */
  readonly text: string;
  readonly subscriptionId: string;
  readonly resourceGroup: string | undefined;
  /** `Microsoft.DocumentDB/cassandraClusters/dataCenters`; undefined for a subscription or a group. */
  readonly type: string | undefined;
  readonly names: readonly string[];
  readonly name: string;
}

const shape = /^\/subscriptions\/([^/]+)(?:\/resourcegroups\/([^/]+))?(?:\/providers\/([^/]+)\/(.+))?$/i;

/** Parses an id of a subscription, a resource group or a resource; `undefined` when it is none of them. */
export function parseArmId(text: string): ArmId | undefined {
  const clean = text.replace(/\/{2,}/g, '/').replace(/\/$/, '');
  const match = shape.exec(clean);
  if (!match) return undefined;
  const [, subscriptionId, resourceGroup, namespace, path] = match as unknown as [
    string,
    string,
    string?,
    string?,
    string?,
  ];
  if (namespace === undefined || path === undefined) {
    return {
      text: clean,
      subscriptionId,
      resourceGroup,
      type: undefined,
      names: [],
      name: resourceGroup ?? subscriptionId,
    };
  }
  const parts = path.split('/');
  if (parts.length % 2 !== 0) return undefined;
  const types = parts.filter((_, index) => index % 2 === 0);
  const names = parts.filter((_, index) => index % 2 === 1);
  return {
    text: clean,
    subscriptionId,
    resourceGroup,
    type: [namespace, ...types].join('/'),
    names,
    name: names.at(-1)!,
  };
}

/** The id one resource up (`…/cassandraClusters/c1` of `…/cassandraClusters/c1/dataCenters/d1`); undefined at the top. */
export function parentOf(id: ArmId): string | undefined {
  return id.names.length > 1 ? id.text.split('/').slice(0, -2).join('/') : undefined;
}

export const resourceId = (
  subscriptionId: string,
  resourceGroup: string,
  type: string,
  ...names: readonly string[]
): string => {
  const [namespace, ...types] = type.split('/');
  const path = types.map((part, index) => `${part}/${names[index]}`).join('/');
  return `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/${namespace}/${path}`;
};

export const sameId = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
