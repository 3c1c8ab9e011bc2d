/** Changes of the walls, as lines of az. */
import { parseArmId, sameId } from '../../arm/id.ts';
import type { FabricIntent } from '../../exchange/intents/fabric.ts';
import type { Change } from '../../network/why.ts';
import type { Store } from '../../store/resource.ts';
import { connectionOf } from '../private-endpoint/connection.ts';
import type { EndpointProperties, EndpointState } from '../private-endpoint/schema.ts';
import type { SubnetProperties } from '../subnet/schema.ts';
import { peeringsOf } from '../virtual-network-peering/find.ts';

/** Undefined where what would have to change is somebody's whose resources the asker may not see. */
export function azLines(
  store: Store,
  intent: FabricIntent,
  change: Change,
  sees: (id: string) => boolean,
): readonly string[] | undefined {
  const label = (network: string): string =>
    intent.networks.find(({ id }) => id === network)?.label ?? network;
  const seen = (id: string | undefined): string | undefined =>
    id !== undefined && sees(id) ? id : undefined;
  switch (change.kind) {
    case 'rule':
    case 'access': {
      const group = seen(store.get(change.group)?.id);
      if (group === undefined) return undefined;
      const { rule } = change;
      if (change.kind === 'access')
        return [`az network nsg rule update ${at(group, '--nsg-name')} -n ${rule.name} --access Allow`];
      const { direction, priority, protocol, source, destination, destinationPorts } = rule;
      return [
        `az network nsg rule create ${at(group, '--nsg-name')} -n ${rule.name} --priority ${priority} --direction ${direction} --access Allow ` +
          `--protocol ${protocol} --source-address-prefixes ${source.prefixes.join(' ')} --destination-address-prefixes ${destination.prefixes.join(' ')} ` +
          `--destination-port-ranges ${destinationPorts.map((port) => (port === '*' ? "'*'" : port)).join(' ')}`,
      ];
    }
    case 'route': {
      const place = intent.machines.find(({ id }) => id === change.place);
      const subnet = place && store.get<SubnetProperties>(`${label(place.network)}/subnets/${place.subnet}`);
      const table = seen(subnet?.properties.routeTable?.id);
      if (table === undefined) return undefined;
      return [`az network route-table route delete ${at(table, '--route-table-name')} -n ${change.route}`];
    }
    case 'approval': {
      const endpoint = store.get<EndpointProperties, EndpointState>(
        intent.links.find(({ id }) => id === change.endpoint)?.label ?? '',
      );
      const connection = endpoint && connectionOf(store, endpoint);
      return connection && [`az network private-endpoint-connection approve --id ${connection.id}`];
    }
    case 'peering': {
      const ends = [label(change.network), label(change.peer)];
      if (!ends.every(sees)) return undefined;
      return [ends, ends.toReversed()].map(
        ([own, other]) =>
          `az network vnet peering create ${at(own!, '--vnet-name')} -n to-${other!.split('/').at(-1)} --remote-vnet ${other} --allow-vnet-access`,
      );
    }
    case 'peer access': {
      const [own, other] = [label(change.network), label(change.peer)];
      const peering = peeringsOf(store, own).find(({ properties }) =>
        sameId(properties.remoteVirtualNetwork.id, other),
      );
      if (!peering || !sees(own)) return undefined;
      return [
        `az network vnet peering update ${at(own, '--vnet-name')} -n ${peering.name} --set allowVirtualNetworkAccess=true`,
      ];
    }
  }
}

function at(id: string, name: string): string {
  const parsed = parseArmId(id)!;
  return `--subscription ${parsed.subscriptionId} -g ${parsed.resourceGroup} ${name} ${parsed.name}`;
}
