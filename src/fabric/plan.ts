import { isIPv4 } from 'node:net';
import type { FabricIntent, FabricLink, FabricMachine, FabricNetwork } from '../exchange/intents/fabric.ts';
import { containsAddress, parsePrefix } from '../lib/ip.ts';
import { internetNamespace, planInternet, uplinkAddresses } from '../network/internet.ts';
import type { DeviceShall, NamespaceShall } from '../network/namespace.ts';
import { planPrivateLink } from '../network/private-link.ts';
import { isRecorder } from '../network/recorder.ts';
import { planRouter, proxyArpSysctls, type PeerEnd } from '../network/router.ts';
import { peeredPairs, type PeeredPair } from './peerings.ts';
import { judgeOf, membersIn, subnetTable, usableGroups, usableRoutes, type Groups } from './security.ts';
import {
  consumerDevice,
  linkNamespace,
  machineDevice,
  macOf,
  peeringDevice,
  providerDevice,
  routerNamespace,
  uplinkDevice,
} from './names.ts';

/** Process ids, in the fabric's PID namespace, of the inits of machines that run. */
export type RunningMachines = ReadonlyMap<string, number>;
/** A number for each network with a way out, kept for its life: it gives the cable its addresses. */
export type NetworkNumbers = Readonly<Record<string, number>>;

export const numberNetworks = (networks: readonly FabricNetwork[], known: NetworkNumbers): NetworkNumbers => {
  const numbers: Record<string, number> = {};
  for (const { id } of networks) if (known[id] !== undefined) numbers[id] = known[id];
  for (const { id } of networks) {
    if (numbers[id] !== undefined) continue;
    const taken = new Set(Object.values(numbers));
    let free = 0;
    while (taken.has(free)) free++;
    numbers[id] = free;
  }
  return numbers;
};

export interface WorldPlan {
  readonly namespaces: readonly NamespaceShall[];
  /** Why something of the intent can't be made, by its id: it is left out, the rest is made. */
  readonly refused: ReadonlyMap<string, string>;
}

/** From the intent to every namespace, device, route and rule. `recording`: somebody reads the recorders now. Pure. */
export function planWorld(
  intent: FabricIntent,
  running: RunningMachines,
  numbers: NetworkNumbers,
  recording: boolean,
): WorldPlan {
  const refused = new Map<string, string>();
  const networks = new Map(intent.networks.map((network) => [network.id, network]));
  const machines = intent.machines.filter((machine) =>
    keep(refused, machine.id, machineFlaw(machine, networks, intent.machines)),
  );
  const links = intent.links.filter((link) => keep(refused, link.id, linkFlaw(link, networks)));

  const refuse = (what: string, why: string): void => void refused.set(what, why);
  const parts = {
    intent: { ...intent, machines, links },
    running,
    numbers,
    pairs: peeredPairs(intent.networks, refuse),
    groups: usableGroups(intent, refuse),
    refuse,
  };

  const routers = intent.networks.flatMap((network) => {
    try {
      return [routerOf(network, parts)];
    } catch (error) {
      refused.set(network.id, error instanceof Error ? error.message : String(error));
      return [];
    }
  });
  const made = new Set(routers.map(({ name }) => name));
  const uplinks = intent.networks
    .filter((network) => network.internet && made.has(routerNamespace(network.id)))
    .map(({ id }) => ({ cable: uplinkCable(id).internet, address: uplinkAddresses(numbers[id]!).gateway }));
  const linkSpaces = links
    .filter(({ consumer, provider }) =>
      [consumer, provider].every(({ network }) => made.has(routerNamespace(network))),
    )
    .map((link) =>
      planPrivateLink({
        name: linkNamespace(link.id),
        consumer: linkCables(link).inside.consumer,
        provider: linkCables(link).inside.provider,
        address: link.consumer.address,
        natAddress: link.provider.natAddress,
        destination: link.provider.destination,
        port: link.port,
        open: link.open,
      }),
    );
  const namespaces = [planInternet(uplinks), ...routers, ...linkSpaces];
  if (recording) return { namespaces, refused };
  const unrecorded = namespaces.map((shall) => ({
    ...shall,
    tables: shall.tables.filter((table) => !isRecorder(table)),
  }));
  return { namespaces: unrecorded, refused };
}

interface Parts {
  readonly intent: FabricIntent;
  readonly running: RunningMachines;
  readonly numbers: NetworkNumbers;
  readonly pairs: readonly PeeredPair[];
  readonly groups: Groups;
  readonly refuse: (what: string, why: string) => void;
}

function routerOf(network: FabricNetwork, parts: Parts): NamespaceShall {
  const { running, groups } = parts;
  const number = parts.numbers[network.id];
  const machines = parts.intent.machines.filter((machine) => machine.network === network.id);
  const links = parts.intent.links.filter(({ consumer }) => consumer.network === network.id);
  const peers = parts.pairs.flatMap((pair) => peerEnd(pair, network, parts.intent.links));
  const subnetOf = (machine: FabricMachine) => network.subnets.find(({ name }) => name === machine.subnet);
  return planRouter({
    name: routerNamespace(network.id),
    prefixes: network.prefixes,
    subnets: network.subnets.map(({ prefix }) => prefix),
    nics: machines.map((machine) => ({
      device: machineDevice(machine.id),
      address: machine.address,
      allow: machine.allow,
      cable: running.has(machine.id) ? machineCable(machine.id, running.get(machine.id)!) : null,
      security: judgeOf(subnetOf(machine)?.securityGroup, machine.securityGroup),
      routeTable: subnetTable(subnetOf(machine)),
    })),
    consumers: links.map((link) => ({
      cable: linkCables(link).consumer,
      address: link.consumer.address,
      port: link.port,
      security: judgeOf(link.consumer.securityGroup),
    })),
    providers: parts.intent.links
      .filter(({ provider }) => provider.network === network.id)
      .map((link) => ({
        cable: linkCables(link).provider,
        natAddress: link.provider.natAddress,
        destination: link.provider.destination,
        port: link.port,
      })),
    internet:
      network.internet && number !== undefined
        ? { cable: uplinkCable(network.id).router, ...uplinkAddresses(number) }
        : null,
    peers: peers.map(({ end }) => end),
    groups,
    routeTables: Object.fromEntries(
      network.subnets.flatMap((subnet) => {
        const table = subnetTable(subnet);
        return table === null ? [] : [[table, usableRoutes(network, subnet, parts.refuse)]];
      }),
    ),
    names: {
      serviceTags: parts.intent.serviceTags ?? {},
      members: membersIn(parts.intent, [network.id, ...peers.map(({ peer }) => peer.id)]),
    },
  });
}

