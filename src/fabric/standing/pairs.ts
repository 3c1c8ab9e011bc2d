/** The packets by which walls are tried again and again: one for each pair of neighbouring walls. Pure. */
import type { FabricIntent, FabricMachine, Probe } from '../../exchange/intents/fabric.ts';
import { canaries } from '../../network/internet.ts';
import { ports } from '../../network/ports.ts';

/** Customers' networks that one round looks at: what it costs is bounded, whatever there is. All have their turn. */
const networksMost = 4;

/** `running`: machines that can send. A node is another one in each round; so are its canary and the networks, where there are many. */
export function standingProbes(
  intent: FabricIntent,
  running: (machineId: string) => boolean,
  turn: number,
): readonly Probe[] {
  const machines = intent.machines.filter(({ id }) => running(id));
  const of = (kind: FabricMachine['kind'], network?: string): readonly FabricMachine[] =>
    machines.filter((one) => one.kind === kind && (network === undefined || one.network === network));
  const canary = one(canaries.ipv4, turn)!;
  const control = intent.machines.find(({ kind }) => kind === 'control-door');
  const inhabited = intent.networks.filter(
    ({ id }) => of('node', id).length + of('application', id).length > 0,
  );
  const looked = new Set(
    Array.from({ length: Math.min(networksMost, inhabited.length) }, (_, n) =>
      one(inhabited, turn * networksMost + n)!,
    ),
  );
  const probes = [...looked].flatMap((network): (Probe | false | undefined)[] => {
    const node = one(of('node', network.id), turn);
    const application = of('application', network.id)[0];
    const links = intent.links.filter(({ consumer }) => consumer.network === network.id);
    const link = one(links, turn);
    const beyond = network.peerings
      ?.map((peering) => of('application', peering.network)[0])
      .find((found) => found);
    const from = (
      sender: FabricMachine | undefined,
      to: string | undefined,
      protocol: Probe['protocol'],
      port: number,
    ) => sender && to !== undefined && { from: sender.id, to, protocol, port };
    return [
      from(node, canary, 'tcp', 443),
      from(node, canary, 'icmp', 0),
      from(node, control?.address, 'tcp', ports.control),
      from(node, application?.address, 'tcp', 22),
      from(node, link?.consumer.address, 'tcp', 443),
      from(node, beyond?.address, 'tcp', 443),
      from(application, node?.address, 'tcp', ports.ring),
      from(beyond, node?.address, 'tcp', ports.ring),
      from(application, link?.consumer.address, 'tcp', 443),
      from(application, link?.provider.destination, 'udp', link?.port ?? 0),
      from(application, control?.address, 'tcp', ports.control),
      // Where nothing of the customer's says otherwise, this one arrives: what is silent can then be believed.
      from(application, canary, 'tcp', 443),
      from(
        of('operator').find(({ address }) => address === link?.provider.destination),
        canary,
        'tcp',
        443,
      ),
      from(
        of('operator').find(({ address }) => address === link?.provider.destination),
        node?.address,
        'tcp',
        one([ports.cql, ports.metrics], turn)!,
      ),
    ];
  });
  const door = of('control-door')[0];
  const operator = one(of('operator'), turn);
  // The gate is the one way to a service, and a service has no way anywhere.
  const services = [...of('storage'), ...of('monitor')].flatMap(({ id, address, kind }): Probe[] => {
    const port = kind === 'storage' ? ports.storage : ports.monitor;
    const past: Probe[] = operator ? [{ from: operator.id, to: address, protocol: 'tcp', port }] : [];
    return [...past, { from: id, to: canary, protocol: 'tcp', port: 443 }];
  });
  return [
    ...probes,
    ...services,
    door && { from: door.id, to: canary, protocol: 'tcp' as const, port: 443 },
  ].filter((probe): probe is Probe => probe !== false && probe !== undefined);
}

const one = <T>(list: readonly T[], turn: number): T | undefined => list[turn % Math.max(1, list.length)];
