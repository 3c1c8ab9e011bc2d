import type { Store } from '../../store/resource.ts';
import {
  dataCenterType,
  type DataCenter,
  type DataCenterProperties,
  type DataCenterState,
} from './schema.ts';

export const dataCentersOf = (store: Pick<Store, 'list'>, clusterId: string): readonly DataCenter[] =>
  store.list<DataCenterProperties, DataCenterState>(dataCenterType, clusterId);
