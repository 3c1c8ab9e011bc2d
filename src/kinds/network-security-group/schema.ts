import type { Nameable } from '../references.ts';

export const securityGroupType = 'Microsoft.Network/networkSecurityGroups';

export interface SecurityGroupProperties {
  readonly flushConnection: boolean;
}

export interface SecurityGroupState {
  readonly guid: string;
}

export const securityGroup: Nameable = {
  type: securityGroupType,
  noun: 'network security group',
  action: 'Microsoft.Network/networkSecurityGroups/join/action',
};
