import type { Nameable } from '../references.ts';

export const endpointPolicyType = 'Microsoft.Network/serviceEndpointPolicies';

export type EndpointPolicyProperties = Record<string, never>;

export interface EndpointPolicyState {
  readonly guid: string;
}

export const endpointPolicy: Nameable = {
  type: endpointPolicyType,
  noun: 'service endpoint policy',
  action: 'Microsoft.Network/serviceEndpointPolicies/join/action',
};