function peerEnd(
  pair: PeeredPair,
  network: FabricNetwork,
  links: readonly FabricLink[],
): readonly { readonly peer: FabricNetwork; readonly end: PeerEnd }[] {
  if (pair.a.id !== network.id && pair.b.id !== network.id) return [];
  const peer = pair.a.id === network.id ? pair.b : pair.a;
  const device = peeringDevice(pair.a.id, pair.b.id);
  const [near] = cable(
    { namespace: routerNamespace(network.id), device },
    { namespace: routerNamespace(peer.id), device },
  );
  const access = network.peerings?.find((peering) => peering.network === peer.id)?.access ?? false;
  const endpoints = links
    .filter(({ consumer }) => consumer.network === peer.id)
    .map(({ consumer }) => consumer.address);
  return [{ peer, end: { cable: near, prefixes: peer.prefixes, access, endpoints } }];
}

function machineCable(machineId: string, pid: number): DeviceShall {
  const name = machineDevice(machineId);
  return {
    name,
    mac: macOf(name),
    far: { pid, device: 'eth0', mac: macOf(`${name} machine`) },
    sysctls: proxyArpSysctls(name),
  };
}

/** A cable as its two ends see it. */
function cable(
  a: { namespace: string; device: string },
  b: { namespace: string; device: string },
): readonly [DeviceShall, DeviceShall] {
  const end = (near: typeof a, far: typeof a): DeviceShall => ({
    name: near.device,
    mac: macOf(`${near.namespace} ${near.device}`),
    far: { ...far, mac: macOf(`${far.namespace} ${far.device}`) },
    sysctls: {},
  });
  return [end(a, b), end(b, a)];
}

function uplinkCable(networkId: string): { readonly router: DeviceShall; readonly internet: DeviceShall } {
  const [router, internet] = cable(
    { namespace: routerNamespace(networkId), device: 'inet0' },
    { namespace: internetNamespace, device: uplinkDevice(networkId) },
  );
  return { router, internet };
}

function linkCables(link: FabricLink) {
  const namespace = linkNamespace(link.id);
  const [consumer, insideConsumer] = cable(
    { namespace: routerNamespace(link.consumer.network), device: consumerDevice(link.id) },
    { namespace, device: 'pe0' },
  );
  const [provider, insideProvider] = cable(
    { namespace: routerNamespace(link.provider.network), device: providerDevice(link.id) },
    { namespace, device: 'vop' },
  );
  return { consumer, provider, inside: { consumer: insideConsumer, provider: insideProvider } };
}

type Networks = ReadonlyMap<string, FabricNetwork>;

function keep(refused: Map<string, string>, id: string, flaw: string | undefined): boolean {
  if (flaw !== undefined) refused.set(id, flaw);
  return flaw === undefined;
}

function machineFlaw(
  machine: FabricMachine,
  networks: Networks,
  all: readonly FabricMachine[],
): string | undefined {
  const network = networks.get(machine.network);
  if (!network) return `Its network '${machine.network}' is not in the intent.`;
  const subnet = network.subnets.find(({ name }) => name === machine.subnet);
  if (!subnet) return `Its network has no subnet '${machine.subnet}'.`;
  if (!isIPv4(machine.address)) return `'${machine.address}' is not an IPv4 address.`;
  const prefix = parsePrefix(subnet.prefix);
  if (!prefix || !containsAddress(prefix, machine.address))
    return `${machine.address} does not lie in subnet '${subnet.name}' (${subnet.prefix}).`;
  if (!/^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/.test(machine.hostname))
    return `'${machine.hostname}' can't be a host name.`;
  const twin = all.find(
    (other) =>
      other.id !== machine.id && other.network === machine.network && other.address === machine.address,
  );
  if (twin) return `${machine.address} is machine '${twin.id}' as well.`;
  const flawed = machine.allow?.flatMap(({ remote }) => remote).find((text) => !isPrefixOrAddress(text));
  return flawed === undefined ? undefined : `'${flawed}' in its allow-list is not an IPv4 prefix.`;
}

function linkFlaw(link: FabricLink, networks: Networks): string | undefined {
  for (const { network } of [link.consumer, link.provider]) {
    if (!networks.has(network)) return `Its network '${network}' is not in the intent.`;
  }
  const flawed = [link.consumer.address, link.provider.natAddress, link.provider.destination].find(
    (address) => !isIPv4(address),
  );
  if (flawed !== undefined) return `'${flawed}' is not an IPv4 address.`;
  return link.port > 0 && link.port < 65_536 ? undefined : `${link.port} is not a port.`;
}

const isPrefixOrAddress = (text: string): boolean =>
  text.includes('/') ? parsePrefix(text) !== undefined : isIPv4(text);
