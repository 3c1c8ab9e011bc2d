/**
 * What az is asked, in this order, against one control: every command of the wire trace that the API was made from, and
 * what our extension adds. Words in braces were taken from answers before.
 */

export interface AzCommand {
  /** Split at blanks, outside of quotation marks. */
  readonly line: string;
  readonly as?: 'provider';
  /** az as it comes, without our extension. */
  readonly stock?: true;
  /** The code of the refusal that is the right answer. */
  readonly refused?: string;
  /** What az must print about it. */
  readonly says?: RegExp;
  /** Values to keep from the answer: name → path in it. */
  readonly take?: Readonly<Record<string, string>>;
  /** What the answer must hold: path → value. */
  readonly holds?: Readonly<Record<string, unknown>>;
}

const vnet = '/subscriptions/{sub}/resourceGroups/rg1/providers/Microsoft.Network/virtualNetworks/vnet1';
const c1 = '-c c1 -g rg1';
/** What no answer may hold. */
const password = 'Pa55-word-of-a-test';
const yaml = 'Y29sdW1uX2luZGV4X3NpemVfaW5fa2I6IDE2';

const around: readonly AzCommand[] = [
  { line: 'account show', holds: { id: '{sub}', 'user.type': 'servicePrincipal' } },
  { line: 'account list-locations' },
  { line: 'provider register -n Microsoft.DocumentDB' },
  { line: 'provider show -n Microsoft.DocumentDB', holds: { registrationState: 'Registered' } },
  { line: 'group create -n rg1 -l eastus2' },
  { line: 'group exists -n rg1' },
  { line: 'group list' },
];

const networks: readonly AzCommand[] = [
  { line: 'network vnet create -g rg1 -l eastus2 -n vnet1 --address-prefixes 10.0.0.0/16 --subnet-name s1' },
  { line: 'network vnet create -g rg1 -l eastus2 -n vnet2 --address-prefixes 10.2.0.0/16 --subnet-name s1' },
  {
    line: 'network vnet subnet create -g rg1 --vnet-name vnet1 -n cass --address-prefixes 10.0.2.0/24 --delegations Microsoft.DocumentDB/cassandraClusters --service-endpoints Microsoft.Storage Microsoft.KeyVault',
  },
  { line: 'network vnet subnet create -g rg1 --vnet-name vnet1 -n cass --address-prefixes 10.0.2.0/24' },
  {
    line: 'network vnet subnet create -g rg1 --vnet-name vnet1 -n pe --address-prefixes 10.0.1.0/24 --private-endpoint-network-policies Disabled',
  },
  {
    line: `role assignment create --assignee a232010e-820c-4083-83bb-3ace5fc29d0b --role 4d97b98b-1d4f-4787-a291-c67834d212e7 --scope ${vnet}`,
  },
];

const clusters: readonly AzCommand[] = [
  {
    line: `managed-cassandra cluster create ${c1} -l eastus2 -s ${vnet}/subnets/s1 -i ${password} --external-seed-nodes 10.9.0.1 --tags a=b --hours-between-backups 24 --cassandra-version 5.0 --repair-enabled true`,
    stock: true,
    refused: 'NotYetSupported',
  },
  {
    line: `managed-cassandra cluster create ${c1} -l eastus2 -i ${password} --tags a=b --cassandra-version 5.0 --repair-enabled true --azure-connection-method VPN --cluster-type NonProduction`,
    holds: {
      'properties.azureConnectionMethod': 'VPN',
      'properties.clusterType': 'NonProduction',
      'tags.a': 'b',
    },
  },
  {
    line: `managed-cassandra cluster show ${c1}`,
    take: { pls: 'properties.privateLinkResourceId' },
  },
  {
    line: `rest --method put --url /subscriptions/{sub}/resourceGroups/rg1/providers/Microsoft.DocumentDB/cassandraClusters/vpn1?api-version=2026-03-15 --body '{"location":"eastus2","properties":{"azureConnectionMethod":"VPN","initialCassandraAdminPassword":"${password}"}}'`,
  },
  {
    line: `resource create -g rg1 -n vpn2 --resource-type Microsoft.DocumentDB/cassandraClusters --api-version 2026-03-15 -l eastus2 --properties '{"azureConnectionMethod":"VPN","initialCassandraAdminPassword":"${password}"}'`,
  },
  { line: 'managed-cassandra cluster list -g rg1', holds: { length: 3 } },
  { line: 'managed-cassandra cluster list' },
];

