/** Whom a question is about, and how its parts are read. */
import { isIPv4 } from 'node:net';
import { ArmError } from '../../arm/errors.ts';
import { sameId } from '../../arm/id.ts';
import type { KindContext } from '../../arm/kind.ts';
import type { End, Place, Walls } from '../../network/reachability.ts';
import type { Json, JsonObject } from '../../store/resource.ts';
import { fields, type Fields } from '../fields.ts';
import { idOf } from '../rules.ts';
import {
  virtualMachineType,
  type MachineProperties,
  type MachineState,
  type VirtualMachine,
} from '../virtual-machine/schema.ts';
import { wallsOf } from '../walls.ts';

export interface Target {
  readonly machine: VirtualMachine;
  readonly walls: Walls;
  readonly place: Place;
}

export function readBody(body: Json | undefined): Fields {
  if (body !== null && typeof body === 'object' && !Array.isArray(body))
    return fields(body as JsonObject, 'body');
  throw new ArmError(
    'InvalidRequestContent',
    'The request content is not one JSON object with a targetResourceId.',
  );
}

/** A machine that the caller may read. */
export function machineOf(context: KindContext, name: string, text: string): VirtualMachine {
  const id = idOf(name, text, virtualMachineType);
  const action = `${virtualMachineType}/read`;
  if (!context.may(action, id.text)) {
    throw new ArmError(
      'AuthorizationFailed',
      `'${context.caller.displayName}' may not ask about ${id.text}: that takes ${action} there. Ask its owner for a role that has it.`,
      { target: name },
    );
  }
  const found = context.store.get<MachineProperties, MachineState>(id.text);
  if (found) return found;
  throw new ArmError(
    'InvalidParameter',
    `${name}: there is no virtual machine ${id.text}. Those that can be asked about are listed with az vm list: nodes and operators.`,
    { target: name },
  );
}

export function readTarget(context: KindContext, body: Fields): Target {
  const text =
    body.text('targetResourceId') || body.fail('targetResourceId', 'is missing: the ARM id of a machine.');
  const machine = machineOf(context, 'targetResourceId', text);
  const nic = body.text('targetNicResourceId');
  if (nic && !sameId(nic, machine.properties.interfaceId))
    body.fail(
      'targetNicResourceId',
      `is no interface of the machine; it has ${machine.properties.interfaceId}.`,
    );
  return { machine, ...placeOf(context, machine) };
}

export function placeOf(
  { store }: KindContext,
  machine: VirtualMachine,
): { readonly walls: Walls; readonly place: Place } {
  const walls = wallsOf(store);
  const place = walls.places.find(({ id }) => id === machine.properties.machine);
  if (place) return { walls, place };
  throw new ArmError(
    'Conflict',
    `Machine '${machine.name}' isn't there yet: its data centre is still being made. Wait until it is, then ask again.`,
  );
}

export function readAddress(body: Fields, name: string): string {
  const text = body.text(name) || body.fail(name, 'is missing: an IPv4 address.');
  return isIPv4(text) ? text : body.fail(name, `'${text}' is no IPv4 address.`);
}

/** Ports are texts on the wire; `*` is any. */
export function readPort(body: Fields, name: string, anyMay: boolean): number | null {
  if (anyMay && (!body.has(name) || body.is(name, '*'))) return null;
  return body.integer(name, { min: 0, max: 65535 }) ?? body.fail(name, 'is missing: a port from 0 to 65535.');
}

/** Refuses a question in the name of an address that isn't the machine's. */
export function checkOwn(
  body: Fields,
  name: string,
  { place }: Pick<Target, 'place'>,
  address: string,
): End['address'] {
  return address === place.address
    ? address
    : body.fail(name, `is ${address}, and the machine has ${place.address}.`);
}
