/**
 * A private link service of somebody's own, as it is asked for: translated addresses in subnets, and the address that its
 * connections shall lead to.
 */
import { randomUUID } from 'node:crypto';
import { isIPv4 } from 'node:net';
import { ArmError } from '../../arm/errors.ts';
import { resourceId, sameId } from '../../arm/id.ts';
import type { KindContext, PutRequest } from '../../arm/kind.ts';
import { inAnyPrefix } from '../../lib/ip.ts';
import { checkStatic, lowestFree, storedPrefix } from '../addresses.ts';
import { claimsIn, networkOf } from '../claims.ts';
import type { Fields } from '../fields.ts';
import { putInterface } from '../network-interface/kind.ts';
import { networkInterfaceType } from '../network-interface/schema.ts';
import { findSubnet } from '../subnet/find.ts';
import type { VirtualNetworkProperties } from '../virtual-network/schema.ts';
import { connectedTo } from '../virtual-network-peering/find.ts';
import {
  readSubscriptions,
  type LinkServiceProperties,
  type NatConfiguration,
  type OwnService,
} from './schema.ts';

const mostConfigurations = 8;

export function acceptOwn(
  request: PutRequest,
  body: Fields,
  existing: LinkServiceProperties | undefined,
  context: KindContext,
): LinkServiceProperties {
  body.notYet(
    'loadBalancerFrontendIpConfigurations',
    'there are no load balancers; name a destinationIPAddress instead.',
  );
  const now = existing?.own;
  const visibility = readVisibility(body) ?? now?.visibility ?? [];
  const approval = body.object('autoApproval');
  const autoApproval = (approval && readList(approval)) ?? existing?.autoApproval ?? [];
  checkWithin(autoApproval, visibility);
  const asked = readConfigurations(body);
  if (now && asked) keepConfigurations(now.ipConfigurations, asked);
  const destinationAddress = readDestination(body, now);
  const ipConfigurations =
    now?.ipConfigurations ??
    place(
      asked ??
        body.fail('ipConfigurations', 'is missing: name at least one subnet for translated addresses.'),
      destinationAddress,
      context,
    );
  checkDestination(context, networkOf(ipConfigurations[0]!.subnetId), destinationAddress);
  if (!now) putInterfaces(request, ipConfigurations, context);
  const alias =
    existing?.alias ??
    `${request.id.name}.${randomUUID()}.${request.location ?? 'local'}.azure.privatelinkservice`;
  return {
    clusterId: null,
    alias,
    autoApproval,
    own: { ipConfigurations, destinationAddress, visibility },
  };
}

const readVisibility = (body: Fields): readonly string[] | undefined => {
  const said = body.object('visibility');
  return said && readList(said);
};

/** Subscriptions, or `*` for all. */
function readList(said: Fields): readonly string[] | undefined {
  const given = said.texts('subscriptions');
  if (given?.includes('*'))
    return given.length === 1 ? ['*'] : said.fail('subscriptions', 'names * and others; * is all of them.');
  return readSubscriptions(said, 'subscriptions');
}

function checkWithin(autoApproval: readonly string[], visibility: readonly string[]): void {
  const outside = visibility.includes('*') ? undefined : autoApproval.find((id) => !visibility.includes(id));
  if (outside === undefined) return;
  throw new ArmError(
    'InvalidParameter',
    `properties.autoApproval.subscriptions names ${outside}, to which the service isn't visible. Add it to visibility.subscriptions, or leave it out.`,
    { target: 'properties.autoApproval.subscriptions' },
  );
}

interface AskedConfiguration extends Pick<NatConfiguration, 'name' | 'subnetId' | 'primary'> {
  readonly path: string;
  /** Undefined: the lowest free one. */
  readonly address: string | undefined;
}

function readConfigurations(body: Fields): readonly AskedConfiguration[] | undefined {
  const list = body.objects('ipConfigurations');
  if (!list || list.length === 0) return undefined;
  if (list.length > mostConfigurations)
    return body.fail('ipConfigurations', `has ${list.length} entries; at most ${mostConfigurations}.`);
  const primary = list.findIndex((item) => item.object('properties')?.flag('primary') === true);
  return list.map((item, at) => {
    const said = item.object('properties') ?? item.fail('properties', 'is missing.');
    const subnet =
      said.object('subnet') ?? said.fail('subnet', 'is missing: the subnet of the translated address.');
    said.choice('privateIPAddressVersion', ['IPv4']);
    const allocation = said.choice('privateIPAllocationMethod', ['Static', 'Dynamic']);
    const address = allocation === 'Dynamic' ? undefined : said.text('privateIPAddress') || undefined;
    if (allocation === 'Static' && address === undefined)
      return said.fail('privateIPAddress', 'is missing: privateIPAllocationMethod is Static.');
    return {
      name: item.text('name', { max: 80 }) || item.fail('name', 'is missing.'),
      subnetId: subnet.text('id') || subnet.fail('id', 'is missing: the ARM id of the subnet.'),
      path: said.path,
      primary: at === Math.max(0, primary),
      address,
    };
  });
}

