"""The how-to, and every operation of both Cassandra groups, with the Python SDKs as published.

Standard input: one JSON object with who and where (a secret never stands in an argument), and whether it is the how-to
alone, which a real ring goes along with in a minute.
Standard output: one JSON line an operation.
"""

import json
import sys

from azure.core.exceptions import HttpResponseError
from azure.identity import ClientSecretCredential
from azure.mgmt.cosmosdb import CosmosDBManagementClient
from azure.mgmt.network import NetworkManagementClient

given = json.load(sys.stdin)
endpoint, group, location = given["endpoint"], given["group"], given["location"]
customer, provider = given["customer"], given["provider"]
how_to_only = given.get("howToOnly", False)
scope = endpoint + "/.default"


def credential(party):
    return ClientSecretCredential(
        given["tenantId"],
        party["clientId"],
        party["secret"],
        authority=endpoint,
        disable_instance_discovery=True,
    )


def client(kind, party):
    return kind(credential(party), party["subscriptionId"], base_url=endpoint, credential_scopes=[scope])


cosmos = client(CosmosDBManagementClient, customer)
network = client(NetworkManagementClient, customer)
service = client(NetworkManagementClient, provider)


def say(**line):
    print(json.dumps(line), flush=True)


def step(operation, work, refused=None):
    """One operation. refused: the code that is the right answer. What failed is said, and the run goes on."""
    try:
        result = work()
        if refused is None:
            say(operation=operation, outcome="ok")
        else:
            say(operation=operation, status=200, code="NotRefused")
        return result
    except Exception as error:  # whatever a client throws at its user is what this is about
        status = getattr(error, "status_code", None) or 0
        code = type(error).__name__
        if isinstance(error, HttpResponseError) and error.error is not None:
            code = error.error.code
        if refused is not None and code == refused:
            say(operation=operation, outcome="ok")
            return None
        say(operation=operation, status=status, code=code, message=str(error)[:500])
        return None


def expect(condition, why):
    if not condition:
        raise AssertionError(why)


def subnet(name):
    return (
        f"/subscriptions/{customer['subscriptionId']}/resourceGroups/{group}"
        f"/providers/Microsoft.Network/virtualNetworks/vnet1/subnets/{name}"
    )


# 1. A network to live in.
networks = network.virtual_networks
step(
    "VirtualNetworks_CreateOrUpdate",
    lambda: networks.begin_create_or_update(
        group,
        "vnet1",
        {
            "location": location,
            "properties": {
                "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
                "subnets": [{"name": "pe", "properties": {"addressPrefix": "10.0.1.0/24"}}],
            },
        },
    ).result(),
)
for name, prefix in (("cass", "10.0.2.0/24"), ("apps", "10.0.3.0/24")):
    step(
        "Subnets_CreateOrUpdate",
        lambda: network.subnets.begin_create_or_update(
            group, "vnet1", name, {"properties": {"addressPrefix": prefix}}
        ).result(),
    )
step(
    "VirtualNetworks_Get",
    lambda: expect(len(networks.get(group, "vnet1").subnets) == 3, "vnet1 has three subnets"),
)
step("VirtualNetworks_List", lambda: expect(len(list(networks.list(group))) == 1, "one network"))
step("VirtualNetworks_ListAll", lambda: list(networks.list_all()))
step("VirtualNetworks_UpdateTags", lambda: networks.update_tags(group, "vnet1", {"tags": {"team": "data"}}))
step("Subnets_Get", lambda: network.subnets.get(group, "vnet1", "pe"))
step("Subnets_List", lambda: list(network.subnets.list(group, "vnet1")))

# 2. A cluster, and the service's private link.
clusters = cosmos.cassandra_clusters
cluster = step(
    "CassandraClusters_CreateUpdate",
    lambda: clusters.begin_create_update(
        group,
        "c1",
        {
            "location": location,
            "tags": {"env": "test"},
            "properties": {
                "azureConnectionMethod": "VPN",
                "initialCassandraAdminPassword": "Pa55-word-of-a-test",
                "cassandraVersion": "5.0",
            },
        },
    ).result(),
)


def get_cluster():
    got = clusters.get(group, "c1")
    expect(got.properties.provisioning_state == "Succeeded", "the cluster Succeeded")
    expect(got.properties.azure_connection_method == "VPN", "the method stayed")
    expect(not got.properties.initial_cassandra_admin_password, "no password comes back")
    return got


shown = step("CassandraClusters_Get", get_cluster)


def put_cluster_again():
    again = clusters.begin_create_update(group, "c1", shown).result()
    expect(again.as_dict() == shown.as_dict(), "its own GET, sent back, changes nothing")


