import type { Clock } from '../lib/clock.ts';
import type { Json, JsonObject } from '../store/resource.ts';
import type { ControlStore } from '../store/store.ts';
import type { AnyKind, Caller, KindContext } from './kind.ts';
import { ArmError } from './errors.ts';
import type { ExtensionRoute } from './extension-route.ts';
import type { Shown } from './shown.ts';

/** One request as the handlers see it: no framework, no socket. */
export interface ArmRequest {
  readonly method: string;
  /** As sent, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly header: (name: string) => string | undefined;
  readonly body: Json | undefined;
  readonly caller: Caller;
  /** How the caller reaches us: `https://127.0.0.1:8443`. */
  readonly endpoint: string;
}

export interface ArmReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: JsonObject;
  /** The body as JSON text, where it is there already. */
  readonly text?: string;
  /** With 202: what was asked for is done, and its answer lies at the Location. */
  readonly ended?: true;
}

/** What the handlers stand on. */
export interface ArmContext {
  readonly store: ControlStore;
  readonly kinds: readonly AnyKind[];
  readonly clock: Clock;
  readonly tenantId: string;
  /** Where a resource without a location lies: the region in its operations' addresses. */
  readonly location: string;
  readonly may: (caller: Caller, action: string, scope: string) => boolean;
  /** `Microsoft.Authorization`, which identity/ answers; left out, there is nothing at its paths. */
  readonly authorization?: (cx: ArmContext, request: ArmRequest, route: ExtensionRoute) => ArmReply;
  /** Renders what is read; left out, it is rendered anew each time. */
  readonly shown?: Shown;
  /** Something was written. Called after the transaction. */
  readonly wake: (reason: string) => void;
}

export const kindContext = (cx: ArmContext, caller: Caller): KindContext => ({
  store: cx.store,
  caller,
  may: (action, scope) => cx.may(caller, action, scope),
  now: () => new Date(cx.clock.now()),
  tenantId: cx.tenantId,
});

export function authorize(cx: ArmContext, caller: Caller, action: string, scope: string): void {
  if (cx.may(caller, action, scope)) return;
  throw new ArmError(
    'AuthorizationFailed',
    `The client '${caller.displayName}' (application id '${caller.principalId}') does not have authorization to perform action '${action}' over scope '${scope}'. Ask the owner of the scope for a role that has this action.`,
  );
}

export type Verb = 'GET' | 'PUT' | 'PATCH' | 'DELETE';
const words = { GET: 'read', PUT: 'write', PATCH: 'write', DELETE: 'delete' } as const;

export const actionOf = (kind: AnyKind, verb: Verb): string =>
  kind.actionNames?.[verb] ?? `${kind.type}/${words[verb]}`;
