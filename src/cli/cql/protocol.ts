/** What `cql` hands to its session on standard input, and what comes back. The password travels here, never as an argument. */
export interface SessionRequest {
  readonly contactPoints: readonly string[];
  readonly dataCenter: string;
  /** PEM. */
  readonly authority: string;
  readonly username: string;
  readonly password: string;
  readonly consistency: string;
  readonly statements: readonly string[];
}

export interface StatementResult {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
  /** Address of the node that coordinated it. */
  readonly node: string;
}

export type SessionAnswer =
  | { readonly results: readonly StatementResult[] }
  | { readonly error: { readonly code: string; readonly message: string } };
