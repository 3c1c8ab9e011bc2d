/** The gate's one enrolment, and what it is seeded with. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { gatePeer, type ControlJoinFile } from '../exchange/intents/join.ts';
import type { Fault } from '../lib/errors.ts';
import { ports } from '../network/ports.ts';
import type { Store } from '../store/resource.ts';
import { gateSecrets, hasGate, namesAccounts } from './gate-intent.ts';
import type { Pass } from './pass.ts';
import { isPlatformSubnet } from './platform-network.ts';
import { platform } from './platform.ts';
import type { Settings } from './settings.ts';
import type { Subnet } from './subnet/schema.ts';

/** The first policy that names an account of ours makes the gate; from then on there is one. */
export function ensureGate(subnet: Subnet, { store, settings }: Pass): void {
  if (subnet.name !== 'operators' || !isPlatformSubnet(store, subnet.id)) return;
  if (hasGate(store) || !namesAccounts(store, settings)) return;
  store.secrets.set(gateSecrets.token, randomBytes(32).toString('base64url'));
}

/** Undefined: the gate has enrolled, or can't. */
export function gateJoin(
  store: Pick<Store, 'secrets'>,
  { operatorAuthority }: Pick<Settings, 'operatorAuthority'>,
): string | undefined {
  const token = store.secrets.get(gateSecrets.token);
  if (token === undefined) return undefined;
  const file: ControlJoinFile = {
    ...{ version: 1, cluster: gatePeer, token },
    control: {
      address: platform.controlDoor.address,
      port: ports.controlGate,
      name: platform.controlName,
      // Of the enrolment port, which is the operators' too; who signs on the exchange comes with the answer.
      authority: operatorAuthority,
    },
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}

/** A token admits the gate once. `admitted` keeps the admission in the transaction that spends it. Undefined: it is admitted. */
export function admitGate(store: Store, token: string, admitted?: () => void): Fault | undefined {
  return store.transaction(() => {
    const right = store.secrets.get(gateSecrets.token);
    if (right === undefined)
      return {
        code: 'TokenSpent',
        message: 'The token was used before, or there is no gate: it is good for one enrolment.',
      };
    if (!timingSafeEqual(digest(right), digest(token)))
      return { code: 'WrongToken', message: 'The token is not the one that was made for the gate.' };
    store.secrets.delete(gateSecrets.token);
    store.secrets.set(gateSecrets.admitted, 'yes');
    admitted?.();
    return undefined;
  });
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