step("CassandraClusters_CreateUpdate", put_cluster_again)
step(
    "CassandraClusters_ListByResourceGroup",
    lambda: expect(len(list(clusters.list_by_resource_group(group))) == 1, "one cluster"),
)
step("CassandraClusters_ListBySubscription", lambda: list(clusters.list_by_subscription()))
link = cluster.properties.private_link_resource_id if cluster else ""
parts = link.split("/") + [""] * 9
link_group, link_name = parts[4], parts[8]

# 3. A private endpoint, which the provider approves.
endpoints = network.private_endpoints
made = step(
    "PrivateEndpoints_CreateOrUpdate",
    lambda: endpoints.begin_create_or_update(
        group,
        "pe1",
        {
            "location": location,
            "properties": {
                "subnet": {"id": subnet("pe")},
                "customNetworkInterfaceName": "pe1-nic",
                "ipConfigurations": [{"name": "ip1", "properties": {"privateIPAddress": "10.0.1.10"}}],
                "manualPrivateLinkServiceConnections": [
                    {
                        "name": "conn1",
                        "properties": {"privateLinkServiceId": link, "requestMessage": "cluster c1"},
                    }
                ],
            },
        },
    ).result(),
)


def consumer_status():
    (connection,) = endpoints.get(group, "pe1").manual_private_link_service_connections
    return connection.private_link_service_connection_state.status


step("PrivateEndpoints_Get", lambda: expect(consumer_status() == "Pending", "the connection is Pending"))
step("PrivateEndpoints_List", lambda: list(endpoints.list(group)))
step("PrivateEndpoints_ListBySubscription", lambda: list(endpoints.list_by_subscription()))
step(
    "NetworkInterfaces_Get",
    lambda: expect(
        network.network_interfaces.get(group, made.network_interfaces[0].id.split("/")[-1])
        .ip_configurations[0]
        .private_ip_address
        == "10.0.1.10",
        "its static address",
    ),
)
step("NetworkInterfaces_List", lambda: list(network.network_interfaces.list(group)))
links = service.private_link_services
step("PrivateLinkServices_Get", lambda: links.get(link_group, link_name))
step("PrivateLinkServices_List", lambda: list(links.list(link_group)))
step("PrivateLinkServices_ListBySubscription", lambda: list(links.list_by_subscription()))
step(
    "PrivateLinkServices_ListAutoApprovedPrivateLinkServices",
    lambda: list(network.private_link_services.list_auto_approved_private_link_services(location)),
)
connections = step(
    "PrivateLinkServices_ListPrivateEndpointConnections",
    lambda: list(links.list_private_endpoint_connections(link_group, link_name)),
)
connection = connections[0].name if connections else "none"
step(
    "PrivateLinkServices_GetPrivateEndpointConnection",
    lambda: links.get_private_endpoint_connection(link_group, link_name, connection),
)


def approve():
    state = {"status": "Approved", "description": "ok"}
    body = {"name": connection, "properties": {"privateLinkServiceConnectionState": state}}
    links.update_private_endpoint_connection(link_group, link_name, connection, body)
    expect(consumer_status() == "Approved", "the consumer sees Approved")


step("PrivateLinkServices_UpdatePrivateEndpointConnection", approve)

# 4. A data centre, and its state.
centers = cosmos.cassandra_data_centers
step(
    "CassandraDataCenters_CreateUpdate",
    lambda: centers.begin_create_update(
        group,
        "c1",
        "dc1",
        {
            "properties": {
                "dataCenterLocation": location,
                "delegatedSubnetId": subnet("cass"),
                "nodeCount": 3,
                "privateEndpointIpAddress": "10.0.1.10",
            }
        },
    ).result(),
)


def get_center():
    got = centers.get(group, "c1", "dc1")
    expect(got.properties.provisioning_state == "Succeeded", "the data centre Succeeded")
    expect(len(got.properties.seed_nodes) == 3, "three seeds")
    return got


center = step("CassandraDataCenters_Get", get_center)


def put_center_again():
    again = centers.begin_create_update(group, "c1", "dc1", center).result()
    expect(again.as_dict() == center.as_dict(), "its own GET, sent back, changes nothing")


step("CassandraDataCenters_CreateUpdate", put_center_again)
step("CassandraDataCenters_List", lambda: list(centers.list(group, "c1")))


def status():
    nodes = [node for each in clusters.status(group, "c1").data_centers for node in each.nodes]
    expect(len(nodes) == 3 and all(node.state == "Normal" for node in nodes), "three nodes, all Normal")


