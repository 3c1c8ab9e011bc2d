"""The texts of `--help`. A text registers itself when this file is read."""

from knack.help_files import helps

helps["managed-cassandra cluster create"] = """
type: command
short-summary: Create a cluster, its operator and, with the connection method VPN, the private link service in front of it.
examples:
  - name: A cluster whose nodes reach their operator by one private address. The password is read from a file.
    text: |
      az managed-cassandra cluster create --resource-group MyGroup --cluster-name MyCluster --location eastus2 \\
        --azure-connection-method VPN --initial-cassandra-admin-password @password.txt
"""

helps["managed-cassandra cluster update"] = """
type: command
short-summary: Change what is given of a cluster, and nothing else.
examples:
  - name: Let the private endpoints of a subscription in without asking.
    text: |
      az managed-cassandra cluster update --resource-group MyGroup --cluster-name MyCluster \\
        --auto-approve-subscriptions 00000000-0000-0000-0000-000000000000
  - name: Two backup schedules.
    text: |
      az managed-cassandra cluster update --resource-group MyGroup --cluster-name MyCluster \\
        --backup-schedules name=Daily cron='0 2 * * *' hours=48 --backup-schedules name=Weekly cron='0 3 * * 0' hours=720
"""

helps["managed-cassandra cluster invoke-command"] = """
type: command
short-summary: Run a command on a node, and wait for what it says.
examples:
  - name: The state of the ring, as a node sees it.
    text: |
      az managed-cassandra cluster invoke-command --resource-group MyGroup --cluster-name MyCluster \\
        --host 10.0.2.4 --command-name nodetool --arguments "status"=""
  - name: Arguments that begin with a hyphen.
    text: |
      az managed-cassandra cluster invoke-command --resource-group MyGroup --cluster-name MyCluster \\
        --host 10.0.2.4 --command-name nodetool --arguments "compact"="" "-st"="65678794"
"""

helps["managed-cassandra cluster invoke-command-async"] = """
type: command
short-summary: Run a command on a node, and return with its id at once.
examples:
  - name: A command that takes long; `command show` tells how it goes.
    text: |
      az managed-cassandra cluster invoke-command-async --resource-group MyGroup --cluster-name MyCluster \\
        --host 10.0.2.4 --command-name nodetool --arguments "compactionstats"=""
"""

helps["managed-cassandra cluster command"] = """
type: group
short-summary: Commands that were run on the nodes of a cluster.
"""

helps["managed-cassandra cluster command list"] = """
type: command
short-summary: List them.
"""

helps["managed-cassandra cluster command show"] = """
type: command
short-summary: Show one, with its result.
"""

helps["managed-cassandra cluster backup"] = """
type: group
short-summary: Backups of a cluster.
"""

helps["managed-cassandra cluster backup list"] = """
type: command
short-summary: List them.
"""

helps["managed-cassandra cluster backup show"] = """
type: command
short-summary: Show one.
"""

helps["managed-cassandra datacenter create"] = """
type: command
short-summary: Create a data centre.
examples:
  - name: Three nodes that reach their operator by the private endpoint with the address 10.0.1.10.
    text: |
      az managed-cassandra datacenter create --resource-group MyGroup --cluster-name MyCluster --data-center-name dc1 \\
        --data-center-location eastus2 --delegated-subnet-id SUBNET --node-count 3 --private-endpoint-ip-address 10.0.1.10
"""
