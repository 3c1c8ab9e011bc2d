/**
 * A virtual network: address space and subnets. Subnets are rows of their own, whether they were sent within the network
 * or by themselves, so that both views are one.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { ArmError } from '../../arm/errors.ts';
import type { Kind, PutRequest } from '../../arm/kind.ts';
import type { Store } from '../../store/resource.ts';
import { dataCentersIn, endpointsIn } from '../claims.ts';
import { fields, type Fields } from '../fields.ts';
import { accepted, networkName } from '../rules.ts';
import { checkChange, checkUnused, showSubnet, subnetsOf } from '../subnet/kind.ts';
import { readSubnet, refuseInUse, subnetType, type SubnetProperties, type Subnet } from '../subnet/schema.ts';
import {
  checkAddressSpace,
  checkSubnets,
  readPrefixes,
  virtualNetworkType,
  type VirtualNetworkProperties,
  type VirtualNetworkState,
} from './schema.ts';

export const virtualNetworkKind: Kind<VirtualNetworkProperties, VirtualNetworkState> = {
  type: virtualNetworkType,
  summary: 'A virtual network with its subnets.',
  name: networkName,
  tracked: true,
  operations: 'network',
  verbs: ['GET', 'PUT', 'PATCH', 'DELETE'],

  accept(request, existing, { store }) {
    const body = fields(request.properties);
    refuseWhatIsMissing(body);
    const prefixes = readPrefixes(body) ?? existing?.properties.prefixes;
    if (!prefixes)
      return body.fail('addressSpace', 'is missing: name its addressPrefixes, for instance 10.0.0.0/16.');
    checkAddressSpace(prefixes);
    const present = existing ? subnetsOf(store, existing.id) : [];
    const wanted = body.objects('subnets')?.map((item) => readInline(item, present));
    const after = wanted ?? present.map((subnet) => ({ name: subnet.name, properties: subnet.properties }));
    const duplicate = after.find(
      (item, index) => after.findIndex((other) => sameName(other.name, item.name)) !== index,
    );
    if (duplicate) return body.fail('subnets', `names '${duplicate.name}' twice.`);
    checkSubnets(
      prefixes,
      after.map((item) => ({ name: item.name, prefix: item.properties.prefix })),
    );
    const touched = wanted ? writeSubnets(store, request, present, wanted) : false;
    const state = existing?.state ?? {
      network: `vnet-${randomBytes(5).toString('hex')}`,
      guid: randomUUID(),
      application: null,
      placed: 0,
    };
    return accepted(existing, { prefixes }, state, { touched });
  },

  show: (network, { store }) => ({
    provisioningState: network.provisioningState,
    resourceGuid: network.state.guid,
    addressSpace: { addressPrefixes: network.properties.prefixes },
    subnets: subnetsOf(store, network.id).map((subnet) => ({
      id: subnet.id,
      name: subnet.name,
      etag: subnet.etag,
      type: subnetType,
      properties: showSubnet(subnet),
    })),
    virtualNetworkPeerings: [],
    enableDdosProtection: false,
  }),
  envelope: (network) => ({ etag: network.etag }),

  beforeDelete(network, { store }) {
    const users = [
      ...endpointsIn(store, network.id).map((endpoint) => `private endpoint ${endpoint.id}`),
      ...dataCentersIn(store, network.id).map((dataCenter) => `data centre ${dataCenter.id}`),
    ];
    if (users.length > 0) refuseInUse(`Virtual network '${network.name}'`, users);
  },
};

function refuseWhatIsMissing(body: Fields): void {
  body.notYet('virtualNetworkPeerings', 'peerings come with a later version; leave them out.');
  body.notYet('enableDdosProtection', 'there is no DDoS protection here; leave it false.');
  body.object('dhcpOptions')?.notYet('dnsServers', 'machines have no resolver, by design; leave it empty.');
}

interface Wanted {
  readonly name: string;
  readonly properties: SubnetProperties;
}

const sameName = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

function readInline(item: Fields, present: readonly Subnet[]): Wanted {
  const name = item.text('name') || item.fail('name', 'is missing: name the subnet.');
  if (!networkName.pattern.test(name)) {
    throw new ArmError('InvalidResourceName', `'${name}' can't name a subnet: ${networkName.rule}.`, {
      target: `${item.path}.name`,
    });
  }
  const properties = item.object('properties') ?? item.fail('properties', 'is missing.');
  const existing = present.find((subnet) => sameName(subnet.name, name));
  return { name: existing?.name ?? name, properties: readSubnet(properties, existing?.properties) };
}

/** A list that is given is the whole list: what isn't in it goes. True where anything changed. */
function writeSubnets(
  store: Store,
  request: PutRequest,
  present: readonly Subnet[],
  wanted: readonly Wanted[],
): boolean {
  const gone = present.filter((subnet) => !wanted.some((item) => sameName(item.name, subnet.name)));
  for (const subnet of gone) checkUnused(store, subnet);
  const changed = wanted.filter((item) => {
    const existing = present.find((subnet) => sameName(subnet.name, item.name));
    return !existing || !isDeepStrictEqual(existing.properties, item.properties);
  });
  for (const item of changed) {
    const existing = present.find((subnet) => sameName(subnet.name, item.name));
    const id = existing?.id ?? `${request.id.text}/subnets/${item.name}`;
    if (existing && !['Succeeded', 'Failed', 'Canceled'].includes(existing.provisioningState)) {
      throw new ArmError(
        'AnotherOperationInProgress',
        `Subnet '${item.name}' is ${existing.provisioningState}.`,
      );
    }
    checkChange(store, id, existing, item.properties);
    store.putOwned({ id, type: subnetType, location: null, properties: item.properties, state: {} });
  }
  for (const subnet of gone) store.remove(subnet.id);
  return gone.length + changed.length > 0;
}
