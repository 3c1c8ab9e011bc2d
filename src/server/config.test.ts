import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAuthority } from '../lib/x509.ts';
import { checkAccounts } from './config.ts';

const { certificate: authority } = await createAuthority('a service', { days: 1, now: Date.now() });
const account = {
  id: '/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/logs',
  name: 'logs.blob.core.windows.net',
  address: '10.9.0.4',
  port: 443,
  authority,
};
const other = { ...account, id: `${account.id}2`, name: 'other.blob.core.windows.net' };
const logs = { container: 'cassandra', sas: 'sv=1&sr=c&sp=ac&sig=x' };

test('accounts that could never be let through are named at the start, with why', () => {
  checkAccounts('config.json', [account, { ...other, logs }]);
  for (const [accounts, why] of [
    [
      [{ ...account, name: '*.blob.core.windows.net' }],
      /\/accounts\/0: .*is no full host name in lower case/,
    ],
    [[account, { ...other, address: 'storage' }], /\/accounts\/1: "storage" is no IP address/],
    [[{ ...account, authority: 'none' }], /The authority of logs\.blob.* is no certificate/],
    [
      [account, { ...other, name: account.name }],
      /\/accounts\/1: its name .* is that of \/accounts\/0 as well/,
    ],
    [[account, { ...other, id: account.id.toUpperCase() }], /\/accounts\/1: its id .* as well/],
    [[{ ...account, logs: { container: 'A', sas: '' } }], /\/accounts\/0: "A" is no name of a container/],
    [
      [
        { ...account, logs },
        { ...other, logs },
      ],
      /\/accounts\/1: the logs of subscription s are kept in \/accounts\/0 already/,
    ],
  ] as const)
    assert.throws(() => checkAccounts('config.json', accounts), { code: 'ConfigInvalid', message: why });
});
