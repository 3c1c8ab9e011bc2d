import type { JsonObject } from '../../store/resource.ts';
import { parseArmId } from '../id.ts';
import { deploymentType, type Deployment, type StepState } from './schema.ts';

export function showDeployment(deployment: Deployment): JsonObject {
  const { properties: said, state, fault } = deployment;
  const failed = state.steps.filter((step) => step.fault !== null);
  return {
    id: deployment.id,
    name: deployment.name,
    type: deploymentType,
    ...(Object.keys(deployment.tags).length > 0 && { tags: deployment.tags }),
    properties: {
      provisioningState: provisioningState(deployment),
      mode: 'Incremental',
      correlationId: state.correlationId,
      timestamp: state.endedAt ?? state.startedAt,
      duration: duration(state.startedAt, state.endedAt ?? deployment.systemData.lastModifiedAt),
      templateHash: said.templateHash,
      parameters: said.parameters,
      outputs: deployment.provisioningState === 'Succeeded' ? said.outputs : {},
      providers: [],
      dependencies: state.steps
        .filter((step) => step.dependsOn.length > 0)
        .map((step) => ({ ...target(step), dependsOn: step.dependsOn.map((id) => ({ id })) })),
      outputResources: state.steps.filter(({ at }) => at === 'succeeded').map(({ id }) => ({ id })),
      ...(fault && {
        error: {
          code: fault.code,
          message: fault.message,
          details: failed.map((step) => ({ ...step.fault!, target: step.id })),
        },
      }),
    },
  };
}

const provisioningState = ({ provisioningState: now, state }: Deployment): string => {
  if (state.canceled) return 'Canceled';
  return now === 'Creating' || now === 'Updating' ? 'Running' : now;
};

const words = {
  waiting: 'NotStarted',
  running: 'Running',
  succeeded: 'Succeeded',
  failed: 'Failed',
  skipped: 'Canceled',
} as const;

/** What became of each resource: `az deployment operation group list`. */
export const showOperations = (deployment: Deployment): readonly JsonObject[] =>
  deployment.state.steps.map((step, at) => {
    const operationId = `${deployment.generation}-${at}`;
    return {
      id: `${deployment.id}/operations/${operationId}`,
      operationId,
      properties: {
        provisioningOperation: 'Create',
        provisioningState: words[step.at],
        timestamp: step.changedAt,
        duration: duration(deployment.state.startedAt, step.changedAt),
        statusCode: step.at === 'succeeded' ? 'OK' : step.at === 'failed' ? 'Conflict' : null,
        statusMessage: step.fault && { status: 'Failed', error: { ...step.fault } },
        targetResource: target(step),
      },
    };
  });

const target = (step: StepState): JsonObject => ({
  id: step.id,
  resourceType: step.type,
  resourceName: parseArmId(step.id)?.names.join('/') ?? step.id.split('/').at(-1)!,
});

/** ISO 8601: `PT12.5S`. */
const duration = (from: string, to: string): string =>
  `PT${Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000)}S`;
