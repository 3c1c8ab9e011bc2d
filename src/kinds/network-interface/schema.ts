export const networkInterfaceType = 'Microsoft.Network/networkInterfaces';

/** Made by the service with its owner, and gone with it. */
export interface InterfaceProperties {
  readonly subnetId: string;
  readonly address: string;
  readonly allocation: 'Static' | 'Dynamic';
  readonly configurationName: string;
  /** ARM id of the private endpoint or data centre it belongs to. */
  readonly ownerId: string;
}
