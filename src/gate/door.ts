/** Keeps the policy of the gate's own machine. */
import type { Clock } from '../lib/clock.ts';
import { gateDoorTable, planGateDoor, type GateDoor } from '../network/gate-door.ts';
import { createMachineDoorKeeper } from '../network/machine-door.ts';

export interface DoorKeeper {
  ensure(clusters: GateDoor['clusters']): Promise<void>;
}

export function createDoorKeeper(fixed: Omit<GateDoor, 'clusters'>, clock: Clock): DoorKeeper {
  const keeper = createMachineDoorKeeper(gateDoorTable, clock);
  return { ensure: (clusters) => keeper.ensure(planGateDoor({ ...fixed, clusters })) };
}
