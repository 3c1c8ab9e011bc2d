import type { Fault } from '../../lib/errors.ts';
import type { JsonObject, Resource } from '../../store/resource.ts';
import type { Step } from './plan.ts';

export const deploymentType = 'Microsoft.Resources/deployments';

export interface DeploymentProperties {
  /** Without literal secrets: what exportTemplate gives back. */
  readonly template: JsonObject;
  readonly templateHash: string;
  readonly contentVersion: string;
  readonly parameters: JsonObject;
  readonly outputs: JsonObject;
}

export interface DeploymentState {
  readonly steps: readonly StepState[];
  readonly canceled: boolean;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly correlationId: string;
  readonly by: string;
}

export interface StepState extends Pick<Step, 'id' | 'type' | 'dependsOn'> {
  /** `skipped`: what it depends on failed. */
  readonly at: 'waiting' | 'running' | 'succeeded' | 'failed' | 'skipped';
  /** The long operation that its PUT began. */
  readonly operation: string | null;
  readonly fault: Fault | null;
  readonly changedAt: string;
}

export type Deployment = Resource<DeploymentProperties, DeploymentState>;

/** The complete bodies, secrets in them: sealed, and dropped when the deployment ends. */
export const bodiesName = (id: string): string => `deployment/${id.toLowerCase()}`;
