/**
 * Children that are sent within their parent: rules of a group, routes of a table. They are rows of their own, whether they
 * came this way or by themselves, so that both views are one.
 */
import { isDeepStrictEqual } from 'node:util';
import { ArmError } from '../arm/errors.ts';
import { sameId } from '../arm/id.ts';
import type { Resource, Store } from '../store/resource.ts';
import type { Fields } from './fields.ts';
import { networkName } from './rules.ts';

export interface Child<P> {
  readonly name: string;
  readonly properties: P;
}

export const isPresent = (resource: Pick<Resource, 'provisioningState'>): boolean =>
  resource.provisioningState !== 'Deleting';

/** A parent's children, without those being deleted. */
export const childrenOf = <P, S = Record<string, never>>(
  store: Pick<Store, 'list'>,
  type: string,
  parentId: string,
): readonly Resource<P, S>[] => store.list<P, S>(type, parentId).filter(isPresent);

/** The list as it shall be; undefined where the body has none: then nothing changes. */
export function readChildren<P>(
  body: Fields,
  list: string,
  noun: string,
  present: readonly Child<P>[],
  read: (said: Fields, now: P | undefined) => P,
): readonly Child<P>[] | undefined {
  const wanted = body.objects(list)?.map((item) => {
    const name = item.text('name') || item.fail('name', `is missing: name the ${noun}.`);
    if (!networkName.pattern.test(name)) {
      throw new ArmError('InvalidResourceName', `'${name}' can't name a ${noun}: ${networkName.rule}.`, {
        target: `${item.path}.name`,
      });
    }
    const now = present.find((child) => sameId(child.name, name));
    const said = item.object('properties') ?? item.fail('properties', 'is missing.');
    return { name: now?.name ?? name, properties: read(said, now?.properties) };
  });
  const twice = wanted?.find((item, at) => wanted.findIndex((other) => sameId(other.name, item.name)) !== at);
  if (twice) return body.fail(list, `names '${twice.name}' twice.`);
  return wanted;
}

/** A list that is given is the whole list: what isn't in it goes. True where anything changed. */
export function writeChildren<P>(
  store: Store,
  parentId: string,
  type: string,
  present: readonly Resource<P, unknown>[],
  wanted: readonly Child<P>[],
): boolean {
  const find = (name: string) => present.find((child) => sameId(child.name, name));
  const gone = present.filter((child) => !wanted.some((item) => sameId(item.name, child.name)));
  const changed = wanted.filter(
    (item) => !isDeepStrictEqual(plain(find(item.name)?.properties), plain(item.properties)),
  );
  for (const item of changed) {
    const now = find(item.name);
    if (now?.provisioningState === 'Creating' || now?.provisioningState === 'Updating') {
      throw new ArmError(
        'AnotherOperationInProgress',
        `'${now.id}' is ${now.provisioningState}. Wait until that ends, then send the request again.`,
        { target: now.id },
      );
    }
    const id = now?.id ?? `${parentId}/${type.split('/').at(-1)!}/${item.name}`;
    store.putOwned({ id, type, location: null, properties: item.properties, state: now?.state ?? {} });
  }
  for (const child of gone) store.remove(child.id);
  return gone.length + changed.length > 0;
}

const plain = (value: unknown): unknown =>
  value === undefined ? undefined : JSON.parse(JSON.stringify(value));
