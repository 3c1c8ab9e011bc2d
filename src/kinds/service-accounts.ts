/**
 * Accounts of services outside, as the installation knows them: which ARM id has which name, and where it stands. A policy names
 * ids; a name and an address without one let nothing through.
 */
export interface ServiceAccount {
  /** ARM id of a storage account, a vault or a monitoring account. */
  readonly id: string;
  /** `logs.blob.core.windows.net`. */
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** Who signs its certificate, PEM. */
  readonly authority: string;
}
