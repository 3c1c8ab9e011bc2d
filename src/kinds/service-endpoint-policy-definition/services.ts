/**
 * Services that a subnet may have an endpoint to, and what of theirs a policy may name. Azure's policies name storage accounts
 * alone; here they name whatever an operator needs.
 */
export const endpointServices = ['Microsoft.Storage', 'Microsoft.KeyVault', 'Microsoft.Insights'] as const;
export type EndpointService = (typeof endpointServices)[number];

/** Types of the resources of a service. */
export const resourceTypes: Readonly<Record<EndpointService, readonly string[]>> = {
  'Microsoft.Storage': ['Microsoft.Storage/storageAccounts'],
  'Microsoft.KeyVault': ['Microsoft.KeyVault/vaults'],
  'Microsoft.Insights': [
    'Microsoft.Insights/components',
    'Microsoft.Insights/dataCollectionEndpoints',
    'Microsoft.Monitor/accounts',
    'Microsoft.OperationalInsights/workspaces',
  ],
};
