/** A node's logs and a real account behind a real gate: whichever fails, what waits is said, and each byte arrives once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAzurite } from '../../harness/azurite.ts';
import { logWorld } from '../../harness/log-world.ts';

const name = 'logs.blob.core.windows.net';
const container = 'cassandra';
const hour = 3_600_000;

test(
  'storage or the gate down, slow, full, without its container, a right that ended: it waits, says why, and catches up',
  { timeout: 120_000 },
  async (t) => {
    const azurite = await startAzurite(t, name, container, 8);
    let sas = azurite.right(Date.now() - hour);
    const node = await logWorld(t, {
      ...{ account: azurite, name, container, sas: () => sas, text: (log) => azurite.text(log) },
      logs: ['system.log', 'audit.log'],
    });
    node.write(5);
    await node.start();
    await node.waits(/refuses the signature \(403 AuthorizationFailure\): has it run out/);
    // Renewed while the agent runs.
    sas = azurite.right();
    await node.waits(/has no container cassandra \(404 ContainerNotFound\): make it there/);
    await azurite.makeContainer();
    await node.arrived();

    /** Fails, is waited for, and comes back, while both logs go on and are rotated once. */
    const fault = (what: string, fail: () => unknown, why: RegExp, mend: () => unknown): Promise<void> =>
      t.test(what, async () => {
        node.write(50);
        await node.arrived();
        await fail();
        node.write(50);
        await node.waits(why);
        node.write(50);
        node.rotate();
        node.write(50);
        await mend();
        await node.arrived();
      });
    await fault(
      'the gate down',
      () => node.gate.down(),
      /^The gate can't be reached by the operator/,
      () => node.gate.up(),
    );
    await fault(
      'storage down',
      () => azurite.end(),
      /doesn't take it now \(50[23]\)/,
      () => azurite.start(),
    );
    await fault(
      'storage that stands still',
      () => azurite.signal('SIGSTOP'),
      /too slow: no whole answer within 1 s/,
      () => azurite.signal('SIGCONT'),
    );
    await fault(
      'storage without room',
      () => azurite.fill(8),
      /doesn't take it now \(500/,
      () => azurite.fill(undefined),
    );
    await fault(
      'a right that ended',
      () => (sas = azurite.right(Date.now() - hour)),
      /refuses the signature \(403 AuthorizationFailure\)/,
      () => (sas = azurite.right()),
    );
    const said = [...node.lines, JSON.stringify(node.report())].join('');
    assert.equal(said.includes('sig='), false);
  },
);
