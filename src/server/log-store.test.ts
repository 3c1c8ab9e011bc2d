import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flawOfLogStore } from './log-store.ts';

const id = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/logs';
const sas = 'sv=2021-12-02&sr=c&sp=ac&se=2027-01-01T00%3A00%3A00Z&sig=c2VjcmV0%3D';

test('a container and the right to add to it, and no more than that', () => {
  const flaw = (change: { id?: string; container?: string; sas?: string }): string | undefined =>
    flawOfLogStore(change.id ?? id, { container: 'cassandra', sas, ...change });
  assert.equal(flaw({}), undefined);
  assert.equal(flaw({ sas: `?${sas}` }), undefined);
  assert.equal(flaw({ sas: 'sv=2021-12-02&si=writers&sig=c2VjcmV0' }), undefined);
  assert.match(
    flaw({ id: id.replace('Storage/storageAccounts', 'KeyVault/vaults') })!,
    /kept in storage accounts/,
  );
  for (const container of ['Logs', 'a', 'a--b', '-ab', '../up', 'a/b', '$logs'])
    assert.match(flaw({ container })!, /is no name of a container/, container);
  for (const wrong of [
    '',
    'secret',
    'sp=ac',
    'sv=1&sp=ac&sig=',
    `${sas}\r\nHost: x`,
    `${sas}#x`,
    `${sas} HTTP/1.1`,
  ])
    assert.match(flaw({ sas: wrong })!, /no shared access signature/, wrong);
  for (const rights of ['racwdl', 'a', 'c', 'cw', 'acr'])
    assert.match(flaw({ sas: sas.replace('sp=ac', `sp=${rights}`) })!, /permits other things/, rights);
  assert.match(flaw({ sas: 'sv=1&sig=c2VjcmV0' })!, /permits other things/);
  for (const [wrong, why] of [
    [`${sas}&sp=racwdl`, /says something twice/],
    [`${sas}&ss=b&srt=sco`, /has 'ss'/],
    [`${sas}&comp=list`, /has 'comp'/],
    [sas.replace('sr=c&', 'sr=b&'), /not of a container/],
  ] as const)
    assert.match(flaw({ sas: wrong })!, why);
  for (const text of [flaw({ sas: 'sv=1&sp=r&sig=c2VjcmV0' }), flaw({ sas: 'c2VjcmV0' })])
    assert.equal(text!.includes('c2VjcmV0'), false, 'no secret is repeated');
});
