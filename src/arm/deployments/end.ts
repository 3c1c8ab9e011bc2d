import type { Fault } from '../../lib/errors.ts';
import type { ArmContext } from '../wire.ts';
import { bodiesName, type Deployment, type DeploymentState } from './schema.ts';

/** The last word on a deployment: what was to be deployed is forgotten, what became of it is kept. */
export function end(
  cx: ArmContext,
  deployment: Deployment,
  state: DeploymentState,
  fault: Fault | null,
): void {
  cx.store.transaction(() => {
    cx.store.setState(deployment.id, { ...state, endedAt: new Date(cx.clock.now()).toISOString() });
    cx.store.secrets.delete(bodiesName(deployment.id));
    cx.store.settle(
      deployment.id,
      deployment.generation,
      fault ? { at: 'Failed', fault } : { at: 'Succeeded' },
    );
  });
}