/** Translated addresses are chosen once: an endpoint's far side knows them. */
function keepConfigurations(now: readonly NatConfiguration[], asked: readonly AskedConfiguration[]): void {
  const same =
    now.length === asked.length &&
    asked.every(({ name, subnetId, address }, at) => {
      const stored = now[at]!;
      return (
        stored.name === name &&
        sameId(stored.subnetId, subnetId) &&
        (address ?? stored.address) === stored.address
      );
    });
  if (same) return;
  throw new ArmError(
    'PropertyChangeNotAllowed',
    "properties.ipConfigurations can't change: its addresses are chosen once. Make another service.",
    {
      target: 'properties.ipConfigurations',
    },
  );
}

function readDestination(body: Fields, now: OwnService | undefined): string {
  const address = body.text('destinationIPAddress') || now?.destinationAddress;
  if (!address)
    return body.fail('destinationIPAddress', 'is missing: the address that connections shall lead to.');
  return isIPv4(address) ? address : body.fail('destinationIPAddress', `'${address}' is no IPv4 address.`);
}

function checkDestination({ store }: KindContext, networkId: string, address: string): void {
  const near = [networkId, ...connectedTo(store, networkId)];
  const prefixes = near.flatMap((id) => store.get<VirtualNetworkProperties>(id)?.properties.prefixes ?? []);
  if (inAnyPrefix(address, prefixes)) return;
  throw new ArmError(
    'InvalidParameter',
    `properties.destinationIPAddress: ${address} lies outside the virtual network ${networkId} and its peers (${prefixes.join(', ')}).`,
    { target: 'properties.destinationIPAddress' },
  );
}

/** Chooses the translated addresses; refuses before anything is written. */
function place(
  asked: readonly AskedConfiguration[],
  destination: string,
  context: KindContext,
): readonly NatConfiguration[] {
  const { store } = context;
  const claims = new Map<string, string>();
  const placed: NatConfiguration[] = [];
  for (const { name, subnetId, path, primary, address } of asked) {
    const subnet = findSubnet(context, `${path}.subnet.id`, subnetId);
    const [first = subnet.id] = placed.map((item) => item.subnetId);
    const refuse = (why: string): never => {
      throw new ArmError('InvalidParameter', `${path}: ${why}`, { target: path });
    };
    if (placed.some((item) => sameId(item.name, name))) refuse(`the name '${name}' is there twice.`);
    if (!sameId(networkOf(subnet.id), networkOf(first)))
      refuse('all translated addresses lie in one virtual network.');
    if (subnet.properties.privateLinkServiceNetworkPolicies !== 'Disabled') {
      refuse(
        `subnet '${subnet.name}' has privateLinkServiceNetworkPolicies Enabled, which a private link service can't do with. Set it to Disabled on the subnet first.`,
      );
    }
    for (const [one, owner] of claimsIn(store, networkOf(subnet.id))) claims.set(one, owner);
    claims.set(destination, 'the destination');
    const prefix = storedPrefix(subnet.properties.prefix);
    const chosen = address
      ? checkStatic(`${path}.privateIPAddress`, address, subnet.name, prefix, claims)
      : lowestFree(prefix, claims, 1)[0];
    if (chosen === undefined) {
      throw new ArmError(
        'Conflict',
        `Subnet '${subnet.name}' (${subnet.properties.prefix}) has no free address.`,
        {
          target: path,
        },
      );
    }
    claims.set(chosen, 'this service');
    placed.push({
      name,
      subnetId: subnet.id,
      address: chosen,
      allocation: address ? 'Static' : 'Dynamic',
      primary,
    });
  }
  return placed;
}

/** Names of the interfaces of its `count` translated addresses. */
export const interfaceIdsOf = (
  service: { readonly subscriptionId: string; readonly resourceGroup: string; readonly name: string },
  count: number,
): readonly string[] =>
  Array.from({ length: count }, (_, at) =>
    resourceId(
      service.subscriptionId,
      service.resourceGroup,
      networkInterfaceType,
      `${service.name.slice(0, 60)}.nic.${at}`,
    ),
  );

function putInterfaces(
  { id, location }: PutRequest,
  ipConfigurations: readonly NatConfiguration[],
  { store }: KindContext,
): void {
  const place = { subscriptionId: id.subscriptionId, resourceGroup: id.resourceGroup!, name: id.name };
  const ids = interfaceIdsOf(place, ipConfigurations.length);
  for (const [at, { name, subnetId, address, allocation }] of ipConfigurations.entries()) {
    const interfaceId = ids[at]!;
    if (store.get(interfaceId))
      throw new ArmError(
        'Conflict',
        `There is a network interface ${interfaceId} already. Choose another name for the service.`,
      );
    const properties = { subnetId, address, allocation, configurationName: name, ownerId: id.text };
    putInterface(store, { id: interfaceId, location, properties });
  }
}
