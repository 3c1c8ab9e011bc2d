/**
 * arm/ speaks the ARM wire: ids, routing, api-version, etag, asynchronous operations, errors. It must know no kind: kinds
 * are data handed to it in a registry.
 */
import type { Json, JsonObject, Resource, Store } from '../store/resource.ts';
import type { ArmId } from './id.ts';

export interface Caller {
  /** Application id of the service principal. */
  readonly principalId: string;
  readonly displayName: string;
}

/** What a kind may use while it judges a request: read what is stored, write secrets. It touches no network and no process. */
export interface KindContext {
  readonly store: Store;
  readonly caller: Caller;
  /** Whether the caller may do `action` at `scope`, by role assignment. */
  readonly may: (action: string, scope: string) => boolean;
  readonly now: () => Date;
  /** The tenant of the installation: identities of resources live in it. */
  readonly tenantId: string;
}

export interface PutRequest {
  readonly id: ArmId;
  readonly location: string | null;
  readonly tags: Readonly<Record<string, string>> | undefined;
  readonly identity: JsonObject | undefined;
  /** `properties` of the body, as sent; {} where there were none. */
  readonly properties: JsonObject;
  /** PATCH: what is omitted anywhere stays. PUT keeps omitted properties too (contract §0.5). */
  readonly method: 'PUT' | 'PATCH';
}

export interface Accepted<P, S> {
  readonly properties: P;
  readonly state: S;
  readonly identity?: JsonObject | null;
  /** True: nothing to reconcile, the reply is terminal at once. */
  readonly settled?: boolean;
  /** True: the request asks for what is so already: no new generation, 200 at once. */
  readonly unchanged?: boolean;
}

export interface Kind<P = JsonObject, S = JsonObject> {
  /** `Microsoft.DocumentDB/cassandraClusters/dataCenters`. */
  readonly type: string;
  /** One line for docs/reference. */
  readonly summary: string;
  /** What a name may be, and in words: the error says them. */
  readonly name: { readonly pattern: RegExp; readonly rule: string };
  /** Tracked resources have location and tags; children and NICs made by the service may not. */
  readonly tracked: boolean;
  /** How its long operations look on the wire. `network`: InProgress; `documentdb`: Enqueued → Dequeued. */
  readonly operations: 'network' | 'documentdb';
  /** What the public may do; the rest is refused with 405 and a sentence. */
  readonly verbs: readonly ('GET' | 'PUT' | 'PATCH' | 'DELETE')[];
  /** For each verb, the role action checked: `Microsoft.Network/privateEndpoints/write`. Derived from type where absent. */
  readonly actionNames?: Partial<Record<'GET' | 'PUT' | 'PATCH' | 'DELETE', string>>;
  /** Resources that must exist before and are named in errors; the ARM parent is checked without being listed. */
  accept(request: PutRequest, existing: Resource<P, S> | undefined, context: KindContext): Accepted<P, S>;
  /** `properties` as shown; never a secret. */
  show(resource: Resource<P, S>, context: Pick<KindContext, 'store'>): JsonObject;
  /** Further top-level keys of the shown envelope (`identity`, `etag`). */
  envelope?(resource: Resource<P, S>, context: Pick<KindContext, 'store'>): JsonObject;
  /** Throws an ArmError (409) that lists who uses it, when it can't be deleted. */
  beforeDelete?(resource: Resource<P, S>, context: KindContext, request: Pick<ActionRequest, 'header'>): void;
  /** True: the row goes at once (204/200); false or absent: it goes to Deleting, and a reconciler removes it. */
  readonly deletesAtOnce?: boolean;
  /** True: shown as `show` gives it, without an ARM envelope (contract §1.6: commands, backups). */
  readonly bare?: boolean;
  /** True: what runs on it keeps nothing else waiting, its parent's other operations included. */
  readonly independent?: boolean;
  /** What the Location of an operation that a POST began answers in the end; `show` where absent. */
  result?(resource: Resource<P, S>, context: Pick<KindContext, 'store'>): JsonObject;
  /** GET and POST sub-paths: `status`, `invokeCommand`. */
  readonly actions?: Readonly<Record<string, KindAction<P, S>>>;
  /** Lists of a region that are no resources: `…/providers/Microsoft.Network/locations/{region}/usages`, by their last word. */
  readonly locationLists?: Readonly<Record<string, LocationList>>;
}

export interface LocationList {
  readonly actionName: string;
  list(
    place: { readonly subscriptionId: string; readonly location: string },
    context: KindContext,
  ): readonly JsonObject[];
}

/** An action answers at once (`run`), has its answer looked for (`ask`), or begins a long operation (`start`). */
export interface KindAction<P, S> {
  readonly method: 'GET' | 'POST';
  readonly actionName: string;
  /** What `run` answers lies at a Location (202), where its caller fetches it: ARM's way with what may take long. */
  readonly later?: true;
  run?(resource: Resource<P, S>, body: Json | undefined, context: KindContext): JsonObject;
  /** As `run` with `later`, where the answer takes a while. */
  ask?(resource: Resource<P, S>, body: Json | undefined, context: KindContext): Asked;
  start?(resource: Resource<P, S>, request: ActionRequest, context: KindContext): Started;
}

/** What a question is answered as far as it is known, and how it becomes better known. */
export interface Asked {
  /** Stands if nothing better comes: in time, and before control ends. */
  readonly answer: JsonObject;
  /** Begins what makes it better, which calls back at most once and never at once. Left out: there is nothing better. */
  readonly confirm?: (better: (answer: JsonObject) => void) => void;
}

export interface ActionRequest {
  readonly body: Json | undefined;
  readonly header: (name: string) => string | undefined;
}

/** What a POST writes, and how its caller follows it: 202 with the named headers. */
export interface Started {
  /** The resource written: that of the action, or one below it. */
  readonly id: string;
  readonly type: string;
  readonly properties: unknown;
  readonly state: unknown;
  readonly follow: 'location' | 'both';
  /** Whether the 202 carries what was written, as it is shown. */
  readonly withBody: boolean;
}

/** Any kind, for registries. */
// oxlint-disable-next-line typescript/no-explicit-any -- a registry holds kinds of every shape; each is typed where it is made
export type AnyKind = Kind<any, any>;
