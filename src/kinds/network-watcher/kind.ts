/**
 * Network Watcher: one for each region in which a subscription has a network or a cluster. It answers what the walls would
 * do with a packet, and has one sent to confirm that an end reaches another.
 */
import type { Kind, KindAction, KindContext } from '../../arm/kind.ts';
import type { Json, JsonObject } from '../../store/resource.ts';
import { networkName } from '../rules.ts';
import { connectivityCheck } from './connectivity.ts';
import { ipFlowVerify, nextHop, securityGroupView } from './questions.ts';
import { networkWatcherType } from './schema.ts';

type Nothing = Record<string, never>;

const question = (
  name: string,
  answer: (body: Json | undefined, context: KindContext) => JsonObject,
): KindAction<Nothing, Nothing> => ({
  method: 'POST',
  actionName: `${networkWatcherType}/${name}/action`,
  later: true,
  run: (_, body, context) => answer(body, context),
});

export const networkWatcherKind: Kind<Nothing, Nothing> = {
  type: networkWatcherType,
  summary: 'Network Watcher of a region: what the walls would do with a packet.',
  name: networkName,
  tracked: true,
  operations: 'network',
  verbs: ['GET'],
  accept: () => {
    throw new Error('A network watcher has no PUT.');
  },
  show: (watcher) => ({ provisioningState: watcher.provisioningState, runningOperationIds: [] }),
  envelope: (watcher) => ({ etag: watcher.etag }),
  actions: {
    ipFlowVerify: question('ipFlowVerify', ipFlowVerify),
    nextHop: question('nextHop', nextHop),
    securityGroupView: question('securityGroupView', securityGroupView),
    connectivityCheck: {
      method: 'POST',
      actionName: `${networkWatcherType}/connectivityCheck/action`,
      ask: (_, body, context) => connectivityCheck(body, context),
    },
  },
};
