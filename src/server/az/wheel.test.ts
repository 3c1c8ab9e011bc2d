import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { get } from 'node:https';
import { readFileSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { toyControl } from '../../../test/harness/toy-control.ts';
import { version } from '../version.ts';
import { buildWheel, readExtension } from './wheel.ts';

const programRoot = fileURLToPath(new URL('../../..', import.meta.url));

test('the same sources give the same wheel; its RECORD names each file', async () => {
  const sources = await readExtension(programRoot);
  const wheel = buildWheel(sources, '1.2.3');
  assert.deepEqual(buildWheel(sources, '1.2.3'), wheel);
  assert.notEqual(buildWheel(sources, '1.2.4').sha256, wheel.sha256);
  assert.equal(wheel.file, 'sallyport-1.2.3-py3-none-any.whl');
  const text = wheel.content.toString('latin1');
  for (const { path } of sources)
    assert.match(text, new RegExp(`\n?${path},sha256=[A-Za-z0-9_-]{43},\\d+\n`));
});

test('control serves it to whoever asks, and tells its name and sum', async (t) => {
  const toy = await toyControl(t);
  const about = await toy.call('GET', '/sallyport/az', { as: 'nobody', version: null });
  assert.equal(about.body.path, `/sallyport/az/sallyport-${version}-py3-none-any.whl`);
  const ca = readFileSync(join(toy.folder, 'authority', 'ca.pem'));
  const content = await new Promise<Buffer>((resolve, reject) =>
    get({ host: '127.0.0.1', port: toy.control.port, path: about.body.path, ca, agent: false }, (answer) =>
      resolve(buffer(answer)),
    ).on('error', reject),
  );
  assert.equal(createHash('sha256').update(content).digest('hex'), about.body.sha256);
  const other = await toy.call('GET', '/sallyport/az/other.whl', { as: 'nobody', version: null });
  assert.equal(other.status, 404);
});