step("CassandraClusters_Status", status)


# 5. Changes.
def update_cluster():
    body = {"tags": {"env": "changed"}, "properties": {"repairEnabled": False}}
    got = clusters.begin_update(group, "c1", body).result()
    expect(got.properties.repair_enabled is False and got.tags["env"] == "changed", "both are changed")
    expect(got.properties.azure_connection_method == "VPN", "what was left out stayed")


step("CassandraClusters_Update", update_cluster)
for count in () if how_to_only else (4, 3):

    def scale():
        got = centers.begin_update(group, "c1", "dc1", {"properties": {"nodeCount": count}}).result()
        expect(got.properties.node_count == count, f"{count} nodes")

    step("CassandraDataCenters_Update", scale)
host = center.properties.seed_nodes[0].ip_address if center else "none"
command = {"command": "nodetool", "host": host, "arguments": {"status": ""}}


def invoke():
    output = clusters.begin_invoke_command(group, "c1", command).result().command_output
    expect(("\nUN " if how_to_only else "status") in output, f"nodetool says {output}")


step("CassandraClusters_InvokeCommand", invoke)
step(
    "CassandraClusters_InvokeCommandAsync",
    lambda: clusters.begin_invoke_command_async(group, "c1", command).result(),
)
commands = step("CassandraClusters_ListCommand", lambda: list(clusters.list_command(group, "c1")))
command_id = commands[0].command_id if commands else "none"
step("CassandraClusters_GetCommandAsync", lambda: clusters.get_command_async(group, "c1", command_id))
step("CassandraClusters_ListBackups", lambda: list(clusters.list_backups(group, "c1")))
step("CassandraClusters_GetBackup", lambda: clusters.get_backup(group, "c1", "1"), refused="ResourceNotFound")
if not how_to_only:
    step(
        "CassandraClusters_Deallocate",
        lambda: clusters.begin_deallocate(group, "c1", x_ms_force_deallocate="true").result(),
    )
    step("CassandraClusters_Start", lambda: clusters.begin_start(group, "c1").result())

# 6. The rest of the network.


def rest_of_network():
    rule = {
        "priority": 200,
        "direction": "Outbound",
        "access": "Deny",
        "protocol": "Tcp",
        "sourceAddressPrefix": "*",
        "sourcePortRange": "*",
        "destinationAddressPrefix": "Internet",
        "destinationPortRange": "*",
    }
    bare = {"location": location}
    groups = network.network_security_groups
    step("NetworkSecurityGroups_CreateOrUpdate", lambda: groups.begin_create_or_update(group, "nsg1", bare).result())
    step("NetworkSecurityGroups_Get", lambda: groups.get(group, "nsg1"))
    step("NetworkSecurityGroups_List", lambda: list(groups.list(group)))
    rules = network.security_rules
    step(
        "SecurityRules_CreateOrUpdate",
        lambda: rules.begin_create_or_update(group, "nsg1", "r1", {"properties": rule}).result(),
    )
    step("SecurityRules_List", lambda: list(rules.list(group, "nsg1")))
    step("SecurityRules_Delete", lambda: rules.begin_delete(group, "nsg1", "r1").result())
    step("NetworkSecurityGroups_Delete", lambda: groups.begin_delete(group, "nsg1").result())
    asgs = network.application_security_groups
    step("ApplicationSecurityGroups_CreateOrUpdate", lambda: asgs.begin_create_or_update(group, "asg1", bare).result())
    step("ApplicationSecurityGroups_Delete", lambda: asgs.begin_delete(group, "asg1").result())
    tables = network.route_tables
    step("RouteTables_CreateOrUpdate", lambda: tables.begin_create_or_update(group, "rt1", bare).result())
    route = {"properties": {"addressPrefix": "192.0.2.0/24", "nextHopType": "None"}}
    step(
        "Routes_CreateOrUpdate",
        lambda: network.routes.begin_create_or_update(group, "rt1", "out", route).result(),
    )
    step("RouteTables_Delete", lambda: tables.begin_delete(group, "rt1").result())
    policies = network.service_endpoint_policies
    step(
        "ServiceEndpointPolicies_CreateOrUpdate",
        lambda: policies.begin_create_or_update(group, "sep1", bare).result(),
    )
    definition = {
        "properties": {
            "service": "Microsoft.Storage",
            "serviceResources": [f"/subscriptions/{customer['subscriptionId']}"],
        }
    }
    step(
        "ServiceEndpointPolicyDefinitions_CreateOrUpdate",
        lambda: network.service_endpoint_policy_definitions.begin_create_or_update(
            group, "sep1", "d1", definition
        ).result(),
    )
    step("ServiceEndpointPolicies_Delete", lambda: policies.begin_delete(group, "sep1").result())
    step(
        "VirtualNetworks_CreateOrUpdate",
        lambda: networks.begin_create_or_update(
            group,
            "vnet2",
            {"location": location, "properties": {"addressSpace": {"addressPrefixes": ["10.1.0.0/16"]}}},
        ).result(),
    )
    peer = subnet("x").split("/subnets/")[0][: -len("vnet1")] + "vnet2"
    peerings = network.virtual_network_peerings
    peering = {"properties": {"remoteVirtualNetwork": {"id": peer}, "allowVirtualNetworkAccess": True}}
    step(
        "VirtualNetworkPeerings_CreateOrUpdate",
        lambda: peerings.begin_create_or_update(group, "vnet1", "to2", peering).result(),
    )
    step("VirtualNetworkPeerings_List", lambda: list(peerings.list(group, "vnet1")))
    step("VirtualNetworkPeerings_Delete", lambda: peerings.begin_delete(group, "vnet1", "to2").result())


