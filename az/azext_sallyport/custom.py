"""What the commands do: each makes one body and sends it. az's own SDK carries it; where that is too old, the API is asked directly."""

from azure.cli.core.util import sdk_no_wait

from . import _api
from ._actions import addresses, pems, words


def create_cluster(
    client,
    resource_group_name,
    cluster_name,
    location,
    delegated_management_subnet_id=None,
    tags=None,
    identity_type="None",
    cluster_name_override=None,
    initial_cassandra_admin_password=None,
    restore_from_backup_id=None,
    no_wait=False,
    **kwargs,
):
    properties = {
        "delegatedManagementSubnetId": delegated_management_subnet_id,
        "clusterNameOverride": cluster_name_override,
        # az reads @FILE with the line's end; an editor's newline is no part of a password.
        "initialCassandraAdminPassword": _without_line_end(initial_cassandra_admin_password),
        "restoreFromBackupId": restore_from_backup_id,
        **_cluster_properties(**kwargs),
    }
    body = _given({"location": location, "tags": tags, "identity": {"type": identity_type}})
    body["properties"] = _given(properties)
    return sdk_no_wait(no_wait, client.begin_create_update, resource_group_name, cluster_name, body, cls=_as_sent)


def update_cluster(client, resource_group_name, cluster_name, tags=None, identity_type=None, no_wait=False, **kwargs):
    """A PATCH of what was given: what was not is not so much as named."""
    identity = None if identity_type is None else {"type": identity_type}
    body = _given({"tags": tags, "identity": identity, "properties": _given(_cluster_properties(**kwargs))})
    return sdk_no_wait(no_wait, client.begin_update, resource_group_name, cluster_name, body, cls=_as_sent)


def create_data_center(
    client,
    resource_group_name,
    cluster_name,
    data_center_name,
    data_center_location,
    delegated_subnet_id,
    node_count,
    private_endpoint_ip_address=None,
    base64_encoded_cassandra_yaml_fragment=None,
    sku=None,
    disk_sku=None,
    disk_capacity=None,
    availability_zone=None,
    managed_disk_customer_key_uri=None,
    backup_storage_customer_key_uri=None,
    no_wait=False,
):
    properties = {
        "dataCenterLocation": data_center_location,
        "delegatedSubnetId": delegated_subnet_id,
        "nodeCount": node_count,
        "privateEndpointIpAddress": private_endpoint_ip_address,
        "base64EncodedCassandraYamlFragment": base64_encoded_cassandra_yaml_fragment,
        "sku": sku,
        "diskSku": disk_sku,
        "diskCapacity": disk_capacity,
        "availabilityZone": availability_zone,
        "managedDiskCustomerKeyUri": managed_disk_customer_key_uri,
        "backupStorageCustomerKeyUri": backup_storage_customer_key_uri,
    }
    body = {"properties": _given(properties)}
    names = (resource_group_name, cluster_name, data_center_name)
    return sdk_no_wait(no_wait, client.begin_create_update, *names, body, cls=_as_sent)


def invoke_command(
    client,
    resource_group_name,
    cluster_name,
    command_name,
    host,
    arguments=None,
    cassandra_stop_start=None,
    readwrite=None,
    no_wait=False,
):
    body = _invocation(command_name, host, arguments, cassandra_stop_start)
    if readwrite is not None:
        body["readwrite"] = readwrite
    return sdk_no_wait(no_wait, client.begin_invoke_command, resource_group_name, cluster_name, body)


def invoke_command_async(
    cmd,
    resource_group_name,
    cluster_name,
    command_name,
    host,
    arguments=None,
    cassandra_stop_start=None,
    readwrite=None,
):
    """Returns as soon as the command is taken on; `command show` tells how it goes."""
    body = _invocation(command_name, host, arguments, cassandra_stop_start)
    if readwrite is not None:
        body["readWrite"] = readwrite
    return _api.post(cmd, resource_group_name, cluster_name, "invokeCommandAsync", body)


def list_commands(cmd, resource_group_name, cluster_name):
    return _api.get(cmd, resource_group_name, cluster_name, "commands").get("value", [])


def show_command(cmd, resource_group_name, cluster_name, command_id):
    return _api.get(cmd, resource_group_name, cluster_name, "commands", command_id)


def list_backups(cmd, resource_group_name, cluster_name):
    return _api.get(cmd, resource_group_name, cluster_name, "backups").get("value", [])


def show_backup(cmd, resource_group_name, cluster_name, backup_id):
    return _api.get(cmd, resource_group_name, cluster_name, "backups", backup_id)


def _cluster_properties(
    cassandra_version=None,
    authentication_method=None,
    hours_between_backups=None,
    repair_enabled=None,
    cassandra_audit_logging_enabled=None,
    client_certificates=None,
    external_gossip_certificates=None,
    external_seed_nodes=None,
    external_data_centers=None,
    azure_connection_method=None,
    auto_approve_subscriptions=None,
    auto_replicate=None,
    backup_schedules=None,
    scheduled_event_strategy=None,
    cluster_type=None,
    extensions=None,
):
    return {
        "cassandraVersion": cassandra_version,
        "authenticationMethod": authentication_method,
        "hoursBetweenBackups": hours_between_backups,
        "repairEnabled": repair_enabled,
        "cassandraAuditLoggingEnabled": cassandra_audit_logging_enabled,
        "clientCertificates": pems(client_certificates),
        "externalGossipCertificates": pems(external_gossip_certificates),
        "externalSeedNodes": addresses(external_seed_nodes),
        "externalDataCenters": words(external_data_centers),
        "azureConnectionMethod": azure_connection_method,
        "privateLinkAutoApproveSubscriptions": words(auto_approve_subscriptions),
        "autoReplicate": auto_replicate,
        "backupSchedules": backup_schedules,
        "scheduledEventStrategy": scheduled_event_strategy,
        "clusterType": cluster_type,
        "extensions": words(extensions),
    }


def _invocation(command, host, arguments, cassandra_stop_start):
    stop = {} if cassandra_stop_start is None else {"cassandra-stop-start": cassandra_stop_start}
    return {"command": command, "host": host, "arguments": arguments or {}, **stop}


def _as_sent(response, _model, _headers):
    """The answer with all that is in it: the SDK's own model drops the properties that it is too old for."""
    return response.http_response.json()


def _given(values):
    return {name: value for name, value in values.items() if value is not None}


def _without_line_end(text):
    return None if text is None else text.removesuffix("\n").removesuffix("\r")
