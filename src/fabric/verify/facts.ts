/** The tunnel as seen from one end. No key but public ones is ever asked for. */
export interface Tunnel {
  readonly device: string;
  readonly address: string;
  readonly peers: readonly {
    readonly publicKey: string;
    readonly allowedIps: readonly string[];
    /** Seconds since the epoch; 0: never. */
    readonly latestHandshake: number;
  }[];
}

/** What a machine says of itself. */
export interface Facts {
  readonly device: string;
  readonly gateway: string | null;
  readonly tunnel: Tunnel | null;
  /** The rules in force, without counters: compared before and after. */
  readonly rules: string;
  /** Addresses and routes, likewise. */
  readonly interfaces: string;
}
