"""Which commands there are, and by which functions."""

from azure.cli.core.commands import CliCommandType

SDK = "azure.mgmt.cosmosdb.operations#CassandraClustersOperations.{}"


def load_command_table(loader, _args):
    from azure.cli.command_modules.cosmosdb._client_factory import cf_cassandra_cluster, cf_cassandra_data_center

    clusters = CliCommandType(operations_tmpl=SDK, client_factory=cf_cassandra_cluster)
    with loader.command_group("managed-cassandra cluster", clusters, client_factory=cf_cassandra_cluster) as group:
        group.custom_command("create", "create_cluster", supports_no_wait=True)
        group.custom_command("update", "update_cluster", supports_no_wait=True)
        group.custom_command("invoke-command", "invoke_command", supports_no_wait=True)
    with loader.command_group("managed-cassandra datacenter", client_factory=cf_cassandra_data_center) as group:
        group.custom_command("create", "create_data_center", supports_no_wait=True)

    with loader.command_group("managed-cassandra cluster") as group:
        group.custom_command("invoke-command-async", "invoke_command_async")
    with loader.command_group("managed-cassandra cluster command") as group:
        group.custom_command("list", "list_commands")
        group.custom_show_command("show", "show_command")
    with loader.command_group("managed-cassandra cluster backup") as group:
        group.custom_command("list", "list_backups")
        group.custom_show_command("show", "show_backup")
