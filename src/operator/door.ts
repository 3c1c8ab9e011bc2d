/** Keeps the policy of the operator's own machine. */
import type { Clock } from '../lib/clock.ts';
import { createMachineDoorKeeper } from '../network/machine-door.ts';
import { operatorDoorTable, planOperatorDoor, type OperatorDoor } from '../network/operator-door.ts';

export interface DoorKeeper {
  ensure(overlay: OperatorDoor['overlay'], gate?: OperatorDoor['gate']): Promise<void>;
}

export function createDoorKeeper(fixed: Omit<OperatorDoor, 'overlay' | 'gate'>, clock: Clock): DoorKeeper {
  const keeper = createMachineDoorKeeper(operatorDoorTable, clock);
  return { ensure: (overlay, gate) => keeper.ensure(planOperatorDoor({ ...fixed, overlay, gate })) };
}
