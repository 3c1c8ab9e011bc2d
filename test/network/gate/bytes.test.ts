import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workersOf } from '../../../src/gate/master.ts';
import type { GateStatus } from '../../../src/gate/gate.ts';
import { until } from '../../../src/lib/clock.ts';
import { dial, freePort, request, say, startAccount, startGate } from '../../harness/gate.ts';

const one = 'logs.blob.core.windows.net';
const two = 'vault.vault.azure.net';

test(
  'bytes are counted by account and direction, to the byte, over reloads and deaths',
  { timeout: 120_000 },
  async (t) => {
    const answer = Buffer.alloc(300_000, 'a');
    const first = await startAccount(t, one, {
      answer: (asked, response) => void asked.on('end', () => response.end(answer)),
    });
    const second = await startAccount(t, two);
    const gate = await startGate(t);
    const port = await freePort();
    const intent = (more: boolean) => ({
      clusters: [
        {
          ...{ identity: 'c1', source: '127.0.0.1', port },
          accounts: [first.said(), ...(more ? [second.said()] : [])],
        },
      ],
    });
    const to = { port, ca: (await gate.intend(intent(false))).report.clusters['c1']!.authority };
    const bytes = ({ report }: GateStatus) => report.clusters['c1']!.accounts[one]!;

    const put = (body: string, chunked = false): Promise<string> =>
      say(
        to,
        one,
        request(one, {
          method: 'PUT',
          target: '/a',
          more: [chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`],
          body: chunked ? `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n` : body,
        }),
      );
    const after = async (what: string, requests: number): Promise<{ sent: number; received: number }> => {
      const status = await gate.told(what, (now) => bytes(now).received >= requests * answer.length);
      return bytes(status);
    };

    // What HAProxy counts beside bodies are the headers; the same request costs the same each time.
    await put('');
    const base = await after('the first request', 1);
    const head = { sent: base.sent, received: base.received - answer.length };
    t.diagnostic(`headers: ${head.sent} towards the account, ${head.received} back`);
    assert.ok(head.sent > 0 && head.sent < 300 && head.received > 0 && head.received < 300);

    await put('x'.repeat(1_000_000));
    let said = await after('a large body', 2);
    const digits = '1000000'.length - '0'.length;
    assert.equal(said.sent, 2 * head.sent + 1_000_000 + digits);
    assert.equal(said.received, 2 * (head.received + answer.length));

    await gate.intend(intent(true));
    await put('y'.repeat(10));
    said = await after('one after a reload', 3);
    assert.equal(said.sent, 3 * head.sent + 1_000_010 + digits + 1);
    assert.equal(said.received, 3 * (head.received + answer.length));

    process.kill((await workersOf(gate.paths.master)).current!, 'SIGKILL');
    await gate.told('the proxy to be started again', ({ report }) => report.starts === 2);
    assert.deepEqual(bytes(await gate.told('a pass', () => true)).sent, said.sent);
    await gate.replaceRole();
    await put('');
    const last = await after('one after all that', 4);
    assert.equal(last.sent, said.sent + head.sent);
    assert.equal(last.received, 4 * (head.received + answer.length));

    const chunked = await put('z'.repeat(5_000), true);
    assert.match(chunked, /200/);
    const sum = await after('chunks', 5);
    t.diagnostic(
      `a body of 5,000 bytes in one chunk: ${sum.sent - last.sent - head.sent} more than an empty one`,
    );
    assert.equal((await gate.told('a pass', () => true)).report.clusters['c1']!.accounts[two]!.sent, 0);
  },
);

test('what is under way is counted before it ends', { timeout: 60_000 }, async (t) => {
  const account = await startAccount(t, one);
  const gate = await startGate(t);
  const port = await freePort();
  const { report } = await gate.intend({
    clusters: [{ identity: 'c1', source: '127.0.0.1', port, accounts: [account.said()] }],
  });
  const socket = dial({ port, ca: report.clusters['c1']!.authority }, one);
  t.after(() => socket.destroy());
  socket.on('error', () => undefined);
  const size = 2 << 20;
  socket.write(`PUT /a HTTP/1.1\r\nHost: ${one}\r\nContent-Length: ${size + 1}\r\n\r\n`);
  socket.write(Buffer.alloc(size, 'x'));
  await until('the body to arrive', () => account.seen[0]?.bytes === size || undefined, {
    timeoutMs: 10_000,
  });
  const before = await gate.told(
    'the running upload',
    (now) => now.report.clusters['c1']!.accounts[one]!.sent >= size,
  );
  assert.ok(before.report.clusters['c1']!.accounts[one]!.sent < size + 300);
  // The worker dies with it: what was seen of it is kept.
  process.kill((await workersOf(gate.paths.master)).current!, 'SIGKILL');
  const after = await gate.told('another start', (now) => now.report.starts === 2);
  assert.equal(
    after.report.clusters['c1']!.accounts[one]!.sent,
    before.report.clusters['c1']!.accounts[one]!.sent,
  );
});
