/** Keeps the policy of the operator's own machine: put in force where it changes, or where somebody took it away. */
import type { Clock } from '../lib/clock.ts';
import {
  applyOperatorDoor,
  operatorDoorStands,
  planOperatorDoor,
  type OperatorDoor,
} from '../network/operator-door.ts';

export interface DoorKeeper {
  ensure(overlay: OperatorDoor['overlay'], gate?: OperatorDoor['gate']): Promise<void>;
}

const checkEveryMs = 10_000;

export function createDoorKeeper(fixed: Omit<OperatorDoor, 'overlay' | 'gate'>, clock: Clock): DoorKeeper {
  let inForce: string | undefined;
  let checkedAt = 0;
  return {
    async ensure(overlay, gate) {
      const door = { ...fixed, overlay, gate };
      const plan = planOperatorDoor(door);
      if (plan === inForce) {
        if (clock.now() - checkedAt < checkEveryMs) return;
        checkedAt = clock.now();
        if (await operatorDoorStands()) return;
      }
      await applyOperatorDoor(door);
      inForce = plan;
      checkedAt = clock.now();
    },
  };
}
