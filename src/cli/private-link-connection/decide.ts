import type { JsonObject } from '../../store/resource.ts';
import type { ArmClient } from '../arm/client.ts';
import { putResource } from '../arm/operation.ts';
import { nameOf } from '../arm/target.ts';
import type { Progress } from '../output/progress.ts';

/** Reads the connection and writes it back with another state, as az does. */
export async function decide(
  client: ArmClient,
  id: string,
  status: 'Approved' | 'Rejected',
  description: string | undefined,
  progress: Progress,
): Promise<JsonObject> {
  const connection = await client.get(id);
  const properties = connection['properties'] as JsonObject;
  const body = {
    ...connection,
    properties: {
      ...properties,
      privateLinkServiceConnectionState: {
        ...(properties['privateLinkServiceConnectionState'] as JsonObject | undefined),
        status,
        ...(description !== undefined && { description }),
      },
    },
  };
  return putResource(client, body, { what: `connection ${nameOf(id)}`, id, progress });
}
