import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog } from '../../lib/log.ts';
import { freePort } from '../../../test/harness/gate.ts';
import { createInlet } from './inlet.ts';

test('a batch that is more than is taken is refused, and said', async (t) => {
  const port = await freePort();
  const said: (string | number)[] = [];
  const inlet = createInlet({
    ...{ port, mostBytes: 100, log: createLog({}, { level: 'error' }) },
    keep: async (body) => void said.push(body.length),
    onFault: () => said.push('fault'),
    onTooMuch: () => said.push('too much'),
  });
  t.after(() => inlet.close());
  await inlet.open();
  const post = async (bytes: number): Promise<number> => {
    const headers = { 'content-encoding': 'snappy' };
    const answer = await fetch(`http://127.0.0.1:${port}/`, {
      ...{ method: 'POST', headers, body: Buffer.alloc(bytes) },
    });
    return answer.status;
  };
  assert.deepEqual([await post(100), await post(101), await post(7)], [204, 413, 204]);
  assert.deepEqual(said, [100, 'too much', 7]);
});
