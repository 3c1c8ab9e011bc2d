/** Whom a question names: a machine by its name, address or an ARM id, a private endpoint, or an address that is nobody's. */
import { isIPv4 } from 'node:net';
import { ArmError } from '../../arm/errors.ts';
import type { FabricIntent } from '../../exchange/intents/fabric.ts';
import { canaries } from '../../network/internet.ts';
import type { Store } from '../../store/resource.ts';
import { networkOf } from '../claims.ts';
import { networkInterfaceType, type InterfaceProperties } from '../network-interface/schema.ts';
import { platform } from '../platform.ts';
import { virtualMachineType, type MachineProperties } from '../virtual-machine/schema.ts';
import type { VirtualNetworkState } from '../virtual-network/schema.ts';

/** Something that has an address. */
export interface Somebody {
  /** Of the machine in the fabric, or of the link; null: neither. */
  readonly id: string | null;
  readonly kind: 'machine' | 'private endpoint' | 'address';
  readonly name: string;
  readonly address: string;
  /** The fabric's id of its network; null with an address alone. */
  readonly network: string | null;
  /** All that it goes by. */
  readonly known: readonly string[];
}

/** All machines and endpoints of the networks that somebody may see. */
export function everybody(
  store: Pick<Store, 'get' | 'list'>,
  intent: FabricIntent,
  sees: (network: string) => boolean,
): readonly Somebody[] {
  const virtual = store.list<MachineProperties>(virtualMachineType);
  const interfaces = store.list<InterfaceProperties>(networkInterfaceType).map((nic) => ({
    id: nic.id,
    name: nic.name,
    address: nic.properties.address,
    network:
      nic.properties.subnetId === null
        ? platform.network
        : store.get<unknown, VirtualNetworkState>(networkOf(nic.properties.subnetId))?.state.network,
  }));
  const nicsAt = (network: string, address: string) =>
    interfaces
      .filter((nic) => nic.network === network && nic.address === address)
      .flatMap(({ id, name }) => [id, name]);
  const machines = intent.machines.map(({ id, hostname, network, address }): Somebody => {
    const of = virtual.filter(({ properties }) => properties.machine === id);
    const known = [
      id,
      hostname,
      address,
      ...of.flatMap((one) => [one.id, one.name]),
      ...nicsAt(network, address),
    ];
    return { id, kind: 'machine', name: hostname, address, network, known };
  });
  const endpoints = intent.links.map(({ id, label, consumer }): Somebody => {
    const { network, address } = consumer;
    const name = label.split('/').at(-1)!;
    return {
      id,
      kind: 'private endpoint',
      name,
      address,
      network,
      known: [label, name, address, ...nicsAt(network, address)],
    };
  });
  return [...machines, ...endpoints].filter(({ network }) => sees(network!));
}

/** The machine that a flow shall begin at. */
export function sender(
  all: readonly Somebody[],
  text: string,
): Somebody & { readonly id: string; readonly network: string } {
  const found = among(all, 'from', text);
  if (!found || found.id === null || found.network === null)
    throw new ArmError(
      'ResourceNotFound',
      `from: there is no machine '${text.slice(0, 200)}' that you may see. ${hint(all)}`,
      { target: 'from' },
    );
  if (found.kind === 'machine') return { ...found, id: found.id, network: found.network };
  throw new ArmError(
    'InvalidParameter',
    `from: '${found.name}' is a private endpoint, and nothing begins at one: it carries connections to the provider only. ${hint(all)}`,
    { target: 'from' },
  );
}

/** Whom it shall reach, seen from a network: of several with one address, the one that is near. */
export function receiver(all: readonly Somebody[], near: readonly string[], text: string): Somebody {
  const address = text.toLowerCase() === 'internet' ? canaries.ipv4[0] : text;
  if (isIPv4(address)) {
    const owner = all.find((one) => one.address === address && near.includes(one.network ?? ''));
    return owner ?? { id: null, kind: 'address', name: text, address, network: null, known: [] };
  }
  const found = among(all, 'to', text);
  if (found) return found;
  throw new ArmError(
    'ResourceNotFound',
    `to: there is nobody '${text.slice(0, 200)}' that you may see. Give an IPv4 address, 'internet', or one of these. ${hint(all)}`,
    { target: 'to' },
  );
}

function among(all: readonly Somebody[], name: string, text: string): Somebody | undefined {
  const wanted = text.trim().toLowerCase();
  if (wanted === '')
    throw new ArmError('InvalidParameter', `${name} is missing: the name, address or ARM id of a machine.`, {
      target: name,
    });
  const found = all.filter(({ known }) => known.some((one) => one.toLowerCase() === wanted));
  if (found.length < 2) return found[0];
  const ids = found.map(
    ({ name: called, known }) => known.find((one) => one.startsWith('/')) ?? `${called} (${known[0]})`,
  );
  throw new ArmError(
    'InvalidParameter',
    `${name}: ${found.length} go by '${text.slice(0, 200)}'. Name one by its id: ${ids.join(', ')}.`,
    { target: name },
  );
}

const most = 12;
function hint(all: readonly Somebody[]): string {
  const names = all.filter(({ kind }) => kind === 'machine').map(({ name }) => name);
  const more = names.length > most ? ` and ${names.length - most} more` : '';
  return names.length === 0
    ? 'There is no machine yet: create a data centre first.'
    : `There are ${names.slice(0, most).join(', ')}${more}.`;
}
