/**
 * store/ keeps resources, operations and events. It must know no kind: to it a resource is a row with two JSON columns,
 * what was asked for (`properties`) and what the service set (`state`).
 */
import type { Fault } from '../lib/errors.ts';

export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json | undefined;
}

/** ARM's own words. The last three are terminal. */
export type ProvisioningState = 'Creating' | 'Updating' | 'Deleting' | 'Succeeded' | 'Failed' | 'Canceled';

export interface SystemData {
  readonly createdBy: string;
  readonly createdByType: 'Application' | 'User';
  readonly createdAt: string;
  readonly lastModifiedBy: string;
  readonly lastModifiedByType: 'Application' | 'User';
  readonly lastModifiedAt: string;
}

export interface Resource<P = JsonObject, S = JsonObject> {
  /** The ARM id as its creator cased it; looked up by its lower-case form. */
  readonly id: string;
  /** `Microsoft.Network/privateEndpoints`, as the kind cases it. */
  readonly type: string;
  readonly name: string;
  readonly subscriptionId: string;
  readonly resourceGroup: string;
  readonly location: string | null;
  readonly tags: Readonly<Record<string, string>>;
  /** `identity` of the envelope, where the kind has one. */
  readonly identity: JsonObject | null;
  /** Intended: what was asked for, complete with defaults, without secrets. */
  readonly properties: P;
  /** Set by the service: allocations, addresses, names of secrets, what was observed. */
  readonly state: S;
  readonly provisioningState: ProvisioningState;
  readonly fault: Fault | null;
  /** Counts the changes of intent; reconcilers settle a generation, not a resource. */
  readonly generation: number;
  readonly etag: string;
  readonly systemData: SystemData;
}

export interface Store {
  /** `undefined` where there is none. Case-insensitive. */
  get<P = JsonObject, S = JsonObject>(id: string): Resource<P, S> | undefined;
  /** Resources of a type, in order of creation; below `scope` (an ARM id or a prefix of one) where given. */
  list<P = JsonObject, S = JsonObject>(type: string, scope?: string): readonly Resource<P, S>[];
  /** All resources whose id lies below `scope`, of any type. */
  below(scope: string): readonly Resource[];
  /** Changes `state` only: no new generation, no new etag unless what is shown changes. Returns the new row. */
  setState<S>(id: string, state: S): void;
  /**
   * A reconciler's verdict on a generation: makes the resource terminal and ends its running operation. Ignored when the
   * resource has moved on to another generation since.
   */
  settle(
    id: string,
    generation: number,
    verdict: { readonly at: 'Succeeded' } | { readonly at: 'Failed'; readonly fault: Fault },
  ): void;
  /** Deletes the row of a resource in `Deleting` and ends its operation as Succeeded. */
  remove(id: string): void;
  /** Creates or replaces a resource that the service itself owns (a private link service, a NIC), terminal at once. */
  putOwned(resource: OwnedResource): void;
  /** Ids of the resources of a type, in order of creation: for who looks at one after the other. */
  idsOf(type: string): readonly string[];
  /**
   * Calls back at each write of a resource or secret, before its transaction has ended, and again where that is rolled back.
   * Returns what ends it.
   */
  onChange(callback: (change: Change) => void): () => void;
  /** Runs in one transaction; nested calls join it. */
  transaction<T>(work: () => T): T;
  /** Secrets, encrypted at rest; `undefined` where there is none. The name is free: `cluster/<id>/service-password`. */
  secrets: {
    get(name: string): string | undefined;
    set(name: string, value: string): void;
    delete(name: string): void;
  };
  /** An event for people: a stable reason, a sentence without times in it. Repeats of the latest are counted, not added. */
  event(id: string, reason: string, message: string, type?: 'Normal' | 'Warning'): void;
}

/** What was written. Keys are ids in lower case. */
export type Change =
  | { readonly of: 'resource'; readonly key: string; readonly type: string }
  | { readonly of: 'secret'; readonly name: string };

export interface OwnedResource {
  readonly id: string;
  readonly type: string;
  readonly location: string | null;
  readonly properties: unknown;
  readonly state: unknown;
}
