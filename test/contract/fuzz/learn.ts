/**
 * What a kind reads of a body, learned from the kind itself: a body that remembers what it was asked for. So a kind that comes
 * later is covered without a word here.
 */
import { ArmError } from '../../../src/arm/errors.ts';
import type { AnyKind } from '../../../src/arm/kind.ts';
import type { Json, JsonObject } from '../../../src/store/resource.ts';
import type { World } from '../../harness/kinds-world.ts';
import { pathsIn, withAt, type Path } from './paths.ts';

const undo = Symbol('undo');

/** Runs `work` on the store, and leaves the store as it was. */
export function tryOut<T>(world: World, work: () => T): T {
  let result!: T;
  try {
    world.store.transaction(() => {
      result = work();
      throw undo;
    });
  } catch (error) {
    if (error !== undo) throw error;
  }
  return result;
}

export interface Instance {
  readonly kind: AnyKind;
  readonly id: string;
  /** Sent to make it, or as it is shown. */
  readonly body: JsonObject;
  readonly as: Parameters<World['ask']>[3];
}

/** Which properties a PUT of this body looks at, by their places in `properties`. */
export function learnPaths(world: World, instance: Instance): readonly Path[] {
  const found = new Map<string, Path>();
  const watch = (value: Json | undefined, at: Path): Json | undefined => {
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map((item: Json, index) => watch(item, [...at, index])!) as Json;
    return new Proxy(value as Record<string, Json | undefined>, {
      get(target, name) {
        if (typeof name === 'symbol' || name === 'toJSON') return Reflect.get(target, name) as undefined;
        const path = [...at, name];
        found.set(JSON.stringify(path), path);
        return watch(target[name], path);
      },
    }) as JsonObject;
  };
  const properties = (instance.body['properties'] ?? {}) as JsonObject;
  for (const id of [instance.id, `${instance.id}x`]) {
    const body = { ...instance.body, properties: watch(properties, [])! };
    tryOut(world, () => outcome(() => world.ask('PUT', id, body, instance.as)));
  }
  return [...found.values(), ...pathsIn(properties)];
}

/** A body that makes a resource of a kind nobody has told us about, found by mending what each refusal names. */
export function climb(
  world: World,
  kind: AnyKind,
  id: string,
  pool: readonly Json[],
  as: Instance['as'],
): Instance | undefined {
  let body: JsonObject = { ...(kind.tracked && { location: 'eastus2' }), properties: {} };
  const refusalOf = (candidate: JsonObject): ArmError | undefined => {
    const result = tryOut(world, () => outcome(() => world.ask('PUT', id, candidate, as)));
    return result instanceof ArmError ? result : undefined;
  };
  for (let step = 0; step < 20; step++) {
    const refusal = refusalOf(body);
    if (!refusal) return { kind, id, body, as };
    const path = placeOf(refusal);
    if (!path) return undefined;
    const words = /must be one of (.+?); it is/.exec(refusal.message)?.[1]?.split(', ') ?? [];
    const next = [...words, ...pool]
      .map((value) => withAt(body, path, value) as JsonObject)
      .find((candidate) => {
        const after = refusalOf(candidate);
        return !after || placeOf(after)?.join('.') !== path.join('.');
      });
    if (!next) return undefined;
    body = next;
  }
  return undefined;
}

/** `properties.a[0].b`, from a refusal's target or its text. */
function placeOf({ target, message }: ArmError): Path | undefined {
  const text = target ?? /(properties(?:\.\w+|\[\d+\])+)/.exec(message)?.[1];
  if (!text?.startsWith('properties')) return undefined;
  return (text.match(/\w+/g) ?? []).map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}

/** What was answered, or the refusal; anything else that is thrown is the fault of ours that a caller would see as 500. */
export function outcome<T>(work: () => T): T | ArmError {
  try {
    return work();
  } catch (error) {
    if (error instanceof ArmError) return error;
    throw error;
  }
}
