import type { Clock } from '../lib/clock.ts';
import { faultOf } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import { drive, type Driven } from '../reconcile/driver.ts';
import type { Failure, Status } from '../reconcile/reconciler.ts';
import { reconcileDeployment } from './deployments/run.ts';
import { deploymentType, type DeploymentProperties, type DeploymentState } from './deployments/schema.ts';
import { reconcileGroupDeletion } from './group-deletion.ts';
import { groupType } from './lookup.ts';
import type { ArmContext } from './wire.ts';

/** Longer than anybody looks for a better answer: what is open then was forgotten. */
const questionMs = 40_000;

/** What ARM itself carries on after the answer: deployments, and groups that are being deleted. */
export function driveLongWork(
  cx: ArmContext,
  options: { readonly clock: Clock; readonly log: Log; readonly signal: AbortSignal },
): Driven<Status> {
  const stalled = new Map<string, number>();
  // Who looked for a better answer was this process's forerunner.
  cx.store.operations.endAsked(new Date(cx.clock.now()));
  return drive(
    { name: 'arm', periodMs: 1_000, reconcile: async () => pass(cx, options.log, stalled) },
    options,
  );
}

function pass(cx: ArmContext, log: Log, stalled: Map<string, number>): Status {
  const applied: string[] = [];
  const failed: Failure[] = [];
  cx.store.operations.endAsked(new Date(cx.clock.now() - questionMs));
  for (const operation of cx.store.operations.runningWithin('/subscriptions', [groupType, deploymentType])) {
    const work = workOf(cx, operation, stalled);
    if (!work) continue;
    try {
      work();
      applied.push(operation.resourceId);
    } catch (error) {
      log.error('a long operation could not go on', { id: operation.resourceId, error });
      failed.push({ item: operation.resourceId, error: faultOf(error) });
    }
  }
  return { at: 'applied', unchanged: 0, applied, cleared: [], failed };
}

function workOf(
  cx: ArmContext,
  operation: ReturnType<ArmContext['store']['operations']['runningWithin']>[number],
  stalled: Map<string, number>,
): (() => void) | undefined {
  if (operation.type === groupType) {
    const group = cx.store.get(operation.resourceId);
    return group && (() => reconcileGroupDeletion(cx, group, operation, stalled));
  }
  if (operation.type !== deploymentType) return undefined;
  const deployment = cx.store.get<DeploymentProperties, DeploymentState>(operation.resourceId);
  return deployment && (() => reconcileDeployment(cx, deployment));
}
