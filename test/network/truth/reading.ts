/**
 * What Azure's documents say becomes of a packet, read a second time: straight off the intent, in plain numbers, and
 * sharing no code with the product. Where the documents leave something open, or we are stricter, it says so.
 */
import type { FabricIntent, FabricMachine, FabricNetwork } from '../../../src/exchange/intents/fabric.ts';

type Rule = NonNullable<FabricIntent['securityGroups']>[number]['rules'][number];

export interface Packet {
  /** A machine's id. */
  readonly from: string;
  readonly to: string;
  readonly protocol: 'tcp' | 'udp' | 'icmp';
  readonly sourcePort: number;
  readonly port: number;
}

/** As one interface sees it: who began it, and towards whom. */
interface Seen {
  readonly source: string;
  readonly destination: string;
  readonly protocol: Packet['protocol'];
  readonly sourcePort: number;
  readonly port: number;
}

/** Where an interface stands: its network, and what judges there. */
interface Corner {
  readonly network: string;
  /** The subnet's, then the interface's own. */
  readonly groups: readonly (string | null | undefined)[];
  readonly allow: FabricMachine['allow'];
}

export interface Fate {
  /** The machine that it arrives at, `internet`, or null: it is lost. */
  readonly at: string | null;
  /** Whether what is answered there comes back. */
  readonly answered: boolean;
}

const number = (address: string): number =>
  address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
const span = (prefix: string): readonly [number, number] => {
  const [address, bits] = prefix.split('/');
  return [number(address!), 2 ** (32 - Number(bits))];
};
const lies = (address: string, prefix: string): boolean => {
  const [first, size] = span(prefix);
  return number(address) >= first && number(address) < first + size;
};
const anywhere = (address: string, prefixes: readonly string[]): boolean =>
  prefixes.some((prefix) => lies(address, prefix));

/** Private, carrier-grade, local, multicast and reserved: Azure sends none of them out. */
const neverOut = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '169.254.0.0/16',
  '127.0.0.0/8',
  '0.0.0.0/8',
  '224.0.0.0/3',
];

export class Reading {
  readonly #intent: FabricIntent;
  constructor(intent: FabricIntent) {
    this.#intent = intent;
  }

  /** What becomes of a flow's first packet, and of its answer. */
  fate(packet: Packet): Fate {
    const lost: Fate = { at: null, answered: false };
    const source = this.#intent.machines.find(({ id }) => id === packet.from)!;
    const seen: Seen = { ...packet, source: source.address, destination: packet.to };
    if (!this.#lets(cornerOf(this.#intent, source), 'Outbound', seen)) return lost;
    const hop = this.#hop(source, packet.to);
    if (hop === 'nowhere') return lost;
    if (hop === 'internet') return { at: 'internet', answered: true };
    if (hop !== 'owner') {
      // Led to an appliance, whoever it is for. One with a written policy of its own gets what is for itself.
      const led = this.#intent.machines.find(
        ({ address, network }) => address === hop && network === source.network,
      );
      if (!led || led.allow !== null) return lost;
      if (source.allow !== null && led.address !== packet.to) return lost;
      if (!this.#lets(cornerOf(this.#intent, led), 'Inbound', seen)) return lost;
      return {
        at: led.id,
        answered: led.address === packet.to && this.#leadsBack(led, source.address),
      };
    }
    const near = this.#near(source.network).map(({ id }) => id);
    const link = this.#intent.links.find(
      ({ consumer }) => consumer.address === packet.to && near.includes(consumer.network),
    );
    if (link) {
      const door = { network: link.consumer.network, groups: [link.consumer.securityGroup], allow: null };
      if (!this.#lets(door, 'Inbound', seen)) return lost;
      if (!link.open || packet.protocol !== 'udp' || packet.port !== link.port) return lost;
      const far = this.#intent.machines.find(({ address }) => address === link.provider.destination);
      return far ? { at: far.id, answered: true } : lost;
    }
    const target = this.#intent.machines.find(
      ({ address, network }) => address === packet.to && near.includes(network),
    );
    if (!target || !this.#lets(cornerOf(this.#intent, target), 'Inbound', seen)) return lost;
    return { at: target.id, answered: this.#leadsBack(target, source.address) };
  }

  /** Whether the walls at one interface let a flow pass: what IP flow verify asks. */
  allows(machine: string, direction: 'Inbound' | 'Outbound', seen: Seen): boolean {
    const own = this.#intent.machines.find(({ id }) => id === machine)!;
    return this.#lets(cornerOf(this.#intent, own), direction, seen);
  }

  #leadsBack(from: FabricMachine, address: string): boolean {
    const hop = this.#hop(from, address);
    if (hop === 'owner') return true;
    const own = this.#intent.machines.some(
      (one) => one.address === address && one.network === from.network && one.allow === null,
    );
    return hop === address && own;
  }

