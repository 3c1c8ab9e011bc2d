/**
 * identity/ knows who asks and what they may do. It must never know what a resource is: actions and scopes are text to it.
 */
import { remembered } from '../lib/remembered.ts';
import type { Assignment } from '../store/principals.ts';

export interface Role {
  readonly id: string;
  readonly summary: string;
  readonly actions: readonly string[];
  readonly notActions: readonly string[];
  /** Given by the installation alone, at `/`. */
  readonly onlyAtRoot?: boolean;
}

/** The first four with the ids that Azure gave them. */
export const roles: Readonly<Record<string, Role>> = {
  Owner: {
    id: '8e3af657-a8ff-443c-a75c-2fe8c4bcb635',
    summary: 'Everything, the granting of roles included.',
    actions: ['*'],
    notActions: [],
  },
  Contributor: {
    id: 'b24988ac-6180-42a0-ab88-20f7382dd24c',
    summary: 'Everything but the granting of roles.',
    actions: ['*'],
    notActions: ['Microsoft.Authorization/*/write', 'Microsoft.Authorization/*/delete'],
  },
  Reader: {
    id: 'acdd72a7-3385-48ef-bd42-f606fba81ae7',
    summary: 'Sees everything, changes nothing.',
    actions: ['*/read'],
    notActions: [],
  },
  'Network Contributor': {
    id: '4d97b98b-1d4f-4787-a291-c67834d212e7',
    summary: 'Manages networks, and sees the roles; no cluster.',
    actions: [
      'Microsoft.Authorization/*/read',
      'Microsoft.Network/*',
      'Microsoft.Resources/deployments/*',
      'Microsoft.Resources/subscriptions/read',
      'Microsoft.Resources/subscriptions/resourceGroups/read',
    ],
    notActions: [],
  },
  'Private Link Approver': {
    id: '5d2a1f0e-6a0b-4c52-9c0d-3f1f6a6f2b11',
    summary: 'Approves, rejects and removes the connections of private link services.',
    actions: [
      'Microsoft.Resources/subscriptions/read',
      'Microsoft.Resources/subscriptions/resourceGroups/read',
      'Microsoft.Network/privateLinkServices/read',
      'Microsoft.Network/privateLinkServices/privateEndpointConnections/*',
    ],
    notActions: [],
  },
  'Platform Operator': {
    id: '0b7c3f0d-58b4-4c1c-8a41-7d1f0a3f8e21',
    summary:
      'Sees the state of the installation and asks for proofs of every door. No resource of a customer.',
    actions: ['Sallyport/*'],
    notActions: [],
    onlyAtRoot: true,
  },
};

/** Whether assignments allow `action` at `scope`. */
export function allows(assignments: readonly Assignment[], action: string, scope: string): boolean {
  return assignments.some((assignment) => {
    const role = roles[assignment.role];
    return role !== undefined && covers(assignment.scope, scope) && grants(`${assignment.role}:${action}`);
  });
}

/** Of `<role>:<action>`; each request asks. */
const grants = remembered((text) => {
  const [name = '', action = ''] = text.split(':', 2);
  const role = roles[name];
  return (
    role !== undefined &&
    role.actions.some((pattern) => matches(pattern, action)) &&
    !role.notActions.some((pattern) => matches(pattern, action))
  );
});

/** A scope covers itself and all below it; doubled slashes and case don't matter. */
export function covers(outer: string, inner: string): boolean {
  const base = clean(outer);
  const below = clean(inner);
  return base === '' || below === base || below.startsWith(`${base}/`);
}

const clean = remembered((scope) => scope.toLowerCase().split('/').filter(Boolean).join('/'));

/** `*` stands for any text, slashes included. */
function matches(pattern: string, action: string): boolean {
  const [first = '', ...rest] = pattern.toLowerCase().split('*');
  const text = action.toLowerCase();
  if (rest.length === 0) return text === first;
  if (!text.startsWith(first)) return false;
  const last = rest.pop()!;
  let at = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return text.endsWith(last) && text.length - last.length >= at;
}
