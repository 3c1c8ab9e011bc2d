import type { Fields } from '../fields.ts';
import type { Resource } from '../../store/resource.ts';

export const privateLinkServiceType = 'Microsoft.Network/privateLinkServices';

/** Made by the service for a cluster, whose it is then for the rest; or somebody's own. */
export interface LinkServiceProperties {
  /** Null: somebody's own. */
  readonly clusterId: string | null;
  readonly alias: string;
  /** Subscriptions, in lower case, whose connections are approved at once. The cluster shows this list as its own. */
  readonly autoApproval: readonly string[];
  /** Where it is somebody's own. */
  readonly own?: OwnService;
}

export interface OwnService {
  /** What the far side sees as source; the first is the primary one unless another says so. */
  readonly ipConfigurations: readonly NatConfiguration[];
  readonly destinationAddress: string;
  /** Subscriptions that may ask for a connection, or `*`. Empty: those with a role on it. */
  readonly visibility: readonly string[];
}

export interface NatConfiguration {
  readonly name: string;
  readonly subnetId: string;
  readonly address: string;
  readonly allocation: 'Static' | 'Dynamic';
  readonly primary: boolean;
}

export function readSubscriptions(body: Fields, name: string): readonly string[] | undefined {
  const given = body.texts(name);
  const wrong = given?.find((id) => !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id));
  if (wrong !== undefined) return body.fail(name, `names '${wrong}', which is no subscription id.`);
  return given && [...new Set(given.map((id) => id.toLowerCase()))];
}

export type LinkServiceState = Record<string, never>;

export type LinkService = Resource<LinkServiceProperties, LinkServiceState>;
