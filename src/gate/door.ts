/** Keeps the policy of the gate's own machine: put in force where it changes, or where somebody took it away. */
import type { Clock } from '../lib/clock.ts';
import { applyGateDoor, gateDoorStands, planGateDoor, type GateDoor } from '../network/gate-door.ts';

export interface DoorKeeper {
  ensure(clusters: GateDoor['clusters']): Promise<void>;
}

const checkEveryMs = 10_000;

export function createDoorKeeper(fixed: Omit<GateDoor, 'clusters'>, clock: Clock): DoorKeeper {
  let inForce: string | undefined;
  let checkedAt = 0;
  return {
    async ensure(clusters) {
      const door = { ...fixed, clusters };
      const plan = planGateDoor(door);
      if (plan === inForce) {
        if (clock.now() - checkedAt < checkEveryMs) return;
        checkedAt = clock.now();
        if (await gateDoorStands()) return;
      }
      await applyGateDoor(door);
      inForce = plan;
      checkedAt = clock.now();
    },
  };
}
