/** A node's or an operator's machine, to be read and asked about: nobody logs in to it, starts it or stops it. */
import type { Kind } from '../../arm/kind.ts';
import { networkName } from '../rules.ts';
import { virtualMachineType, type MachineProperties, type MachineState } from './schema.ts';

export const virtualMachineKind: Kind<MachineProperties, MachineState> = {
  type: virtualMachineType,
  summary: 'The machine of a node or of an operator.',
  name: networkName,
  tracked: true,
  operations: 'network',
  verbs: ['GET'],
  accept: () => {
    throw new Error('A virtual machine has no PUT.');
  },
  show: ({ properties: machine, state, provisioningState }) => ({
    provisioningState,
    vmId: state.guid,
    hardwareProfile: { vmSize: machine.size },
    storageProfile: { osDisk: { osType: 'Linux', createOption: 'FromImage' } },
    osProfile: { computerName: machine.computerName },
    networkProfile: { networkInterfaces: [{ id: machine.interfaceId, properties: { primary: true } }] },
  }),
  envelope: (machine) => ({ etag: machine.etag }),
};
