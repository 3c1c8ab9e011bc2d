import type { Fault } from '../lib/errors.ts';
import type { Operation } from '../store/operations.ts';
import type { Resource } from '../store/resource.ts';
import { askArm } from './ask.ts';
import { bodiesName, deploymentType } from './deployments/schema.ts';
import { ArmError } from './errors.ts';
import type { AnyKind } from './kind.ts';
import type { ArmContext } from './wire.ts';

/** What goes by itself once its owner is gone takes a moment; so does whatever it keeps in use. */
const graceMs = 3_000;
/** How many of what could not go are named. */
const named = 10;

/**
 * Deletes what is in a group, in the name of whoever asked, then the group. It only ever asks for what anybody could ask for by
 * hand: each resource says itself whether it can go. `stalled` remembers since when nothing has moved.
 */
export function reconcileGroupDeletion(
  cx: ArmContext,
  group: Resource,
  operation: Operation,
  stalled: Map<string, number>,
): void {
  dropDeployments(cx, group.id);
  const inside = cx.store.below(group.id);
  if (inside.length === 0) {
    cx.store.remove(group.id);
    stalled.delete(group.id);
    return;
  }
  const refusals = new Map<string, Fault>();
  const wave = (resources: readonly Resource[]): boolean =>
    resources.map((one) => ask(cx, one, operation, refusals)).includes(true);
  const { clusters, others } = inOrder(cx, inside);
  // Databases first, and alone: the network carries them until they have left in order.
  const moving = cx.store.operations
    .runningWithin(group.id)
    .some(({ resourceId }) => resourceId !== group.id);
  const asked = wave(clusters) || (!moving && wave(others));
  if (moving || asked) return void stalled.delete(group.id);

  const since = stalled.get(group.id) ?? cx.clock.now();
  stalled.set(group.id, since);
  if (cx.clock.now() - since < graceMs) return;
  stalled.delete(group.id);
  cx.store.settle(group.id, group.generation, {
    at: 'Failed',
    fault: whyNot(group, cx.store.below(group.id), refusals),
  });
}

/** The history of deployments is no reason to keep a group. */
function dropDeployments(cx: ArmContext, groupId: string): void {
  for (const one of cx.store.list(deploymentType, groupId)) {
    cx.store.secrets.delete(bodiesName(one.id));
    cx.store.remove(one.id);
  }
}

const kindOf = (cx: ArmContext, resource: Resource): AnyKind | undefined =>
  cx.kinds.find((kind) => kind.type.toLowerCase() === resource.type.toLowerCase());

/** Children before their parents; of the rest the youngest first, because what came later stands on what was there. */
function inOrder(
  cx: ArmContext,
  inside: readonly Resource[],
): { readonly clusters: readonly Resource[]; readonly others: readonly Resource[] } {
  const depth = (resource: Resource): number => resource.id.split('/').length;
  const sorted = inside.toReversed().toSorted((a, b) => depth(b) - depth(a));
  const isCluster = (resource: Resource): boolean => kindOf(cx, resource)?.operations === 'documentdb';
  return {
    clusters: sorted.filter(isCluster),
    // A child on the network goes with its parent, or else stands in its way: both are the parent's to say.
    others: sorted.filter((resource) => !isCluster(resource) && depth(resource) === 9),
  };
}

/** Whether its deletion is under way now. */
function ask(cx: ArmContext, resource: Resource, cascade: Operation, refusals: Map<string, Fault>): boolean {
  const kind = kindOf(cx, resource);
  if (!kind?.verbs.includes('DELETE')) return false;
  const now = cx.store.get(resource.id);
  if (!now) return true;
  if (now.provisioningState === 'Deleting') return true;
  const last = cx.store.operations.latest(resource.id);
  if (last?.verb === 'DELETE' && last.state === 'Failed' && last.startedAt >= cascade.startedAt) {
    refusals.set(resource.id, last.fault ?? { code: 'Failed', message: 'Its deletion failed.' });
    return false;
  }
  try {
    askArm(
      cx,
      {
        method: 'DELETE',
        path: resource.id,
        query: new URLSearchParams('api-version=2026-03-15'),
        header: () => undefined,
        body: undefined,
        caller: {
          principalId: cascade.startedBy,
          displayName: cx.store.principals.get(cascade.startedBy)?.displayName ?? cascade.startedBy,
        },
        endpoint: '',
      },
      cascade.id,
    );
    return true;
  } catch (error) {
    if (!(error instanceof ArmError)) throw error;
    refusals.set(resource.id, { code: error.code, message: error.message });
    return error.code === 'AnotherOperationInProgress';
  }
}

function whyNot(group: Resource, left: readonly Resource[], refusals: ReadonlyMap<string, Fault>): Fault {
  const reasons = [...refusals].map(([id, fault]) => `${id}: (${fault.code}) ${fault.message}`);
  const silent = left.filter(({ id }) => refusals.size === 0 && !refusals.has(id)).map(({ id }) => id);
  const all = [...reasons, ...silent];
  const more = all.length > named ? ` And ${all.length - named} more.` : '';
  return {
    code: [...refusals.values()][0]?.code ?? 'Conflict',
    message: `The resource group '${group.name}' could not be deleted, because of what is left in it: ${all.slice(0, named).join(' ')}${more} Remove the cause, then delete the group again.`,
  };
}
