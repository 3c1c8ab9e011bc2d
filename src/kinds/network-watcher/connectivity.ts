/** Whether a machine reaches an address or another machine: asked of the model, and confirmed by a packet that the machine sends. */
import { isIPv4 } from 'node:net';
import type { Asked, KindContext } from '../../arm/kind.ts';
import type { Probe } from '../../exchange/intents/fabric.ts';
import { reach, type Flow, type Reached } from '../../network/reachability.ts';
import type { Fault } from '../../lib/errors.ts';
import type { Json } from '../../store/resource.ts';
import { fabricIntent } from '../fabric-intent.ts';
import type { Fields } from '../fields.ts';
import { silentMs } from '../levels.ts';
import type { Probed } from '../probes.ts';
import { settingsOf, type Settings } from '../settings.ts';
import type { VirtualMachine } from '../virtual-machine/schema.ts';
import { describe, isFinding, type Asking } from './connectivity-answer.ts';
import { machineOf, placeOf, readBody, readPort } from './target.ts';

export function connectivityCheck(json: Json | undefined, context: KindContext): Asked {
  const body = readBody(json);
  const source = body.object('source') ?? body.fail('source', 'is missing: the machine that asks.');
  const id = source.text('resourceId') || source.fail('resourceId', 'is missing: the ARM id of a machine.');
  const machine = machineOf(context, 'source.resourceId', id);
  const { walls, place } = placeOf(context, machine);
  const destination =
    body.object('destination') ?? body.fail('destination', 'is missing: an address or a machine.');
  const protocol = body.choice('protocol', ['Tcp', 'Udp', 'Icmp']) ?? 'Tcp';
  const flow: Flow = {
    protocol,
    source: { address: place.address, port: readPort(source, 'port', true) },
    destination: {
      address: addressOf(context, destination),
      port: readPort(destination, 'port', protocol === 'Icmp'),
    },
  };
  const reached = reach(walls, place, flow);
  const shows = (group: string): boolean =>
    context.may('Microsoft.Network/networkSecurityGroups/read', group);
  const asking: Asking = { walls, from: place, flow, reached, shows };

  const settings = settingsOf(context.store);
  const { probes } = settings;
  const unsent = whyUnsent(settings, context, machine, asking);
  if (unsent || !probes)
    return { answer: describe(asking, { unsent: unsent ?? fault('NoProbes', 'nothing here can send one') }) };
  const askedBy = context.caller.principalId;
  probes.check(askedBy);
  return {
    answer: describe(asking, {
      unsent: fault('NotTold', 'nobody told what became of the one that was to be sent'),
    }),
    confirm: (better) =>
      probes.send({ askedBy, probe: probeOf(asking), nameOf: namesFor(context) }, (probed) => {
        if (isFinding(probed) && isOfWalls(probed)) tell(context, machine, flow, probed);
        better(describe(asking, probed));
      }),
  };
}

const fault = (code: string, message: string): Fault => ({ code, message });

/** Undefined: a packet can be sent. */
function whyUnsent(
  { levels }: Settings,
  context: KindContext,
  machine: VirtualMachine,
  { walls, from, flow, reached }: Asking,
): Fault | undefined {
  if (flow.destination.address === from.address)
    return fault('Itself', 'what a machine says to itself passes no wall');
  if (flow.source.port !== null && !isSame(reached, reach(walls, from, anyPort(flow))))
    return fault('SourcePort', 'a packet has a source port of its own, and the rules look at it');
  const heard = levels.fabric();
  if (!heard) return fault('FabricSilent', 'the fabric, which has them sent, has not reported yet');
  const seconds = Math.round((context.now().getTime() - heard.at) / 1000);
  if (seconds * 1000 > silentMs)
    return fault('FabricSilent', `the fabric, which has them sent, has not reported for ${seconds} s`);
  if (heard.report.machines[from.id]?.state === 'running') return undefined;
  return fault('MachineStopped', `${machine.name} does not run`);
}

const anyPort = (flow: Flow): Flow => ({ ...flow, source: { ...flow.source, port: null } });

const isSame = (one: Reached, other: Reached): boolean =>
  one.reached === other.reached &&
  one.at === other.at &&
  (one.reached || other.reached || one.why === other.why);

function probeOf({ from, flow: { protocol, destination } }: Asking): Probe {
  const word = ({ Tcp: 'tcp', Udp: 'udp', Icmp: 'icmp' } as const)[protocol];
  return { from: from.id, to: destination.address, protocol: word, port: destination.port ?? 0 };
}

/** What lies in networks that the caller may not read has no name. */
function namesFor({ store, may }: KindContext): (id: string) => string {
  return (id) => {
    const { networks, machines, links } = fabricIntent(store, settingsOf(store), []);
    const sees = (network: string): boolean => {
      const label = networks.find((one) => one.id === network)?.label ?? '';
      return label.startsWith('/') && may('Microsoft.Network/virtualNetworks/read', label);
    };
    const machine = machines.find((one) => one.id === id);
    if (machine) return sees(machine.network) ? machine.hostname : 'a machine of another network';
    const link = links.find((one) => one.id === id);
    return link && sees(link.consumer.network)
      ? `the private link of ${link.label.split('/').at(-1)}`
      : 'a private link of another network';
  };
}

/** What a machine's own rules keep never came to a wall. */
const isOfWalls = ({ packet }: Found): boolean => packet.outcome === 'opened' || packet.left;

/** What the walls and a packet say differently is somebody's business, whoever asked. */
function tell({ store }: KindContext, machine: VirtualMachine, flow: Flow, { packet }: Found): void {
  const { protocol, destination } = flow;
  const to = `${destination.address}${destination.port === null ? '' : `:${destination.port}`}`;
  store.event(
    machine.id,
    packet.outcome === 'opened' ? 'WallOpen' : 'WallShut',
    `A packet to ${to} (${protocol}) says other than the walls: ${packet.text}.`,
    'Warning',
  );
}

type Found = Extract<Probed, { packet: unknown }>;

function addressOf(context: KindContext, destination: Fields): string {
  const id = destination.text('resourceId');
  if (id) return placeOf(context, machineOf(context, 'destination.resourceId', id)).place.address;
  const address =
    destination.text('address') ||
    destination.fail('address', 'is missing: an IPv4 address, or the resourceId of a machine.');
  return isIPv4(address)
    ? address
    : destination.fail(
        'address',
        `'${address}' is no IPv4 address; machines have no resolver, so names can't be asked about.`,
      );
}
