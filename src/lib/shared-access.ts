/** Shared access signatures for blobs, made of an account's key as Azure describes it since version 2020-12-06. */
import { createHmac } from 'node:crypto';

const version = '2021-12-02';
const protocol = 'https';

/** An account and its key, base64: a secret, and so is what is made of it. */
export interface AccountKey {
  readonly account: string;
  readonly key: string;
}

/**
 * For one container, until a time (milliseconds since the epoch): to create blobs and to add to them, and nothing else; other
 * permissions are for who asks for them, in Azure's order.
 */
export function signForContainer(
  { account, key }: AccountKey,
  container: string,
  until: number,
  permissions = 'ac',
): string {
  const [resource, expiry] = ['c', timeOf(until)];
  const said = [
    ...[permissions, '', expiry, `/blob/${account}/${container}`, '', '', protocol, version, resource],
    // Snapshot, encryption scope, and five headers of an answer.
    ...Array<string>(7).fill(''),
  ];
  return query({ sv: version, spr: protocol, sr: resource, sp: permissions, se: expiry }, key, said);
}

/** For the account's containers, until a time: to create them, and nothing else. */
export function signToCreateContainers({ account, key }: AccountKey, until: number): string {
  const [permissions, services, types, expiry] = ['c', 'b', 'c', timeOf(until)];
  const said = [account, permissions, services, types, '', expiry, '', protocol, version, '', ''];
  return query(
    { sv: version, spr: protocol, ss: services, srt: types, sp: permissions, se: expiry },
    key,
    said,
  );
}

/** When a signature of ours ends, in milliseconds since the epoch; NaN: it doesn't say. */
export const endOfSignature = (signature: string): number =>
  Date.parse(new URLSearchParams(signature).get('se') ?? '');

/** To the second, as it is signed. */
const timeOf = (milliseconds: number): string => new Date(milliseconds).toISOString().replace(/\.\d+/, '');

const query = (
  parameters: Readonly<Record<string, string>>,
  key: string,
  said: readonly string[],
): string => {
  const sig = createHmac('sha256', Buffer.from(key, 'base64')).update(said.join('\n')).digest('base64');
  return new URLSearchParams({ ...parameters, sig }).toString();
};