const link: readonly AzCommand[] = [
  {
    line: "network private-endpoint create -g rg1 -n pe1 -l eastus2 --vnet-name vnet1 --subnet pe --private-connection-resource-id {pls} --connection-name conn1 --manual-request true --request-message 'cluster c1' --ip-config name=ip1 private-ip-address=10.0.1.10 --nic-name pe1-nic",
  },
  {
    line: 'network private-endpoint show -g rg1 -n pe1',
    holds: { 'manualPrivateLinkServiceConnections.0.privateLinkServiceConnectionState.status': 'Pending' },
  },
  {
    line: 'network nic show -g rg1 -n pe1-nic',
    holds: { 'ipConfigurations.0.privateIPAddress': '10.0.1.10' },
  },
  {
    line: 'network private-endpoint-connection list --id {pls}',
    as: 'provider',
    take: { connection: '0.id', connectionName: '0.name' },
  },
  {
    line: 'network private-link-service connection update -g sallyport-managed --service-name {plsName} -n {connectionName} --connection-status Approved --description ok',
    as: 'provider',
  },
  {
    line: 'network private-endpoint-connection approve --id {connection} --description ok',
    as: 'provider',
  },
  {
    line: 'network private-endpoint show -g rg1 -n pe1',
    holds: { 'manualPrivateLinkServiceConnections.0.privateLinkServiceConnectionState.status': 'Approved' },
  },
  { line: 'group create -n prov -l eastus2', as: 'provider' },
  {
    line: 'network vnet create -g prov -l eastus2 -n v --address-prefixes 10.1.0.0/16 --subnet-name s',
    as: 'provider',
  },
  {
    line: 'network vnet subnet update -g prov --vnet-name v -n s --private-link-service-network-policies Disabled',
    as: 'provider',
  },
  {
    line: "network private-link-service create -g prov -n pls2 -l eastus2 --vnet-name v --subnet s --destination-ip-address 10.1.0.4 --visibility '*' --auto-approval 11111111-1111-1111-1111-111111111111",
    as: 'provider',
  },
];

const dataCenters: readonly AzCommand[] = [
  {
    line: `managed-cassandra datacenter create ${c1} -d dc1 -l eastus2 -s ${vnet}/subnets/cass -n 3`,
    stock: true,
    refused: 'InvalidParameter',
  },
  {
    line: `managed-cassandra datacenter create ${c1} -d dc1 -l eastus2 -s ${vnet}/subnets/cass -n 3 --sku Standard_E8s_v5 --disk-capacity 4 --availability-zone false -b ${yaml} --private-endpoint-ip-address 10.0.1.10`,
    holds: { 'properties.privateEndpointIpAddress': '10.0.1.10' },
    take: { node: 'properties.seedNodes.0.ipAddress' },
  },
  { line: `managed-cassandra datacenter show ${c1} -d dc1` },
  { line: `managed-cassandra datacenter list ${c1}`, holds: { length: 1 } },
  { line: `managed-cassandra datacenter update ${c1} -d dc1 -n 6` },
  {
    line: `managed-cassandra cluster update ${c1} --repair-enabled false`,
    holds: { 'properties.repairEnabled': false, 'properties.azureConnectionMethod': 'VPN' },
  },
  {
    line: `managed-cassandra cluster update ${c1} --repair-enabled true`,
    stock: true,
    holds: { 'properties.repairEnabled': true, 'properties.azureConnectionMethod': 'VPN' },
  },
  {
    line: `managed-cassandra cluster update ${c1} --scheduled-event-strategy StopByRack --cluster-type NonProduction`,
  },
  {
    line: `managed-cassandra cluster update ${c1} --auto-approve-subscriptions {sub}`,
    refused: 'AuthorizationFailed',
  },
  {
    line: `managed-cassandra cluster update ${c1} --backup-schedules name=Daily cron='0 2 * * *' hours=48 --backup-schedules name=Weekly cron='0 3 * * 0' hours=720`,
  },
  {
    line: `managed-cassandra cluster update ${c1} --auto-replicate SystemKeyspaces --external-data-centers dc-old`,
  },
  {
    line: `managed-cassandra cluster update ${c1} --extensions cassandra-lucene-index`,
  },
  {
    line: `managed-cassandra cluster invoke-command ${c1} --host {node} --command-name nodetool --arguments status=`,
  },
  {
    line: `managed-cassandra cluster invoke-command ${c1} --host {node} --command-name nodetool --arguments status=`,
    stock: true,
  },
  {
    line: `managed-cassandra cluster invoke-command-async ${c1} --host {node} --command-name nodetool --arguments "info"="" "-T"=""`,
    take: { command: 'commandId' },
  },
  { line: `managed-cassandra cluster command list ${c1}` },
  {
    line: `managed-cassandra cluster command show ${c1} --command-id {command}`,
  },
  {
    line: `managed-cassandra cluster invoke-command ${c1} --host {node} --cassandra-stop-start true --readwrite true --command-name sstableutil --arguments system=peers`,
    refused: 'NotYetSupported',
  },
  {
    line: `managed-cassandra cluster invoke-command ${c1} --host {node} --command-name nodetool --arguments "compact"="" "-st"="65678794"`,
    refused: 'NotYetSupported',
  },
  { line: `managed-cassandra cluster backup list ${c1}` },
  {
    line: `managed-cassandra cluster backup show ${c1} --backup-id 1`,
    refused: '(ResourceNotFound|NotFound)',
  },
  { line: `managed-cassandra cluster status ${c1}` },
  { line: `managed-cassandra cluster status ${c1} -o table` },
  { line: `managed-cassandra cluster deallocate ${c1}` },
  { line: `managed-cassandra cluster start ${c1}` },
];

