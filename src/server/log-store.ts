/** What is wrong with an account's `logs`, in words; the signature is a secret, and in none of them. */
import { Compile } from 'typebox/compile';
import { ContainerName } from '../exchange/intents/service.ts';
import type { LogContainer } from '../kinds/service-accounts.ts';

const checkName = Compile(ContainerName);
const isContainer = (name: string): boolean => checkName.Check(name);
/** What may stand in a query as it is. */
const query = /^\??[A-Za-z0-9%&=._~:+/-]+$/;

/** Undefined: nothing is. */
export const flawOfContainer = (container: string): string | undefined =>
  isContainer(container)
    ? undefined
    : `${JSON.stringify(container.slice(0, 80))} is no name of a container: 3 to 63 small letters and digits, with single hyphens between them.`;

/** Undefined: nothing is. */
export function flawOfLogStore(id: string, { container, sas }: LogContainer): string | undefined {
  if (!/\/providers\/Microsoft\.Storage\/storageAccounts\//i.test(id))
    return 'logs are kept in storage accounts, and its id names none.';
  const flaw = flawOfContainer(container);
  if (flaw !== undefined) return flaw;
  const said = new URLSearchParams(query.test(sas) ? sas.replace(/^\?/, '') : '');
  if (!said.get('sig') || !said.get('sv'))
    return 'the sas of its logs is no shared access signature: it is a query string with sv and sig.';
  const names = [...said.keys()];
  if (new Set(names).size < names.length) return 'the sas of its logs says something twice.';
  const more = names.find((name) => ['ss', 'srt', 'comp', 'restype'].includes(name));
  if (more !== undefined)
    return `the sas of its logs has '${more}': it must be of one container (sr=c), and not of the whole account.`;
  const rights = said.get('sp');
  // By a stored access policy: what that permits is not in here.
  if (rights === null && said.get('si')) return undefined;
  if (!rights?.includes('a') || !rights.includes('c') || /[^ac]/.test(rights))
    return "the sas of its logs permits other things than to add and to create (sp=ac). Every node holds it: with more, one could read or delete the others' logs.";
  if (said.get('sr') !== 'c') return 'the sas of its logs is not of a container (sr=c).';
  return undefined;
}
