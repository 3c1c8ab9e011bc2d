/** One resource names another: `{ "id": … }`. Who may name it, and what may be named. */
import { ArmError } from '../arm/errors.ts';
import { sameId } from '../arm/id.ts';
import type { KindContext } from '../arm/kind.ts';
import type { Resource } from '../store/resource.ts';
import type { Fields } from './fields.ts';
import { idOf, sameRegion } from './rules.ts';

export interface Reference {
  readonly id: string;
}

/** What a property may name. */
export interface Nameable {
  readonly type: string;
  /** `a network security group`. */
  readonly noun: string;
  /** What takes the right to name one, at its scope. */
  readonly action: string;
}

/** Undefined: it names none. */
export function readReference(body: Fields, name: string): Reference | undefined {
  const said = body.object(name);
  return (
    said && { id: said.text('id') || said.fail('id', `is missing: the ARM id that ${name} shall name.`) }
  );
}

export function readReferences(body: Fields, name: string): readonly Reference[] | undefined {
  const list = body.objects(name)?.map((item) => ({
    id: item.text('id') || item.fail('id', 'is missing: an ARM id.'),
  }));
  return list?.filter((item, at) => list.findIndex((other) => sameId(other.id, item.id)) === at);
}

/** As in {@link readReferences}, for properties that are left out where there are none. */
export const orNone = <T>(list: readonly T[] | undefined): readonly T[] | undefined =>
  list && list.length > 0 ? list : undefined;

/**
 * The resource that is named, refused unless it is there, and in the same subscription and region as who names it. The
 * right is asked first: whoever lacks it doesn't learn whether there is one.
 */
export function findNamed<P, S>(
  context: KindContext,
  target: string,
  reference: Reference,
  { type, noun, action }: Nameable,
  from: { readonly subscriptionId: string; readonly location: string | null },
): Resource<P, S> {
  const id = idOf(target, reference.id, type);
  if (!context.may(action, id.text)) {
    throw new ArmError(
      'AuthorizationFailed',
      `'${context.caller.displayName}' may not use ${id.text}: that takes ${action} there. Ask its owner for a role that has it.`,
      { target },
    );
  }
  const refuse = (why: string): never => {
    throw new ArmError('InvalidParameter', `${target}: ${why}`, { target });
  };
  const found = context.store.get<P, S>(id.text);
  if (!found || found.provisioningState === 'Deleting')
    return refuse(`there is no ${noun} ${id.text}. Create it first, or correct the id.`);
  if (!sameId(found.subscriptionId, from.subscriptionId))
    return refuse(`${id.text} lies in another subscription. Name one of ${from.subscriptionId}.`);
  if (from.location !== null && found.location !== null && !sameRegion(from.location, found.location))
    return refuse(`${id.text} lies in ${found.location}. Name one in ${from.location}.`);
  return found;
}
