export const networkInterfaceType = 'Microsoft.Network/networkInterfaces';

/** Made by the service with its owner, and gone with it. */
export interface InterfaceProperties {
  /** Null: in the platform's own network, which is no resource. */
  readonly subnetId: string | null;
  readonly address: string;
  readonly allocation: 'Static' | 'Dynamic';
  readonly configurationName: string;
  /** ARM id of the private endpoint, private link service, data centre or cluster it belongs to. */
  readonly ownerId: string;
}

export type InterfaceState = Record<string, never>;
