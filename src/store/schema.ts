import type { Generated } from 'kysely';

/** The tables as the newest migration leaves them. JSON columns are text; keys are ids in lower case. */
export interface Schema {
  readonly resources: {
    readonly seq: Generated<number>;
    readonly key: string;
    readonly id: string;
    readonly type: string;
    readonly type_key: string;
    readonly name: string;
    readonly subscription_id: string;
    readonly resource_group: string;
    readonly location: string | null;
    readonly tags: string;
    readonly identity: string | null;
    readonly properties: string;
    readonly state: string;
    readonly provisioning_state: string;
    readonly fault: string | null;
    readonly generation: number;
    readonly etag: string;
    readonly system_data: string;
  };
  readonly operations: {
    readonly id: string;
    readonly resource_key: string;
    readonly resource_id: string;
    readonly type: string;
    readonly subscription_id: string;
    readonly location: string;
    readonly verb: string;
    readonly creates: number;
    readonly generation: number;
    readonly state: string;
    readonly fault: string | null;
    readonly started_by: string;
    readonly started_at: string;
    readonly ended_at: string | null;
    readonly answer: string | null;
  };
  readonly events: {
    readonly seq: Generated<number>;
    readonly resource_key: string;
    readonly resource_id: string;
    readonly type: string;
    readonly reason: string;
    readonly message: string;
    readonly count: number;
    readonly first_at: string;
    readonly last_at: string;
  };
  readonly secrets: { readonly name: string; readonly value: Uint8Array };
  readonly principals: {
    readonly client_id: string;
    readonly object_id: string;
    readonly display_name: string;
    readonly created_at: string;
  };
  readonly role_assignments: {
    readonly id: string;
    readonly principal: string;
    readonly role: string;
    readonly scope: string;
    readonly created_at: string;
  };
  readonly subscriptions: { readonly id: string; readonly display_name: string; readonly created_at: string };
  readonly enrolments: {
    readonly token_hash: string;
    readonly request_hash: string;
    readonly identity: string;
    readonly created_at: string;
  };
  readonly verify_runs: {
    readonly id: string;
    readonly network: string | null;
    readonly asked_by: string;
    readonly state: string;
    readonly fault: string | null;
    readonly created_at: string;
    readonly ended_at: string | null;
  };
  readonly credentials: {
    readonly id: string;
    readonly principal: string;
    readonly name: string;
    readonly kind: string;
    readonly value: string;
    readonly thumbprint: string | null;
    readonly thumbprint_sha1: string | null;
    readonly created_at: string;
    readonly expires_at: string | null;
  };
  readonly spent_assertions: {
    readonly principal: string;
    readonly jti: string;
    readonly expires_at: number;
  };
  readonly activity: {
    readonly seq: Generated<number>;
    readonly id: string;
    readonly at: string;
    readonly subscription_id: string;
    readonly resource_group: string | null;
    readonly resource_key: string;
    readonly resource_id: string;
    readonly caller: string;
    readonly caller_name: string;
    readonly operation: string;
    readonly status: string;
    readonly refused: number;
    readonly http_status: number | null;
    readonly code: string | null;
    readonly message: string | null;
    readonly correlation_id: string;
  };
  readonly extensions: {
    readonly key: string;
    readonly id: string;
    readonly type: string;
    readonly scope_key: string;
    readonly body: string;
    readonly changed_by: string;
    readonly changed_at: string;
  };
}
