/** A node's way to an account: through the operator's relay and a real gate. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../../src/lib/clock.ts';
import { createLog } from '../../../src/lib/log.ts';
import { createRelay } from '../../../src/operator/relay.ts';
import { freePort, request, say, startAccount, startGate, statusOf } from '../../harness/gate.ts';

const name = 'logs.blob.core.windows.net';

test(
  'through the relay the gate judges as it does without, and nobody else is believed',
  { timeout: 60_000 },
  async (t) => {
    const account = await startAccount(t, name);
    const gate = await startGate(t);
    const place = { address: '127.0.0.1', port: await freePort() };
    const { report } = await gate.intend({
      clusters: [{ identity: 'c1', source: place.address, port: place.port, accounts: [account.said()] }],
    });
    const relay = createRelay({
      nodeAt: () => 'dc1-0',
      clock: systemClock,
      log: createLog({}, { level: 'error' }),
    });
    t.after(() => relay.ensure(undefined));
    const listen = { address: '127.0.0.1', port: await freePort() };
    await relay.ensure({ listen, gate: place });
    const to = { port: listen.port, ca: report.clusters['c1']!.authority };

    const body = 'x'.repeat(200_000);
    const put = request(name, {
      method: 'PUT',
      target: '/c/b',
      more: [`Content-Length: ${body.length}`],
      body,
    });
    assert.match(await say(to, name, put), /^HTTP\/1\.1 200 .*this is logs/s);
    assert.deepEqual(
      account.seen.map(({ host, method, bytes }) => [host, method, bytes]),
      [[name, 'PUT', body.length]],
    );
    assert.equal(statusOf(await say(to, name, request('evil.blob.core.windows.net'))), '403');
    assert.doesNotMatch(
      await say(to, 'evil.blob.core.windows.net', request('evil.blob.core.windows.net')),
      /HTTP/,
    );
    // Whoever the relay led to, that is no gate of this cluster: the client doesn't speak with it.
    await relay.ensure({ listen, gate: { address: '127.0.0.1', port: account.port } });
    assert.match(await say(to, name, request(name)), /UNABLE_TO_VERIFY_LEAF_SIGNATURE|SELF_SIGNED/);
    assert.equal(account.seen.length, 1);
  },
);
