import type { Fields } from '../fields.ts';
import type { Resource } from '../../store/resource.ts';

export const privateLinkServiceType = 'Microsoft.Network/privateLinkServices';

/** Made by the service for a cluster: what it says beyond this is the cluster's. */
export interface LinkServiceProperties {
  readonly clusterId: string;
  readonly alias: string;
  /** Subscriptions, in lower case, whose connections are approved at once. The cluster shows this list as its own. */
  readonly autoApproval: readonly string[];
}

export function readSubscriptions(body: Fields, name: string): readonly string[] | undefined {
  const given = body.texts(name);
  const wrong = given?.find((id) => !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id));
  if (wrong !== undefined) return body.fail(name, `names '${wrong}', which is no subscription id.`);
  return given && [...new Set(given.map((id) => id.toLowerCase()))];
}

export type LinkServiceState = Record<string, never>;

export type LinkService = Resource<LinkServiceProperties, LinkServiceState>;
