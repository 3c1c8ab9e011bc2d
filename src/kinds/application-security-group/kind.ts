/** A name for a set of interfaces, which security rules may say instead of addresses. */
import { randomUUID } from 'node:crypto';
import type { Kind } from '../../arm/kind.ts';
import { accepted, networkName } from '../rules.ts';
import { refuseInUse } from '../subnet/schema.ts';
import { usersOfApplicationGroup } from '../users.ts';
import {
  applicationGroupType,
  type ApplicationGroupProperties,
  type ApplicationGroupState,
} from './schema.ts';

export const applicationSecurityGroupKind: Kind<ApplicationGroupProperties, ApplicationGroupState> = {
  type: applicationGroupType,
  summary: 'An application security group: a set of interfaces, by name.',
  name: networkName,
  tracked: true,
  operations: 'network',
  verbs: ['GET', 'PUT', 'PATCH', 'DELETE'],

  accept: (_, existing) => accepted(existing, {}, existing?.state ?? { guid: randomUUID() }),
  show: (group) => ({ provisioningState: group.provisioningState, resourceGuid: group.state.guid }),
  envelope: (group) => ({ etag: group.etag }),

  beforeDelete(group, { store }) {
    const users = usersOfApplicationGroup(store, group);
    if (users.length > 0) refuseInUse(`Application security group '${group.name}'`, users);
  },
};