const fences: readonly AzCommand[] = [
  { line: 'network nsg create -g rg1 -n nsg1 -l eastus2' },
  {
    line: "network nsg rule create -g rg1 --nsg-name nsg1 -n deny-internet --priority 4000 --direction Outbound --access Deny --protocol '*' --destination-address-prefixes Internet --destination-port-ranges '*'",
  },
  {
    line: 'network nsg rule create -g rg1 --nsg-name nsg1 -n allow-storage --priority 100 --direction Outbound --access Allow --protocol Tcp --destination-address-prefixes Storage.eastus2 --destination-port-ranges 443',
  },
  { line: 'network nsg rule list -g rg1 --nsg-name nsg1' },
  { line: 'network asg create -g rg1 -n asg1 -l eastus2' },
  { line: 'network service-endpoint policy create -g rg1 -n sep1 -l eastus2' },
  {
    line: 'network service-endpoint policy-definition create -g rg1 --policy-name sep1 -n def1 --service Microsoft.Storage --service-resources /subscriptions/{sub}/resourceGroups/prov/providers/Microsoft.Storage/storageAccounts/sa1',
  },
  {
    line: 'network vnet subnet update -g rg1 --vnet-name vnet1 -n s1 --network-security-group nsg1',
  },
  {
    line: 'network vnet subnet update -g rg1 --vnet-name vnet1 -n cass --network-security-group nsg1 --service-endpoint-policy sep1',
  },
  {
    line: 'network vnet peering create -g rg1 -n p1 --vnet-name vnet1 --remote-vnet /subscriptions/{sub}/resourceGroups/rg1/providers/Microsoft.Network/virtualNetworks/vnet2 --allow-vnet-access --allow-forwarded-traffic',
  },
  { line: 'network route-table create -g rg1 -n rt1 -l eastus2' },
  { line: 'network nic list-effective-nsg -g rg1 -n pe1-nic' },
  { line: 'vm list -g rg1', take: { vm: '0.name', vmGroup: '0.resourceGroup' } },
  {
    line: 'network watcher test-ip-flow -g rg1 --vm {vm} --direction Outbound --protocol TCP --local {node}:5000 --remote 8.8.8.8:443',
    holds: { access: 'Deny' },
  },
  { line: 'network watcher show-security-group-view -g rg1 --vm {vm}' },
  {
    line: 'network watcher show-next-hop -g rg1 --vm {vm} --source-ip {node} --dest-ip 8.8.8.8',
    holds: { nextHopType: 'Internet' },
  },
  {
    line: 'network watcher test-connectivity -g rg1 --source-resource {vm} --dest-address 8.8.8.8 --dest-port 443',
    holds: { connectionStatus: 'Unreachable' },
  },
  { line: 'network nic show-effective-route-table -g rg1 -n pe1-nic' },
].map((command) => ({ ...command }));

