import type { Store } from '../../store/resource.ts';
import {
  privateLinkConnectionType,
  type Connection,
  type ConnectionProperties,
  type ConnectionState,
} from './schema.ts';

export const connectionsOf = (store: Pick<Store, 'list'>, serviceId: string): readonly Connection[] =>
  store.list<ConnectionProperties, ConnectionState>(privateLinkConnectionType, serviceId);
