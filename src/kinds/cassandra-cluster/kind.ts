/** A cluster: its operator, its private link service, its identity. Its nodes belong to its data centres. */
import { randomBytes, randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { ArmError } from '../../arm/errors.ts';
import type { Kind, KindContext, PutRequest } from '../../arm/kind.ts';
import type { Store } from '../../store/resource.ts';
import { lowestFree, storedPrefix } from '../addresses.ts';
import { seedsOf } from '../cassandra-data-center/schema.ts';
import { platformClaims } from '../claims.ts';
import type { Fields } from '../fields.ts';
import { complete, notInForce, plainJson } from '../property.ts';
import { invokeCommand } from '../cassandra-command/invoke.ts';
import { linkServiceId, managedGroup, platform } from '../platform.ts';
import { approveAction } from '../private-link-connection/schema.ts';
import { putLinkService } from '../private-link-service/put.ts';
import { readSubscriptions, type LinkServiceProperties } from '../private-link-service/schema.ts';
import { checkClusterQuota } from '../quotas.ts';
import { accepted, cassandraName, region } from '../rules.ts';
import { settingsOf } from '../settings.ts';
import { refuseInUse } from '../subnet/schema.ts';
import { showWaiting } from '../waiting.ts';
import { checkPassword, hashPassword, isPassword } from './password.ts';
import { clusterProperties } from './properties.ts';
import { deallocate, startAgain } from './deallocate.ts';
import { readIdentity } from './identity.ts';
import { readCluster } from './request.ts';
import {
  clusterSecrets,
  clusterType,
  type ClusterProperties,
  type ClusterState,
  type Cluster,
} from './schema.ts';
import { clusterStatus } from './status.ts';
import { connectionsOf } from '../private-link-connection/find.ts';
import { dataCentersOf } from '../cassandra-data-center/find.ts';

export const clusterKind: Kind<ClusterProperties, ClusterState> = {
  type: clusterType,
  summary: 'A managed Apache Cassandra cluster.',
  name: cassandraName,
  tracked: true,
  operations: 'documentdb',
  verbs: ['GET', 'PUT', 'PATCH', 'DELETE'],

  accept(request, existing, context) {
    const { body, properties } = readCluster(request.properties, existing);
    const { identity, principalId, changed } = readIdentity(request, existing, context);
    const listed = readSubscriptions(body, 'privateLinkAutoApproveSubscriptions');
    if (existing) {
      checkSamePassword(body, existing, context.store);
      const touched = writeAutoApproval(existing.state.linkServiceId, listed, context) || changed;
      const now = { ...existing, properties: complete(clusterProperties, existing.properties) };
      const state = principalId === undefined ? existing.state : { ...existing.state, principalId };
      return { ...accepted(now, properties, state, { touched }), identity };
    }
    checkAutoApproval(listed ?? [], context);
    checkClusterQuota(context.store, request.id.subscriptionId);
    const state = makeState(request, readInitialPassword(body, properties), context);
    putLinkService(context.store, {
      id: state.linkServiceId,
      location: request.location,
      properties: { clusterId: request.id.text, alias: state.alias, autoApproval: listed ?? [] },
    });
    return {
      properties,
      state: principalId === undefined ? state : { ...state, principalId },
      identity,
    };
  },

  show(cluster, { store }) {
    const { state } = cluster;
    const said = complete(clusterProperties, cluster.properties);
    const dataCenters = dataCentersOf(store, cluster.id).filter(
      (item) => item.provisioningState !== 'Deleting',
    );
    return {
      provisioningState: cluster.provisioningState,
      ...plainJson(said),
      privateLinkResourceId: state.linkServiceId,
      privateLinkAutoApproveSubscriptions:
        store.get<LinkServiceProperties>(state.linkServiceId)?.properties.autoApproval ?? [],
      clientCertificateAuthorities: state.authorities ? [{ pem: state.authorities.client }] : [],
      gossipCertificates: state.authorities ? [{ pem: state.authorities.internode }] : [],
      seedNodes: dataCenters.flatMap((item) =>
        seedsOf(item.state).map((node) => ({ ipAddress: node.address })),
      ),
      prometheusEndpoint: {},
      deallocated: state.deallocated?.observed ?? false,
      diagnosticSettingsId: cluster.id.toUpperCase(),
      notInForce: notInForce(clusterProperties, said),
      ...showWaiting(state.waiting, cluster.fault, cluster.id),
    };
  },
  envelope: (cluster) => ({ identity: cluster.identity ?? { type: 'None' } }),

  beforeDelete(cluster, { store }) {
    const users = [
      ...dataCentersOf(store, cluster.id).map((item) => `data centre ${item.id}`),
      // A connection that nobody approved must not keep a cluster alive: anybody who knows the alias can ask for one.
      ...connectionsOf(store, cluster.state.linkServiceId)
        .filter((connection) => connection.properties.status === 'Approved')
        .map((connection) => `private endpoint ${connection.properties.endpointId}`),
    ];
    if (users.length > 0) refuseInUse(`Cluster '${cluster.name}'`, users);
  },

  actions: {
    status: {
      method: 'GET',
      actionName: `${clusterType}/read`,
      run: (cluster, _, { store, now }) => clusterStatus(cluster, store, now()),
    },
    invokeCommand: {
      method: 'POST',
      actionName: `${clusterType}/invokeCommand/action`,
      start: (cluster, request, context) => invokeCommand(cluster, request.body, context, 'waits'),
    },
    invokeCommandAsync: {
      method: 'POST',
      actionName: `${clusterType}/invokeCommandAsync/action`,
      start: (cluster, request, context) => invokeCommand(cluster, request.body, context, 'asks later'),
    },
    deallocate: {
      method: 'POST',
      actionName: `${clusterType}/deallocate/action`,
      start: deallocate,
    },
    start: { method: 'POST', actionName: `${clusterType}/start/action`, start: startAgain },
  },
};

/** Who puts a subscription on the list approves it: that takes the right to approve. */
function checkAutoApproval(added: readonly string[], context: KindContext): void {
  const scope = managedGroup(settingsOf(context.store).providerSubscription);
  if (added.length === 0 || context.may(approveAction, scope)) return;
  throw new ArmError(
    'AuthorizationFailed',
    `'${context.caller.displayName}' may not add ${added.join(', ')} to properties.privateLinkAutoApproveSubscriptions: it would approve ` +
      `connections, which takes ${approveAction} at ${scope}. Leave it out, and ask the provider to approve the connection, or to put the ` +
      "subscription on the autoApproval list of the cluster's private link service.",
    { target: 'properties.privateLinkAutoApproveSubscriptions' },
  );
}

/** The list is the private link service's; true where it changed. */
function writeAutoApproval(
  serviceId: string,
  listed: readonly string[] | undefined,
  context: KindContext,
): boolean {
  const service = context.store.get<LinkServiceProperties>(serviceId);
  if (!service || !listed || isDeepStrictEqual(listed, service.properties.autoApproval)) return false;
  checkAutoApproval(
    listed.filter((id) => !service.properties.autoApproval.includes(id)),
    context,
  );
  putLinkService(context.store, { ...service, properties: { ...service.properties, autoApproval: listed } });
  return true;
}

function readInitialPassword(body: Fields, properties: ClusterProperties): string | null {
  const password = body.text('initialCassandraAdminPassword');
  if (properties.authenticationMethod === 'None') {
    if (password === undefined) return null;
    return body.fail(
      'initialCassandraAdminPassword',
      'is given, but authenticationMethod is None: nobody would be asked for it. Leave one out.',
    );
  }
  if (password === undefined) {
    return body.fail(
      'initialCassandraAdminPassword',
      "is missing: the first password of the role 'cassandra'.",
    );
  }
  checkPassword(password);
  return hashPassword(password);
}

/** The initial password is for creation; sent again, it must be the same. */
function checkSamePassword(body: Fields, cluster: Cluster, store: Store): void {
  const password = body.text('initialCassandraAdminPassword');
  if (password === undefined) return;
  const hash = store.secrets.get(clusterSecrets(cluster.state.identity).adminHash);
  if (hash !== undefined && isPassword(password, hash)) return;
  throw new ArmError(
    'PropertyChangeNotAllowed',
    "properties.initialCassandraAdminPassword is the password at creation. Change it in CQL: ALTER ROLE cassandra WITH PASSWORD = '…';",
    { target: 'properties.initialCassandraAdminPassword' },
  );
}

/** Everything a cluster is given for good. */
function makeState(request: PutRequest, adminHash: string | null, { store }: KindContext): ClusterState {
  const settings = settingsOf(store);
  const [address] = lowestFree(storedPrefix(platform.subnets.operators), platformClaims(store), 1);
  if (address === undefined) {
    throw new ArmError(
      'Conflict',
      `The platform has no address left for another operator (${platform.subnets.operators}). Delete unused clusters.`,
    );
  }
  const identity = randomUUID();
  const short = identity.slice(0, 8);
  const names = clusterSecrets(identity);
  if (adminHash !== null) store.secrets.set(names.adminHash, adminHash);
  store.secrets.set(names.servicePassword, randomBytes(24).toString('base64url'));
  store.secrets.set(names.operatorToken, randomBytes(32).toString('base64url'));
  return {
    identity,
    ulaPrefix: randomUla(),
    linkServiceId: linkServiceId(settings.providerSubscription, `${request.id.name.slice(0, 60)}-${short}`),
    alias: `${request.id.name.slice(0, 60)}.${randomUUID()}.${region(request.location ?? '')}.azure.privatelinkservice`,
    operator: { machine: `operator-${short}-${randomBytes(2).toString('hex')}`, address, admitted: false },
    authorities: null,
    waiting: null,
  };
}

/** A unique local /48 with 40 random bits (RFC 4193): it meets no customer's plan, and no other cluster's. */
function randomUla(): string {
  const hex = `fd${randomBytes(5).toString('hex')}`;
  return `${[0, 4, 8].map((at) => hex.slice(at, at + 4).replace(/^0+(?=.)/, '')).join(':')}::/48`;
}
