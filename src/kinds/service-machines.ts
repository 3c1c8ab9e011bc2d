/** Machines of services that stand behind the gate, as the fabric shall make them: pure. */
import type { FabricMachine } from '../exchange/intents/fabric.ts';
import type { Store } from '../store/resource.ts';
import { hasGate } from './gate-intent.ts';
import { platform } from './platform.ts';
import type { ServiceMachine } from './service-accounts.ts';

/** The gate comes in on the one port. Nothing goes out, and while there is no gate nothing comes in either. */
export const serviceMachines = (
  store: Pick<Store, 'secrets'>,
  services: readonly ServiceMachine[],
): readonly FabricMachine[] =>
  services.map(({ kind, seed }) => {
    const { machine, address, port } = platform.services[kind];
    return {
      id: machine,
      kind,
      hostname: machine,
      network: platform.network,
      subnet: 'services',
      address,
      allow: hasGate(store)
        ? [
            {
              direction: 'in',
              protocol: 'tcp',
              remote: [`${platform.gate.address}/32`],
              port,
              reason: 'the gate reaches the accounts that policies name',
            },
          ]
        : [],
      seed: { ...seed },
    };
  });
