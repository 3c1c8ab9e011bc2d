/** The walls that a fabric's intent asks for, as the model reads them. Pure: nothing is asked of a kernel. */
import type { FabricIntent } from '../exchange/intents/fabric.ts';
import type { Member, Place, StandingGroup, Walls } from './reachability.ts';
import type { RuleDirection, SecurityRule } from './security-rules.ts';

/** A place's id is that of its machine, an endpoint's that of its link. */
export function wallsOfIntent(intent: FabricIntent): Walls {
  const { networks, machines, links } = intent;
  const rules = new Map((intent.securityGroups ?? []).map((group) => [group.id, group.rules]));
  const group = (id: string | null | undefined): StandingGroup => {
    if (id === null || id === undefined) return { id: null, rules: [] };
    return { id, rules: rules.get(id) ?? unknownGroup };
  };
  const peers = (id: string) =>
    (networks.find((network) => network.id === id)?.peerings ?? []).map((peering) => peering.network);
  return {
    networks: networks.map(({ id, prefixes, peerings = [], internet }) => ({
      id,
      prefixes,
      peers: peerings
        .filter((peering) => peers(peering.network).includes(id))
        .map(({ network, access }) => ({ id: network, access })),
      internet,
    })),
    places: machines.map((machine): Place => {
      const subnet = networks
        .find(({ id }) => id === machine.network)
        ?.subnets.find(({ name }) => name === machine.subnet);
      return {
        id: machine.id,
        network: machine.network,
        address: machine.address,
        allow: machine.allow,
        group: group(subnet?.securityGroup),
        ownGroup: group(machine.securityGroup),
        routes: subnet?.routes ?? [],
        routeTable: null,
      };
    }),
    endpoints: links.map(({ id, consumer, provider, port, open }) => ({
      operator: machines.find(
        ({ network, address }) => network === provider.network && address === provider.destination,
      )?.id,
      id,
      network: consumer.network,
      address: consumer.address,
      port,
      open,
      group: group(consumer.securityGroup),
    })),
    members: membersOf([...machines, ...links.map(({ consumer }) => consumer)]),
    tags: intent.serviceTags ?? {},
  };
}

function membersOf(
  places: readonly (Member & { readonly applicationSecurityGroups?: readonly string[] | undefined })[],
): Walls['members'] {
  const members: Record<string, Member[]> = {};
  for (const { network, address, applicationSecurityGroups = [] } of places)
    for (const id of applicationSecurityGroups) (members[id.toLowerCase()] ??= []).push({ network, address });
  return members;
}

/** What stands where a group is named that isn't there: a router lets nothing pass then. */
const unknownGroup: readonly SecurityRule[] = (['Inbound', 'Outbound'] as const).map(
  (direction: RuleDirection): SecurityRule => ({
    name: 'UnknownGroup',
    priority: 0,
    direction,
    access: 'Deny',
    protocol: '*',
    source: { prefixes: ['*'], groups: [] },
    sourcePorts: ['*'],
    destination: { prefixes: ['*'], groups: [] },
    destinationPorts: ['*'],
  }),
);
