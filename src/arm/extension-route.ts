import { parseArmId, type ArmId } from './id.ts';

/** What may hang on a scope, by namespace and type; the rest of those namespaces is routed as everything else. */
const extensions = {
  'microsoft.authorization/roleassignments': 'role-assignments',
  'microsoft.authorization/roledefinitions': 'role-definitions',
  'microsoft.authorization/permissions': 'permissions',
  'microsoft.insights/diagnosticsettings': 'diagnostic-settings',
  'microsoft.insights/eventtypes': 'activity-log',
  'microsoft.resources/tags': 'scope-tags',
  'microsoft.resources/deployments': 'deployments',
} as const;

export interface ExtensionRoute {
  readonly at: (typeof extensions)[keyof typeof extensions];
  /** `/`, or the id of a subscription, a group or a resource. */
  readonly scope: string;
  /** Undefined at the scope `/`. */
  readonly on: ArmId | undefined;
  /** What follows the type: a name, an action. */
  readonly rest: readonly string[];
}

/** A path that speaks of nothing, and why. */
export interface NoRoute {
  readonly at: 'nothing';
  readonly why: string;
}

/** The last `providers` whose type is one of ours decides: it may stand on a resource, which has a `providers` of its own. */
export function extensionRouteOf(parts: readonly string[]): ExtensionRoute | NoRoute | undefined {
  for (let at = parts.length - 1; at >= 0; at--) {
    if (parts[at]!.toLowerCase() !== 'providers') continue;
    const type = `${parts[at + 1] ?? ''}/${parts[at + 2] ?? ''}`.toLowerCase();
    const found = Object.entries(extensions).find(([key]) => key === type)?.[1];
    if (!found) continue;
    const scope = `/${parts.slice(0, at).join('/')}`;
    const on = at === 0 ? undefined : parseArmId(scope);
    if (at > 0 && !on) return { at: 'nothing', why: `'${scope}' is no scope: it is no id of anything here.` };
    return { at: found, scope, on, rest: parts.slice(at + 3) };
  }
  return undefined;
}
