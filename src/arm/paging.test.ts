import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toyControl } from '../../test/harness/toy-control.ts';

test('a long list comes in pages, each of them once, whatever goes away in between', async (t) => {
  const toy = await toyControl(t);
  const sub = `/subscriptions/${toy.parties.customer.subscriptionId}`;
  await toy.call('PUT', `${sub}/resourcegroups/g`, { body: { location: 'eastus2' } });
  const labels = `${sub}/resourceGroups/g/providers/Toy.Net/labels`;
  const names = Array.from({ length: 205 }, (_, at) => `l${at}`);
  for (const name of names) await toy.call('PUT', `${labels}/${name}`, { body: { location: 'eastus2' } });

  const found: string[] = [];
  const sizes: number[] = [];
  let next: string | undefined = labels;
  while (next !== undefined) {
    const page = await toy.call('GET', next, next === labels ? {} : { version: null });
    assert.equal(page.status, 200, JSON.stringify(page.body));
    const value = page.body.value as { name: string }[];
    found.push(...value.map(({ name }) => name));
    sizes.push(value.length);
    // The last of a page is gone before the next one is asked for.
    if (sizes.length === 1) await toy.call('DELETE', `${labels}/${value.at(-1)!.name}`);
    const link = page.body.nextLink as string | undefined;
    next = link && new URL(link).pathname + new URL(link).search;
  }
  assert.deepEqual(sizes, [100, 100, 5]);
  assert.deepEqual(found, names);

  const short = await toy.call('GET', `${sub}/providers/Toy.Box/boxes`);
  assert.deepEqual(short.body, { value: [] });
  const wrong = await toy.call('GET', `${labels}?$skipToken=here`);
  assert.deepEqual(
    [wrong.status, wrong.body.error.code, wrong.body.error.target],
    [400, 'BadRequest', '$skipToken'],
  );
});