# 7. What the walls would do with a node's packets.
def questions():
    def find_watcher():
        found = list(network.network_watchers.list_all())
        expect(len(found) == 1, f"{len(found)} network watchers are there")
        return found[0]

    watchers, interfaces = network.network_watchers, network.network_interfaces
    watcher = step("NetworkWatchers_ListAll", find_watcher)
    ours = (watcher.id.split("/")[4], watcher.name)
    nic = next(one for one in interfaces.list(group) if one.virtual_machine)
    node, address = nic.virtual_machine.id, nic.ip_configurations[0].private_ip_address
    outside = "203.0.113.10"

    def verify_flow():
        flow = {
            "targetResourceId": node,
            "direction": "Outbound",
            "protocol": "TCP",
            "localIPAddress": address,
            "localPort": "5000",
            "remoteIPAddress": outside,
            "remotePort": "443",
        }
        verdict = watchers.begin_verify_ip_flow(*ours, flow).result()
        expect(verdict.access == "Deny", f"a node may leave by {verdict.rule_name}")

    def next_hop():
        packet = {"targetResourceId": node, "sourceIPAddress": address, "destinationIPAddress": "10.0.1.10"}
        hop = watchers.begin_get_next_hop(*ours, packet).result()
        expect(hop.next_hop_type == "VnetLocal", f"the endpoint lies behind {hop.next_hop_type}")

    def connectivity():
        ends = {"source": {"resourceId": node}, "destination": {"address": outside, "port": 443}}
        checked = watchers.begin_check_connectivity(*ours, ends).result()
        expect(checked.connection_status == "Unreachable", f"outside is {checked.connection_status}")

    def rules():
        view = watchers.begin_get_vm_security_rules(*ours, {"targetResourceId": node}).result()
        expect(len(view.network_interfaces) == 1, "one interface")

    step("NetworkWatchers_VerifyIPFlow", verify_flow)
    step("NetworkWatchers_GetNextHop", next_hop)
    step("NetworkWatchers_CheckConnectivity", connectivity)
    step("NetworkWatchers_GetVMSecurityRules", rules)
    step(
        "NetworkInterfaces_ListEffectiveNetworkSecurityGroups",
        lambda: interfaces.begin_list_effective_network_security_groups(group, nic.name).result(),
    )
    step(
        "NetworkInterfaces_GetEffectiveRouteTable",
        lambda: expect(interfaces.begin_get_effective_route_table(group, nic.name).result().value, "it has routes"),
    )


if not how_to_only:
    rest_of_network()
    questions()

# 8. Everything goes away again.
step("CassandraDataCenters_Delete", lambda: centers.begin_delete(group, "c1", "dc1").result())
step("CassandraDataCenters_Get", lambda: centers.get(group, "c1", "dc1"), refused="ResourceNotFound")
step("PrivateEndpoints_Delete", lambda: endpoints.begin_delete(group, "pe1").result())
step("CassandraClusters_Delete", lambda: clusters.begin_delete(group, "c1").result())
step("CassandraClusters_Get", lambda: clusters.get(group, "c1"), refused="ResourceNotFound")
step("Subnets_Delete", lambda: network.subnets.begin_delete(group, "vnet1", "cass").result())
for name in ("vnet1",) if how_to_only else ("vnet1", "vnet2"):
    step("VirtualNetworks_Delete", lambda: networks.begin_delete(group, name).result())
