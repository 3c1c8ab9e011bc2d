import type { EnrolmentGrant, JoinFile } from '../exchange/intents/node.ts';

/** What the fabric, or the person who set the machine up, says of its interface. */
export interface Nic {
  readonly device: string;
  /** `10.0.2.5/24` */
  readonly address: string;
  readonly gateway: string;
  readonly mtu: number;
}

/** The keys of a node. They are made on it and never leave it. */
export interface NodeKeys {
  /** The join file they were made for: another file gets other keys. */
  readonly node: string;
  readonly cluster: string;
  readonly wireguard: { readonly privateKey: string; readonly publicKey: string };
  /** PKCS#8 PEM. */
  readonly exchange: string;
  readonly internode: string;
  readonly client: string;
}

/** What a node is once it has enrolled. With this on its disk it needs nobody to start again. */
export interface NodeIdentity {
  readonly node: string;
  readonly cluster: string;
  readonly endpoint: JoinFile['endpoint'];
  readonly operator: { readonly publicKey: string; readonly address: string };
  readonly address: string;
  readonly exchange: EnrolmentGrant['exchange'];
  readonly keys: NodeKeys;
  /** What the probe found; null until it has. */
  readonly mtu: number | null;
}

export const addressOf = (nic: Nic): string => nic.address.split('/')[0] ?? '';
export const prefixLengthOf = (nic: Nic): number => Number(nic.address.split('/')[1] ?? 32);
