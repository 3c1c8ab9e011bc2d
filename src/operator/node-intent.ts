/** What one node is told: a pure function of the intent and of what is remembered, never of what the nodes last said. */
import type { NodeIntent } from '../exchange/intents/node.ts';
import type { OperatorDataCenter, OperatorNode } from '../exchange/intents/operator.ts';
import { ports } from '../network/ports.ts';
import { cleanupTask } from './cleanup.ts';
import { isStarted, reached, seedsOf, type RingView } from './ring-view.ts';
import { workFor } from './ring-work.ts';
import type { Ring } from './state.ts';

export const spiffeIdentity = (identity: string): string => `spiffe://sallyport/${identity}/node`;

/** Undefined while the node has no certificates: it can't ask yet. */
export function nodeIntent(
  view: RingView,
  dataCenter: OperatorDataCenter,
  ring: Ring,
  node: OperatorNode,
): NodeIntent | undefined {
  const { cluster, dataCenters } = view.intent;
  const grant = view.state.members[node.name]?.grant;
  if (!grant) return undefined;
  const running = reached(ring, 'starting') && isStarted(view, ring, node.name);
  const change = ring.change?.node === node.name ? ring.change : undefined;
  const serving = reached(ring, 'opening') && running;
  // The one place where CQL is opened to anybody but the node itself: every check lies below this rung, or this stage.
  const open = serving && !(change?.kind === 'join' && change.stage !== 'opening');
  const stopped = ring.stopped === true && dataCenter.deallocated === true;
  const others = dataCenters.flatMap((one) => one.nodes).filter((other) => other.name !== node.name);
  return {
    name: node.name,
    door: {
      state: open ? 'joined' : 'joining',
      endpoint: dataCenter.endpoint,
      peers: others.map((other) => other.address),
      clients: [...dataCenter.clients],
      // Who may ask what the node stores may see how it does.
      metrics: [...dataCenter.clients],
    },
    certificates: {
      internode: { certificate: grant.certificates.internode, authority: view.authorities.internode },
      client: { certificate: grant.certificates.client, authority: view.authorities.client },
    },
    cassandra: {
      process: running && !stopped ? 'running' : 'stopped',
      clusterName: cluster.cassandraName,
      identity: spiffeIdentity(cluster.identity),
      dataCenter: dataCenter.name,
      rack: node.rack,
      tokens: [...(ring.tokens[node.name] ?? [])],
      seeds: [...seedsOf(view, dataCenter)],
      authentication: cluster.authentication === 'None' ? 'AllowAllAuthenticator' : 'PasswordAuthenticator',
      // At first every node holds every role: when system_auth is then replicated over the racks, none has to be copied.
      authReplicationFactor: reached(ring, 'starting')
        ? Math.max(1, Object.keys(ring.tokens).length)
        : dataCenter.nodes.length,
      heapMegabytes: dataCenter.heapMegabytes,
      yamlFragment: dataCenter.yamlFragment,
      // One that bootstraps serves CQL, behind a door that is closed to it, once it is in the ring.
      startNativeTransport: serving,
      ...(cluster.auditLog === true && { auditLog: true }),
    },
    work: [...workFor(view, node.name), ...cleanupFor(dataCenter, ring, node.name)],
    ...commandsFor(view.intent, dataCenter.name, node.address),
    ...servicesFor(view.intent),
  };
}

function cleanupFor(dataCenter: OperatorDataCenter, ring: Ring, name: string): NodeIntent['work'] {
  const task = cleanupTask(dataCenter, ring);
  return task?.node === name ? [{ id: task.id, kind: 'cleanup' }] : [];
}

/** Left out where there are none: an intent that asks for none is the one it was before. */
function commandsFor(
  intent: RingView['intent'],
  dataCenter: string,
  address: string,
): Pick<NodeIntent, 'commands'> {
  const commands = (intent.commands ?? [])
    .filter((command) => command.dataCenter === dataCenter && command.host === address)
    .map((command) => ({ id: command.id, arguments: [...command.arguments] }));
  return commands.length > 0 ? { commands } : {};
}

/** Left out where there is no gate. */
function servicesFor({ gate }: RingView['intent']): Pick<NodeIntent, 'services'> {
  if (!gate) return {};
  const { authority, accounts, logs } = gate;
  return { services: { port: ports.services, authority, accounts: [...accounts], ...(logs && { logs }) } };
}

/** The last words to a node that leaves: everything stops, and its door closes for good. */
export function retiredIntent(last: NodeIntent): NodeIntent {
  const { services: _, ...rest } = last;
  return {
    ...rest,
    door: { ...last.door, state: 'retired', peers: [], clients: [], metrics: [] },
    cassandra: { ...last.cassandra, process: 'stopped' },
    work: [],
    commands: [],
  };
}
