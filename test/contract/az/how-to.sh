# The reference document's how-to with the real az: its own lines as they stand there, and for what it does in the portal, the
# az command of the same name. From create to delete; the provider approves. `bash how-to.sh`, with az made ready by
# `sallyport az setup`: AZURE_CONFIG_DIR is the customer's; $PROVIDER_CONFIG_DIR is the provider's.
set -euo pipefail

step() { printf -- '-- %s\n' "$*" >&2; }
as_provider() { AZURE_CONFIG_DIR=$PROVIDER_CONFIG_DIR AZURE_EXTENSION_DIR=$PROVIDER_CONFIG_DIR/cliextensions "$@"; }
same() { [ "$1" = "$2" ] || { printf "'%s' is not '%s'\n" "$1" "$2" >&2; exit 1; }; }

step 'before: a group and a virtual network'
az group create -n vpn-test-rg -l eastus2 -o none
az network vnet create -g vpn-test-rg -n vnet1 --address-prefixes 10.0.0.0/16 --subnet-name pe --subnet-prefixes 10.0.1.0/24 -o none
az network vnet subnet create -g vpn-test-rg --vnet-name vnet1 -n cass --address-prefixes 10.0.2.0/24 -o none
az network vnet subnet create -g vpn-test-rg --vnet-name vnet1 -n apps --address-prefixes 10.0.3.0/24 -o none

step '1. Create a cluster by using "VPN" as the value for the --azure-connection-method option'
az managed-cassandra cluster create \
    --cluster-name "vpn-test-cluster" \
    --resource-group "vpn-test-rg" \
    --location "eastus2" \
    --azure-connection-method "VPN" \
    --initial-cassandra-admin-password "password"

step '2. See the cluster properties, and make a copy of the privateLinkResourceId value'
az managed-cassandra cluster show \
    --resource-group "vpn-test-rg" \
    --cluster-name "vpn-test-cluster"
PLS=$(az managed-cassandra cluster show --resource-group "vpn-test-rg" --cluster-name "vpn-test-cluster" --query properties.privateLinkResourceId -o tsv)

step '3. Create a private endpoint by that id, with a statically allocated address; the provider approves'
az network private-endpoint create -g vpn-test-rg -n pe1 -l eastus2 --vnet-name vnet1 --subnet pe \
  --private-connection-resource-id "$PLS" --connection-name conn1 --manual-request true --request-message "cluster vpn-test-cluster" \
  --ip-config name=ip1 private-ip-address=10.0.1.10 --nic-name pe1-nic -o none
status() { az network private-endpoint show -g vpn-test-rg -n pe1 --query "manualPrivateLinkServiceConnections[0].privateLinkServiceConnectionState.status" -o tsv; }
same "$(status)" Pending
CONNECTION=$(as_provider az network private-endpoint-connection list --id "$PLS" --query "[0].name" -o tsv)
as_provider az network private-link-service connection update -g "$(printf %s "$PLS" | cut -d/ -f5)" --service-name "${PLS##*/}" \
  -n "$CONNECTION" --connection-status Approved --description "asked for by mail" -o none
same "$(status)" Approved

step "4. Get the IP address of your private endpoint's network interface"
NIC=$(az network private-endpoint show -g vpn-test-rg -n pe1 --query "networkInterfaces[0].id" -o tsv)
ADDRESS=$(az network nic show --ids "$NIC" --query "ipConfigurations[0].privateIPAddress" -o tsv)
same "$ADDRESS" 10.0.1.10

step '5. Create a new datacenter by using the IP address from the previous step as the --private-endpoint-ip-address parameter'
SUBNET=$(az network vnet subnet show -g vpn-test-rg --vnet-name vnet1 -n cass --query id -o tsv)
az managed-cassandra datacenter create \
    --resource-group "vpn-test-rg" --cluster-name "vpn-test-cluster" --data-center-name "dc1" --data-center-location "eastus2" \
    --delegated-subnet-id "$SUBNET" --node-count 3 --private-endpoint-ip-address "$ADDRESS"

step 'what it is now'
az managed-cassandra cluster status --resource-group "vpn-test-rg" --cluster-name "vpn-test-cluster" -o table
NODES='length(dataCenters[].nodes[?state==`Normal` && status==`Up`][])'
same "$(az managed-cassandra cluster status -g vpn-test-rg -c vpn-test-cluster --query "$NODES" -o tsv)" 3
az managed-cassandra cluster update -g vpn-test-rg -c vpn-test-cluster --tags purpose=test -o none
same "$(az managed-cassandra cluster show -g vpn-test-rg -c vpn-test-cluster --query '[tags.purpose, properties.azureConnectionMethod] | join(`/`, @)' -o tsv)" test/VPN

step 'to the end: data centre, endpoint, cluster, network, group'
az managed-cassandra datacenter delete -g vpn-test-rg -c vpn-test-cluster -d dc1 --yes
az network private-endpoint delete -g vpn-test-rg -n pe1
az managed-cassandra cluster delete -g vpn-test-rg -c vpn-test-cluster --yes
same "$(az managed-cassandra cluster list -g vpn-test-rg -o tsv)" ''
for subnet in pe cass apps; do az network vnet subnet delete -g vpn-test-rg --vnet-name vnet1 -n "$subnet"; done
az network vnet delete -g vpn-test-rg -n vnet1
az group delete -n vpn-test-rg --yes
same "$(az group exists -n vpn-test-rg)" false
printf 'done\n'
