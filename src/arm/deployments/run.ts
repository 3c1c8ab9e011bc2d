import { sameId } from '../id.ts';
import type { Fault } from '../../lib/errors.ts';
import { askArm } from '../ask.ts';
import { ArmError } from '../errors.ts';
import type { ArmContext } from '../wire.ts';
import { end } from './end.ts';
import type { Step } from './plan.ts';
import { bodiesName, type Deployment, type StepState } from './schema.ts';

/**
 * One pass over one running deployment: looks at what was begun, then begins what may begin. Each resource goes the way of any PUT,
 * in the name of whoever deploys, so that its roles are checked as they are at that moment.
 */
export function reconcileDeployment(cx: ArmContext, deployment: Deployment): void {
  const sealed = cx.store.secrets.get(bodiesName(deployment.id));
  if (sealed === undefined)
    return end(cx, deployment, deployment.state, {
      code: 'DeploymentFailed',
      message: 'What was to be deployed is not there any more. Deploy again.',
    });
  const bodies = JSON.parse(sealed) as readonly Step[];
  const steps = advance(
    deployment.state.steps.map((step) => look(cx, step)),
    (step) =>
      begin(
        cx,
        deployment,
        bodies.find(({ id }) => sameId(id, step.id))!,
        step,
      ),
  );
  const state = { ...deployment.state, steps };
  if (steps.some(({ at }) => at === 'waiting' || at === 'running')) {
    cx.store.setState(deployment.id, state);
    return;
  }
  end(cx, deployment, state, faultOf(steps));
}

/** Begins whatever may begin, and gives up what stands on something that failed. Pure but for `start`. */
export function advance(
  steps: readonly StepState[],
  start: (step: StepState) => StepState,
): readonly StepState[] {
  const now = [...steps];
  const of = (id: string): StepState | undefined => now.find((one) => sameId(one.id, id));
  // The steps are in order, so that one pass carries a refusal all the way down.
  for (const [at, step] of now.entries()) {
    if (step.at !== 'waiting') continue;
    const before = step.dependsOn.map(of).filter((one) => one !== undefined);
    if (before.some((one) => one.at === 'failed' || one.at === 'skipped'))
      now[at] = { ...step, at: 'skipped' };
    else if (before.every((one) => one.at === 'succeeded')) now[at] = start(step);
  }
  return now;
}

function look(cx: ArmContext, step: StepState): StepState {
  if (step.at !== 'running' || step.operation === null) return step;
  const operation = cx.store.operations.get(step.operation);
  if (operation?.state === 'Running') return step;
  if (operation?.state === 'Succeeded') return ended(cx, step, null);
  return ended(
    cx,
    step,
    operation?.fault ?? { code: 'OperationGone', message: 'Its operation is not known any more.' },
  );
}

function begin(
  cx: ArmContext,
  deployment: Deployment,
  { body, apiVersion, id }: Step,
  step: StepState,
): StepState {
  const { by, correlationId } = deployment.state;
  try {
    askArm(
      cx,
      {
        method: 'PUT',
        path: id,
        query: new URLSearchParams({ 'api-version': apiVersion }),
        header: () => undefined,
        body,
        caller: { principalId: by, displayName: cx.store.principals.get(by)?.displayName ?? by },
        endpoint: '',
      },
      correlationId,
    );
  } catch (error) {
    if (!(error instanceof ArmError)) throw error;
    // Somebody else's change of the same cluster ends some time: the next pass asks again.
    if (error.code === 'AnotherOperationInProgress') return step;
    return ended(cx, step, { code: error.code, message: error.message });
  }
  const running = cx.store.operations.running(id);
  if (!running) return ended(cx, step, null);
  return { ...step, at: 'running', operation: running.id, changedAt: new Date(cx.clock.now()).toISOString() };
}

const ended = (cx: ArmContext, step: StepState, fault: Fault | null): StepState => ({
  ...step,
  at: fault ? 'failed' : 'succeeded',
  fault,
  changedAt: new Date(cx.clock.now()).toISOString(),
});

function faultOf(steps: readonly StepState[]): Fault | null {
  const failed = steps.filter(({ at }) => at === 'failed');
  if (failed.length === 0) return null;
  const reasons = failed.map(({ id, fault }) => `${id}: (${fault?.code}) ${fault?.message}`);
  return {
    code: 'DeploymentFailed',
    message: `At least one resource could not be deployed. ${reasons.join(' ')}`.slice(0, 4_000),
  };
}
