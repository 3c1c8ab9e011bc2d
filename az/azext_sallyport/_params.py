"""The options. Those that az's own commands have are named and spelt as there."""

from azure.cli.core.commands.parameters import (
    get_enum_type,
    get_location_type,
    get_three_state_flag,
    resource_group_name_type,
    tags_type,
)

from ._actions import BackupSchedules, CommandArguments

CLUSTER = "managed-cassandra cluster"
COMMAND = ("invoke-command", "invoke-command-async")


def load_arguments(loader, _command):
    for name in ("create", "update", "backup", "command", *COMMAND):
        with loader.argument_context(f"{CLUSTER} {name}") as c:
            c.argument("resource_group_name", resource_group_name_type)
            c.argument("cluster_name", options_list=["--cluster-name", "-c"], help="Name of the cluster.")
    for name in ("create", "update"):
        with loader.argument_context(f"{CLUSTER} {name}") as c:
            cluster_properties(c)
    with loader.argument_context(f"{CLUSTER} create") as c:
        cluster_on_create(loader, c)
    for name in COMMAND:
        with loader.argument_context(f"{CLUSTER} {name}") as c:
            invocation(c)
    with loader.argument_context(f"{CLUSTER} command show") as c:
        c.argument("command_id", options_list=["--command-id"], help="Id, as `command list` shows it.")
    with loader.argument_context(f"{CLUSTER} backup show") as c:
        c.argument("backup_id", options_list=["--backup-id"], help="Id, as `backup list` shows it.")
    with loader.argument_context("managed-cassandra datacenter create") as c:
        data_center(loader, c)


def cluster_properties(c):
    # `extra`: the functions behind both commands take these as they come.
    many = {"nargs": "*"}
    c.argument("tags", tags_type)
    c.argument("identity_type", arg_type=get_enum_type(["None", "SystemAssigned"]), help="Identity of the cluster.")
    c.extra("cassandra_version", help="Version of Cassandra.")
    c.extra(
        "authentication_method",
        arg_type=get_enum_type(["None", "Cassandra", "Ldap"]),
        help="How clients prove who they are.",
    )
    c.extra("hours_between_backups", help="Hours between two backups. Older than --backup-schedules.")
    c.extra("repair_enabled", arg_type=get_three_state_flag(), help="Repair by itself.")
    c.extra("cassandra_audit_logging_enabled", arg_type=get_three_state_flag(), help="Keep an audit log.")
    c.extra("client_certificates", help="PEM files. If there are any, every client must show one of them.", **many)
    c.extra(
        "external_gossip_certificates",
        options_list=["--external-gossip-certificates", "-e"],
        help="PEM files of the authorities of nodes that are not managed here.",
        **many,
    )
    c.extra("external_seed_nodes", help="Addresses of seeds that are not managed here.", **many)
    c.extra("external_data_centers", help="Names of data centres that are not managed here.", **many)
    c.extra(
        "azure_connection_method",
        options_list=["--azure-connection-method", "-q"],
        arg_type=get_enum_type(["None", "VPN"]),
        help="How the nodes reach their operator. VPN: by a private endpoint in their own network, and by nothing else.",
    )
    c.extra(
        "auto_approve_subscriptions",
        help="Subscriptions whose private endpoints need no approval; the provider's to say. '' empties the list.",
        **many,
    )
    c.extra(
        "auto_replicate",
        arg_type=get_enum_type(["None", "SystemKeyspaces", "AllKeyspaces"]),
        help="Which keyspaces a new data centre is added to by itself.",
    )
    c.extra(
        "backup_schedules",
        action=BackupSchedules,
        help="name=NAME cron='0 2 * * *' hours=48; once for each schedule. Or JSON. '' empties the list.",
        **many,
    )
    c.extra(
        "scheduled_event_strategy",
        arg_type=get_enum_type(["Ignore", "StopAny", "StopByRack"]),
        help="What nodes do when their host announces an event.",
    )
    c.extra("cluster_type", arg_type=get_enum_type(["Production", "NonProduction"]), help="What the cluster is for.")
    c.extra("extensions", help="Extensions of Cassandra. '' empties the list.", **many)


def cluster_on_create(loader, c):
    c.argument("location", get_location_type(loader.cli_ctx), help="Region of the cluster.", required=True)
    c.argument(
        "delegated_management_subnet_id",
        options_list=["--delegated-management-subnet-id", "-s"],
        help="Subnet of the operator. Not needed with --azure-connection-method VPN.",
    )
    c.argument(
        "initial_cassandra_admin_password",
        options_list=["--initial-cassandra-admin-password", "-i"],
        help="Password of the role `cassandra`. @FILE keeps it out of the argument list.",
    )
    c.argument("restore_from_backup_id", help="Id of a backup to begin with.")
    c.argument("cluster_name_override", help="Cassandra's cluster_name, where it is no legal name of a resource.")


def invocation(c):
    c.argument("command_name", options_list=["--command-name"], help="Program to run.", required=True)
    c.argument("host", options_list=["--host"], help="Address of the node that runs it.", required=True)
    c.argument(
        "arguments",
        options_list=["--arguments"],
        action=CommandArguments,
        nargs="+",
        help="NAME=VALUE …; NAME= for one without a value. Names may begin with a hyphen.",
    )
    c.argument("cassandra_stop_start", arg_type=get_three_state_flag(), help="Stop Cassandra meanwhile.")
    c.argument("readwrite", arg_type=get_three_state_flag(), help="Let it write to Cassandra's folder.")


def data_center(loader, c):
    c.argument("resource_group_name", resource_group_name_type)
    c.argument("cluster_name", options_list=["--cluster-name", "-c"], help="Name of the cluster.")
    c.argument("data_center_name", options_list=["--data-center-name", "-d"], help="Name of the data centre.")
    c.argument(
        "data_center_location",
        get_location_type(loader.cli_ctx),
        options_list=["--data-center-location", "-l"],
        help="Region of the data centre.",
        required=True,
    )
    c.argument("delegated_subnet_id", options_list=["--delegated-subnet-id", "-s"], help="Subnet of the nodes.")
    c.argument("node_count", options_list=["--node-count", "-n"], type=int, help="How many nodes, 3 or more.")
    c.argument(
        "private_endpoint_ip_address",
        options_list=["--private-endpoint-ip-address", "-i"],
        help="Address of the private endpoint by which the nodes reach their operator.",
    )
    c.argument(
        "base64_encoded_cassandra_yaml_fragment",
        options_list=["--base64-encoded-cassandra-yaml-fragment", "-b"],
        help="Part of a cassandra.yaml, in base64.",
    )
    c.argument("sku", help="Size of the nodes.")
    c.argument("disk_sku", help="Kind of the disks.")
    c.argument("disk_capacity", type=int, help="Disks of a node.")
    c.argument(
        "availability_zone",
        options_list=["--availability-zone", "-z"],
        arg_type=get_three_state_flag(),
        help="Spread over zones; each is a rack.",
    )
    c.argument(
        "managed_disk_customer_key_uri",
        options_list=["--managed-disk-customer-key-uri", "-k"],
        help="Key of the customer for the disks.",
    )
    c.argument(
        "backup_storage_customer_key_uri",
        options_list=["--backup-storage-customer-key-uri", "-p"],
        help="Key of the customer for backups.",
    )
