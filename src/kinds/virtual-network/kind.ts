/**
 * A virtual network: address space and subnets. Subnets are rows of their own, whether they were sent within the network
 * or by themselves, so that both views are one.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { ArmError } from '../../arm/errors.ts';
import type { Kind, KindContext, PutRequest } from '../../arm/kind.ts';
import type { Store } from '../../store/resource.ts';
import { dataCentersIn, endpointsIn, linkServicesIn } from '../claims.ts';
import { fields, type Fields } from '../fields.ts';
import { isPlatform, refusePlatform } from '../platform-network.ts';
import { accepted, networkName } from '../rules.ts';
import { checkChange, checkNamed, checkUnused, showSubnet, subnetsOf } from '../subnet/kind.ts';
import { networkUsages } from './usages.ts';
import { readSubnet, refuseInUse, subnetType, type SubnetProperties, type Subnet } from '../subnet/schema.ts';
import {
  acceptPeering,
  checkPeers,
  disconnectBack,
  type PeeringNetwork,
} from '../virtual-network-peering/accept.ts';
import { peeringsOf } from '../virtual-network-peering/find.ts';
import { showPeering } from '../virtual-network-peering/kind.ts';
import { peeringType } from '../virtual-network-peering/schema.ts';
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

  accept(request, existing, context) {
    const { store } = context;
    if (existing && isPlatform(existing)) refusePlatform('Its address space and its subnets');
    const body = fields(request.properties);
    refuseWhatIsMissing(body);
    const prefixes = readPrefixes(body) ?? existing?.properties.prefixes;
    if (!prefixes)
      return body.fail('addressSpace', 'is missing: name its addressPrefixes, for instance 10.0.0.0/16.');
    checkAddressSpace(prefixes);
    const present = existing ? subnetsOf(store, existing.id) : [];
    const place = { subscriptionId: request.id.subscriptionId, location: request.location };
    const wanted = body.objects('subnets')?.map((item) => readInline(item, present, context, place));
    const after = wanted ?? present.map((subnet) => ({ name: subnet.name, properties: subnet.properties }));
    const duplicate = after.find(
      (item, index) => after.findIndex((other) => sameName(other.name, item.name)) !== index,
    );
    if (duplicate) return body.fail('subnets', `names '${duplicate.name}' twice.`);
    checkSubnets(
      prefixes,
      after.map((item) => ({ name: item.name, prefix: item.properties.prefix })),
    );
    const id = existing?.id ?? request.id.text;
    checkPeers(store, { id, prefixes });
    const touched = [
      wanted ? writeSubnets(store, request, present, wanted) : false,
      writePeerings(context, { id, prefixes }, body),
    ].includes(true);
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
      properties: showSubnet(subnet, store),
    })),
    virtualNetworkPeerings: peeringsOf(store, network.id).map((peering) => ({
      id: peering.id,
      name: peering.name,
      etag: peering.etag,
      type: peeringType,
      properties: showPeering(peering, { store }),
    })),
    enableDdosProtection: false,
  }),
  envelope: (network) => ({ etag: network.etag }),

  beforeDelete(network, { store }) {
    if (isPlatform(network)) refusePlatform('The network itself');
    const users = [
      ...endpointsIn(store, network.id).map((endpoint) => `private endpoint ${endpoint.id}`),
      ...dataCentersIn(store, network.id).map((dataCenter) => `data centre ${dataCenter.id}`),
      ...linkServicesIn(store, network.id).map((service) => `private link service ${service.id}`),
    ];
    if (users.length > 0) refuseInUse(`Virtual network '${network.name}'`, users);
    for (const peering of peeringsOf(store, network.id)) disconnectBack(store, network.id, peering);
  },
  locationLists: {
    usages: {
      actionName: 'Microsoft.Network/locations/usages/read',
      list: (place, { store }) => networkUsages(store, place),
    },
  },
};

function refuseWhatIsMissing(body: Fields): void {
  body.notYet('enableDdosProtection', 'there is no DDoS protection here; leave it false.');
  body.object('dhcpOptions')?.notYet('dnsServers', 'machines have no resolver, by design; leave it empty.');
}

interface Wanted {
  readonly name: string;
  readonly properties: SubnetProperties;
}

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
const sameName = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

function readInline(
  item: Fields,
  present: readonly Subnet[],
  context: KindContext,
  place: { readonly subscriptionId: string; readonly location: string | null },
): Wanted {
  const name = item.text('name') || item.fail('name', 'is missing: name the subnet.');
  if (!networkName.pattern.test(name)) {
    throw new ArmError('InvalidResourceName', `'${name}' can't name a subnet: ${networkName.rule}.`, {
      target: `${item.path}.name`,
    });
  }
  const properties = item.object('properties') ?? item.fail('properties', 'is missing.');
  const existing = present.find((subnet) => sameName(subnet.name, name));
  const said = readSubnet(properties, existing?.properties);
  return { name: existing?.name ?? name, properties: checkNamed(context, place, said, existing?.properties) };
}

/** As with subnets, a list that is given is the whole list. */
function writePeerings(context: KindContext, network: PeeringNetwork, body: Fields): boolean {
  const { store } = context;
  const present = peeringsOf(store, network.id);
  const wanted = body.objects('virtualNetworkPeerings')?.map((item) => {
    const name = item.text('name') || item.fail('name', 'is missing: name the peering.');
    if (!networkName.pattern.test(name)) item.fail('name', `can't be '${name}': ${networkName.rule}.`);
    const said = item.object('properties') ?? item.fail('properties', 'is missing.');
    const now = present.find((peering) => sameName(peering.name, name));
    return { now, name: now?.name ?? name, ...acceptPeering(context, network, name, said, now) };
  });
  if (!wanted) return false;
  const gone = present.filter((peering) => !wanted.some((item) => sameName(item.name, peering.name)));
  const changed = wanted.filter(
    ({ now, properties }) => !now || !isDeepStrictEqual(now.properties, properties),
  );
  for (const { name, properties, state, now } of changed) {
    const id = now?.id ?? `${network.id}/virtualNetworkPeerings/${name}`;
    store.putOwned({ id, type: peeringType, location: null, properties, state });
  }
  for (const peering of gone) {
    disconnectBack(store, network.id, peering);
    store.remove(peering.id);
  }
  return gone.length + changed.length > 0;
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
    return !existing || !isDeepStrictEqual(plain(existing.properties), plain(item.properties));
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
