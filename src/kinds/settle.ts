import type { Fault } from '../lib/errors.ts';
import type { Resource } from '../store/resource.ts';
import type { Pass } from './pass.ts';

/** How long a level may say that something failed, and try again, before the operation says so. */
export const patienceMs = 60_000;

export const isRunning = (resource: Pick<Resource, 'provisioningState'>): boolean =>
  resource.provisioningState === 'Creating' || resource.provisioningState === 'Updating';

export type Observed =
  | { readonly at: 'so' }
  | { readonly at: 'not yet' }
  | { readonly at: 'failed'; readonly error: Fault | null };

/**
 * Ends a running operation by what can be observed now: when it is so, or when it has failed for too long. Where none runs,
 * nothing is read.
 */
export function settleBy(pass: Pass, resource: Resource<unknown, unknown>, observe: () => Observed): void {
  if (!isRunning(resource)) return;
  const observed = observe();
  if (observed.at === 'so') return pass.store.settle(resource.id, resource.generation, { at: 'Succeeded' });
  if (observed.at === 'not yet' || !pass.lasts(`failed ${resource.generation}`, patienceMs)) return;
  const fault = observed.error ?? {
    code: 'FabricFailed',
    message: 'The fabric could not make it so, and did not say why.',
  };
  pass.store.settle(resource.id, resource.generation, { at: 'Failed', fault });
}

/** An entry of a report, as an observation. */
export const observeEntry = (
  entry: { readonly state: string; readonly error: Fault | null } | undefined,
  wanted: string,
): Observed => {
  if (entry?.state === 'failed') return { at: 'failed', error: entry.error };
  return entry?.state === wanted ? { at: 'so' } : { at: 'not yet' };
};
