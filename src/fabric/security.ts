/** From ids of the intent to what a router knows groups and route tables by: pure. */
import type { FabricIntent, FabricNetwork } from '../exchange/intents/fabric.ts';
import { parsePrefix } from '../lib/ip.ts';
import type { SecurityGroups } from '../network/judges.ts';
import { checkRules } from '../network/security-group.ts';
import type { Route } from '../network/security-rules.ts';
import { shortName } from './names.ts';

export type Groups = SecurityGroups;

/** Names of the groups that judge an interface, in the order in which they judge what comes in. */
export const judgeOf = (...ids: readonly (string | null | undefined)[]): readonly string[] =>
  ids.filter((id) => id !== null && id !== undefined).map(shortName);

/** A group with a rule that can't be compiled is told, and left out: a router lets nothing pass what it doesn't know. */
export function usableGroups(intent: FabricIntent, refuse: (id: string, why: string) => void): Groups {
  return Object.fromEntries(
    (intent.securityGroups ?? []).flatMap(({ id, rules }) => {
      const flaw = checkRules(rules);
      if (flaw === undefined) return [[shortName(id), rules]];
      refuse(id, flaw);
      return [];
    }),
  );
}

/** Addresses of the members of each application security group, within networks that can reach each other. */
export function membersIn(
  { machines, links }: FabricIntent,
  networks: readonly string[],
): Readonly<Record<string, readonly string[]>> {
  const members: Record<string, string[]> = {};
  const places = [...machines, ...links.map(({ consumer }) => consumer)];
  for (const { network, address, applicationSecurityGroups } of places) {
    if (!networks.includes(network)) continue;
    for (const id of applicationSecurityGroups ?? []) (members[id] ??= []).push(address);
  }
  return members;
}

/** Routes whose destination is one; the others are told and left out. */
export function usableRoutes(
  network: FabricNetwork,
  subnet: FabricNetwork['subnets'][number],
  refuse: (id: string, why: string) => void,
): readonly Route[] {
  return (subnet.routes ?? []).filter(({ name, prefix }) => {
    if (parsePrefix(prefix)) return true;
    refuse(`route ${name} of ${network.label}/${subnet.name}`, `'${prefix}' is not an IPv4 prefix.`);
    return false;
  });
}

/** A subnet's number among the kernel's route tables, the same whatever other subnets there are; null: it has no routes. */
export const subnetTable = (subnet: FabricNetwork['subnets'][number] | undefined): number | null =>
  subnet?.routes && subnet.routes.length > 0
    ? 1000 + (Number.parseInt(shortName(subnet.name.toLowerCase()), 16) % 2_000_000_000)
    : null;