  /** Every group must say yes, and the platform's written list, where there is one. */
  #lets(corner: Corner, direction: 'Inbound' | 'Outbound', seen: Seen): boolean {
    const far = direction === 'Inbound' ? seen.source : seen.destination;
    const named = corner.groups.filter((id): id is string => typeof id === 'string');
    // Beyond Azure's words: without any group, a peer that shall have no access has none.
    if (named.length === 0 && anywhere(far, this.#around(corner.network).strangers)) return false;
    if (!named.every((id) => this.#says(id, corner.network, direction, seen))) return false;
    if (corner.allow === null) return true;
    return corner.allow.some(
      (line) =>
        (line.direction === 'in') === (direction === 'Inbound') &&
        line.protocol === seen.protocol &&
        line.port === seen.port &&
        anywhere(far, line.remote),
    );
  }

  /** The rule with the lowest number that matches decides, then the defaults. */
  #says(id: string, network: string, direction: 'Inbound' | 'Outbound', seen: Seen): boolean {
    const group = this.#intent.securityGroups?.find((one) => one.id === id);
    if (!group) return false;
    let best: Rule | undefined;
    for (const rule of group.rules) {
      if (rule.direction !== direction) continue;
      if (best && best.priority < rule.priority) continue;
      if (rule.protocol !== '*' && rule.protocol.toLowerCase() !== seen.protocol) continue;
      if (!this.#means(rule.source, network, seen.source)) continue;
      if (!this.#means(rule.destination, network, seen.destination)) continue;
      if (seen.protocol !== 'icmp') {
        if (!covers(rule.sourcePorts, seen.sourcePort)) continue;
        if (!covers(rule.destinationPorts, seen.port)) continue;
      }
      best = rule;
    }
    if (best) return best.access === 'Allow';
    const { inside } = this.#around(network);
    if (anywhere(seen.source, inside) && anywhere(seen.destination, inside)) return true;
    if (direction === 'Inbound') return lies(seen.source, probing);
    return this.#isOutside(network, seen.destination);
  }

  #means(side: Rule['source'], network: string, address: string): boolean {
    const near = this.#near(network).map(({ id }) => id);
    const members = [...this.#intent.machines, ...this.#intent.links.map(({ consumer }) => consumer)].filter(
      (one) => one.address === address && near.includes(one.network),
    );
    if (members.some((one) => one.applicationSecurityGroups?.some((id) => side.groups.includes(id))))
      return true;
    return side.prefixes.some((text) => {
      switch (text) {
        case '*':
          return true;
        case 'VirtualNetwork':
          return anywhere(address, this.#around(network).inside);
        case 'Internet':
          return this.#isOutside(network, address);
        case 'AzureLoadBalancer':
          return lies(address, probing);
        default:
          return /^\d/.test(text)
            ? lies(address, text)
            : anywhere(address, this.#intent.serviceTags?.[text] ?? []);
      }
    });
  }

  #isOutside(network: string, address: string): boolean {
    const { inside, strangers } = this.#around(network);
    return !anywhere(address, [...inside, ...strangers, ...neverOut]);
  }

  /** The address space that counts as the virtual network's own, and that of peers which shall have no access. */
  #around(network: string): { readonly inside: readonly string[]; readonly strangers: readonly string[] } {
    const [own, ...peers] = this.#near(network);
    const access = new Map((own!.peerings ?? []).map((one) => [one.network, one.access]));
    const of = (wanted: boolean) =>
      peers.filter(({ id }) => access.get(id) === wanted).flatMap(({ prefixes }) => prefixes);
    return { inside: [...own!.prefixes, ...of(true)], strangers: of(false) };
  }

  /** A network and its peers; a peering is one where both have made their half. There is no transit. */
  #near(id: string): readonly FabricNetwork[] {
    const all = this.#intent.networks;
    const own = all.find((network) => network.id === id)!;
    const names = (one: FabricNetwork, other: FabricNetwork): boolean =>
      one.peerings?.some(({ network }) => network === other.id) ?? false;
    return [own, ...all.filter((other) => names(own, other) && names(other, own))];
  }

  /** `owner`: whoever in the network or its peers has the address; otherwise an appliance's address. */
  #hop(from: FabricMachine, address: string): string {
    // Azure carries no multicast and no broadcast, not even to an appliance.
    if (anywhere(address, ['224.0.0.0/4', '255.255.255.255/32'])) return 'nowhere';
    const [own, ...peers] = this.#near(from.network);
    const routes = own!.subnets.find(({ name }) => name === from.subnet)?.routes ?? [];
    const near = [own!, ...peers].map(({ id }) => id);
    const endpoint = this.#intent.links.some(
      ({ consumer }) => consumer.address === address && near.includes(consumer.network),
    );
    const size = (prefix: string): number => span(prefix)[1];
    const narrowest = (prefixes: readonly string[]): number =>
      Math.min(...prefixes.filter((prefix) => lies(address, prefix)).map(size));
    // A private endpoint's own /32 is not overridden here: its subnet's route policy stays at Azure's default, Disabled.
    const user = routes
      .filter(({ prefix }) => lies(address, prefix) && !(endpoint && size(prefix) === 1))
      .toSorted((a, b) => size(a.prefix) - size(b.prefix))[0];
    const inside = [own!, ...peers].flatMap(({ prefixes }) => prefixes);
    const system = endpoint ? 1 : narrowest([...inside, ...neverOut, '0.0.0.0/0']);
    if (user && size(user.prefix) <= system) {
      switch (user.nextHopType) {
        case 'VirtualAppliance':
          return user.nextHopAddress!;
        case 'Internet':
          return this.#out(own!, peers, address);
        case 'VnetLocal': {
          const [first, count] = span(user.prefix);
          const isLocal = own!.prefixes.some((prefix) => {
            const [from_, all] = span(prefix);
            return first >= from_ && first + count <= from_ + all;
          });
          return isLocal ? 'owner' : 'nowhere';
        }
        case 'None':
        case 'VirtualNetworkGateway':
          return 'nowhere';
      }
    }
    if (endpoint || anywhere(address, inside)) return 'owner';
    return this.#out(own!, peers, address);
  }

  #out(own: FabricNetwork, peers: readonly FabricNetwork[], address: string): string {
    const inside = [own, ...peers].flatMap(({ prefixes }) => prefixes);
    return own.internet && !anywhere(address, [...inside, ...neverOut]) ? 'internet' : 'nowhere';
  }
}

/** The address from which Azure's load balancer probes. */
const probing = '168.63.129.16/32';

const covers = (ranges: readonly string[], port: number): boolean =>
  ranges.some((range) => {
    if (range === '*') return true;
    const [low, high] = range.split('-').map(Number);
    return port >= low! && port <= (high ?? low!);
  });

function cornerOf(intent: FabricIntent, machine: FabricMachine): Corner {
  const subnet = intent.networks
    .find(({ id }) => id === machine.network)!
    .subnets.find(({ name }) => name === machine.subnet)!;
  return {
    network: machine.network,
    groups: [subnet.securityGroup, machine.securityGroup],
    allow: machine.allow,
  };
}