const inCluster = '{templates}/cluster.json --parameters @{templates}/cluster.parameters.json';
const templates: readonly AzCommand[] = [
  { line: 'group create -n rg3 -l eastus2' },
  {
    line: `deployment group validate -g rg3 --template-file ${inCluster} --parameters clusterName=t1`,
    holds: { 'properties.provisioningState': 'Succeeded' },
  },
  { line: 'resource list -g rg3', holds: { length: 0 } },
  {
    line: `deployment group create -g rg3 -n first --template-file ${inCluster} --parameters clusterName=t1 prefix=10.21`,
    holds: {
      'properties.provisioningState': 'Succeeded',
      'properties.outputs.nodes.value': '10.21.2.0/24',
      'properties.outputs.cluster.value':
        '/subscriptions/{sub}/resourceGroups/rg3/providers/Microsoft.DocumentDB/cassandraClusters/t1',
      'properties.outputResources.length': 4,
      'properties.parameters.adminPassword.value': undefined,
    },
  },
  { line: 'deployment operation group list -g rg3 -n first', holds: { length: 4 } },
  { line: 'resource list -g rg3', holds: { length: 3 } },
  {
    line: 'network vnet show -g rg3 -n t1-vnet',
    holds: {
      'addressSpace.addressPrefixes.0': '10.21.0.0/16',
      'subnets.0.name': 'pe',
      'subnets.1.addressPrefix': '10.21.2.0/24',
      'subnets.1.networkSecurityGroup.id':
        '/subscriptions/{sub}/resourceGroups/rg3/providers/Microsoft.Network/networkSecurityGroups/t1-nsg',
    },
  },
  {
    line: `deployment group create -g rg3 -n replicate --template-file {templates}/auto-replicate.json --parameters clusterName=t1 keyspaces=SystemKeyspaces externalDataCenters='["dc-old"]'`,
    holds: { 'properties.provisioningState': 'Succeeded' },
  },
  {
    line: 'rest --method get --url /subscriptions/{sub}/resourceGroups/rg3/providers/Microsoft.DocumentDB/cassandraClusters/t1?api-version=2026-04-01-preview',
    holds: {
      'properties.autoReplicate': 'SystemKeyspaces',
      'properties.externalDataCenters.0': 'dc-old',
      'properties.azureConnectionMethod': 'VPN',
      'properties.repairEnabled': false,
      'tags.network':
        '/subscriptions/{sub}/resourceGroups/rg3/providers/Microsoft.Network/virtualNetworks/t1-vnet',
    },
  },
  {
    line: 'deployment group validate -g rg3 --template-file {templates}/unknown-function.json',
    refused: 'InvalidTemplate',
    says: /resources\[0\]\.name: the function 'uniqueString' is not known here\. Known are .*, resourceId,/,
  },
  {
    line: 'deployment group create -g rg3 -n unknown --template-file {templates}/unknown-function.json',
    refused: 'InvalidTemplate',
    says: /resources\[0\]\.name: the function 'uniqueString' is not known here\. Known are .*, resourceId,/,
  },
  { line: 'deployment group list -g rg3', holds: { length: 2 } },
  { line: 'group delete -n rg3 --yes' },
];

const end: readonly AzCommand[] = [
  {
    line: `monitor diagnostic-settings create --name x --resource /subscriptions/{sub}/resourceGroups/rg1/providers/Microsoft.DocumentDB/cassandraClusters/c1 --logs '[{"category":"CassandraAudit","enabled":true}]' --workspace /subscriptions/{sub}/resourceGroups/rg1/providers/microsoft.operationalinsights/workspaces/w`,
  },
  { line: 'monitor activity-log list -g rg1 --offset 1h' },
  { line: 'resource list -g rg1' },
  { line: 'tag list --resource-id /subscriptions/{sub}/resourceGroups/rg1' },
  { line: `managed-cassandra datacenter delete ${c1} -d dc1 --yes` },
  { line: `managed-cassandra datacenter show ${c1} -d dc1`, refused: 'ResourceNotFound' },
  {
    line: 'network private-link-service connection delete -g sallyport-managed --service-name {plsName} -n {connectionName}',
    as: 'provider',
  },
  {
    line: 'network private-endpoint show -g rg1 -n pe1',
    holds: {
      'manualPrivateLinkServiceConnections.0.privateLinkServiceConnectionState.status': 'Disconnected',
    },
  },
  { line: 'network private-endpoint delete -g rg1 -n pe1' },
  { line: `managed-cassandra cluster delete ${c1} --yes` },
  { line: 'managed-cassandra cluster delete -c vpn1 -g rg1 --yes' },
  { line: 'managed-cassandra cluster delete -c vpn2 -g rg1 --yes' },
  { line: 'group delete -n rg1 --yes' },
  {
    line: 'group exists -n rg1',
    holds: { '': false },
  },
];

export const commands: readonly AzCommand[] = [
  ...around,
  ...networks,
  ...clusters,
  ...link,
  ...dataCenters,
  ...fences,
  ...templates,
  ...end,
];
