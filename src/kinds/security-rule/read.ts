import { ArmError } from '../../arm/errors.ts';
import { sameId } from '../../arm/id.ts';
import type { KindContext } from '../../arm/kind.ts';
import type { Child } from '../children.ts';
import type { Fields } from '../fields.ts';
import { groupInRule } from '../application-security-group/schema.ts';
import { findNamed, orNone, readReferences } from '../references.ts';
import { readAddress, readPorts } from './address.ts';
import type { RuleProperties } from './schema.ts';

const protocols = ['Tcp', 'Udp', 'Icmp', 'Esp', 'Ah', '*'] as const;
const mostPerList = 4_000;

/**
 * What a body says of a rule. What a rule must have may be omitted where it is there already; a side, or its ports, is
 * replaced as a whole by whatever form of it is given.
 */
export function readRule(
  body: Fields,
  now: RuleProperties | undefined,
  location: string | null,
): RuleProperties {
  const need = <T>(name: string, said: T | undefined, stored: T | undefined): T =>
    said ?? stored ?? body.fail(name, 'is missing: a security rule needs it.');
  const protocol = need('protocol', body.choice('protocol', protocols), now?.protocol);
  const description = body.text('description', { max: 140 }) ?? now?.description;
  const source = readSide(body, 'source', now, location);
  const destination = readSide(body, 'destination', now, location);
  const rule: RuleProperties = {
    ...(description && { description }),
    protocol,
    access: need('access', body.choice('access', ['Allow', 'Deny']), now?.access),
    direction: need('direction', body.choice('direction', ['Inbound', 'Outbound']), now?.direction),
    priority: need('priority', body.integer('priority', { min: 100, max: 4096 }), now?.priority),
    ...source,
    ...destination,
  };
  if (protocol !== 'Tcp' && protocol !== 'Udp' && protocol !== '*') checkNoPorts(body, rule);
  return rule;
}

type Side = 'source' | 'destination';

function readSide(body: Fields, side: Side, now: RuleProperties | undefined, location: string | null) {
  return { ...readAddresses(body, side, now, location), ...readSidePorts(body, side, now) };
}

function readAddresses(
  body: Fields,
  side: Side,
  now: RuleProperties | undefined,
  location: string | null,
): Partial<RuleProperties> {
  const [one, many, groups] = [
    `${side}AddressPrefix`,
    `${side}AddressPrefixes`,
    `${side}ApplicationSecurityGroups`,
  ] as const;
  const single = body.text(one) || undefined;
  const list = orNone(body.texts(many));
  const named = orNone(readReferences(body, groups));
  const given = [single && one, list && many, named && groups].filter(
    (name) => name !== undefined && name !== '',
  );
  if (given.length > 1)
    return body.fail(given[1]!, `and ${given[0]} can't stand together: a side of a rule is said in one way.`);
  if (single !== undefined) return { [one]: readAddress(body, one, single, location) };
  if (list) {
    if (list.length > mostPerList)
      return body.fail(many, `has ${list.length} entries; at most ${mostPerList}.`);
    return { [many]: unique(list.map((text) => readAddress(body, many, text, location))) };
  }
  if (named) return { [groups]: named };
  const stored = now && pick(now, [one, many, groups]);
  if (stored && Object.keys(stored).length > 0) return stored;
  return body.fail(one, 'is missing: say which addresses the rule is about; * is any.');
}

function readSidePorts(body: Fields, side: Side, now: RuleProperties | undefined): Partial<RuleProperties> {
  const [one, many] = [`${side}PortRange`, `${side}PortRanges`] as const;
  const single = body.text(one) || undefined;
  const list = orNone(body.texts(many));
  if (single !== undefined && list)
    return body.fail(many, `and ${one} can't stand together: ports are said in one way.`);
  if (single !== undefined) return { [one]: readPorts(body, one, single) };
  if (list) return { [many]: unique(list.map((text) => readPorts(body, many, text))) };
  const stored = now && pick(now, [one, many]);
  if (stored && Object.keys(stored).length > 0) return stored;
  return body.fail(one, 'is missing: say which ports the rule is about; * is any.');
}

const unique = (list: readonly string[]): readonly string[] => [...new Set(list)];

const pick = (from: RuleProperties, names: readonly (keyof RuleProperties)[]): Partial<RuleProperties> =>
  Object.fromEntries(names.flatMap((name) => (from[name] === undefined ? [] : [[name, from[name]]])));

function checkNoPorts(body: Fields, rule: RuleProperties): void {
  for (const name of ['sourcePortRange', 'destinationPortRange'] as const) {
    const ports = rule[`${name}s`] ?? [rule[name] ?? '*'];
    if (ports.some((port) => port !== '*'))
      body.fail(name, `is ${ports.join(', ')}, and ${rule.protocol} has no ports: it must be *.`);
  }
}

export function checkGroups(
  context: KindContext,
  { properties }: Child<RuleProperties>,
  from: { readonly subscriptionId: string; readonly location: string | null },
): void {
  for (const name of ['sourceApplicationSecurityGroups', 'destinationApplicationSecurityGroups'] as const) {
    for (const group of properties[name] ?? [])
      findNamed(context, `properties.${name}`, group, groupInRule, from);
  }
}

export const mostRules = 1_000;

/** Refuses two rules of one direction with one priority: which is judged first would be chance. */
export function checkRules(rules: readonly Child<RuleProperties>[]): void {
  if (rules.length > mostRules) {
    throw new ArmError(
      'InvalidParameter',
      `A group has at most ${mostRules} rules; this would make ${rules.length}.`,
      {
        target: 'properties.securityRules',
      },
    );
  }
  for (const [at, rule] of rules.entries()) {
    const { priority, direction } = rule.properties;
    const other = rules
      .slice(0, at)
      .find(
        ({ name, properties }) =>
          properties.priority === priority && properties.direction === direction && !sameId(name, rule.name),
      );
    if (!other) continue;
    throw new ArmError(
      'InvalidParameter',
      `Security rules '${other.name}' and '${rule.name}' both have priority ${priority} for ${direction}. Give one of them another; it is unique within a direction.`,
      { target: 'properties.priority' },
    );
  }
}
