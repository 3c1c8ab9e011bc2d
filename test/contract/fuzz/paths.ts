import type { Json, JsonObject } from '../../../src/store/resource.ts';

export type Path = readonly (string | number)[];

/** Every place in a value, the value itself left out. */
export function pathsIn(value: Json | undefined, at: Path = []): readonly Path[] {
  if (typeof value !== 'object' || value === null) return [];
  const entries: readonly (readonly [string | number, Json | undefined])[] = Array.isArray(value)
    ? value.map((item: Json, index) => [index, item] as const)
    : Object.entries(value as JsonObject);
  return entries.flatMap(([key, item]) => [[...at, key], ...pathsIn(item, [...at, key])]);
}

/** A copy with `next` at a place; undefined takes away what is there. Places on the way are made. */
export function withAt(value: Json | undefined, path: Path, next: Json | undefined): Json {
  const [key, ...rest] = path;
  if (key === undefined) return next ?? null;
  if (typeof key === 'number') {
    const list = Array.isArray(value) ? [...(value as readonly Json[])] : [];
    if (rest.length === 0 && next === undefined) list.splice(key, 1);
    else list[Math.min(key, list.length)] = withAt(list[key], rest, next);
    return list;
  }
  const object: Record<string, Json | undefined> =
    typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...(value as JsonObject) } : {};
  if (rest.length === 0 && next === undefined) delete object[key];
  else object[key] = withAt(object[key], rest, next);
  return object;
}

/** All texts and numbers in there: material for other bodies. */
export function leavesIn(value: Json | undefined): readonly (string | number)[] {
  if (typeof value === 'string' || typeof value === 'number') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value as JsonObject).flatMap(leavesIn);
}
