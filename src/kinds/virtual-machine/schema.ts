import type { Resource } from '../../store/resource.ts';

export const virtualMachineType = 'Microsoft.Compute/virtualMachines';

/** Made by the service for a node or an operator, so that questions about the network can name it. */
export interface MachineProperties {
  readonly role: 'node' | 'operator';
  /** What the fabric calls it. */
  readonly machine: string;
  readonly computerName: string;
  readonly interfaceId: string;
  /** ARM id of the data centre or cluster it belongs to. */
  readonly ownerId: string;
  readonly size: string;
}

export interface MachineState {
  readonly guid: string;
}

export type VirtualMachine = Resource<MachineProperties, MachineState>;

/** A machine is named after its interface, `c1-dc1-1-nic-4f2a` → `c1-dc1-1-4f2a`, and lies beside it. */
export const machineIdOf = (interfaceId: string): string =>
  interfaceId
    .replace(/\/providers\/Microsoft\.Network\/networkInterfaces\//i, `/providers/${virtualMachineType}/`)
    .replace(/-nic(-[^/]*)?$/i, '$1');
