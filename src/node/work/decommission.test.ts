import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '../../lib/clock.ts';
import type { Jolokia } from '../cassandra/jolokia.ts';
import { decommission } from './decommission.ts';

/** Says one mode after the other, the last for ever; `no` is what it answers to being asked, undefined: it streams. */
function node(modes: readonly (string | undefined)[], no?: string) {
  let at = 0;
  let asked = 0;
  let now = 0;
  const jolokia: Jolokia = {
    async read() {
      const mode = modes[Math.min(at++, modes.length - 1)];
      if (mode === undefined) throw new Error('nothing answers');
      return [mode];
    },
    exec(_, operation, args) {
      assert.deepEqual([operation, args], ['decommission(boolean)', [false]]);
      asked++;
      return no === undefined ? new Promise(() => undefined) : Promise.reject(new Error(no));
    },
  };
  const clock: Clock = {
    now: () => now,
    async sleep(ms) {
      now += ms;
    },
  };
  const stop = new AbortController();
  return { run: () => decommission(jolokia, clock, stop.signal, 5_000), asked: () => asked };
}

test('it asks once, waits while data is streamed, and ends when Cassandra says that it is out', async () => {
  const one = node(['NORMAL', 'NORMAL', 'LEAVING', undefined, 'LEAVING', 'DECOMMISSIONED']);
  await one.run();
  assert.equal(one.asked(), 1);
});

test('a successor goes on from what it finds', async () => {
  const leaving = node(['LEAVING', 'DECOMMISSIONED']);
  await leaving.run();
  assert.equal(leaving.asked(), 0);
  const restarted = node([undefined, 'STARTING', 'NORMAL', 'LEAVING', 'DECOMMISSIONED']);
  await restarted.run();
  assert.equal(restarted.asked(), 1);
  const failed = node(['DECOMMISSION_FAILED', 'LEAVING', 'DECOMMISSIONED']);
  await failed.run();
  assert.equal(failed.asked(), 1);
});

test('Cassandra’s own refusal is passed on in its words, without its classes', async () => {
  const said =
    'decommission(boolean) failed: java.lang.UnsupportedOperationException : Not enough live nodes to maintain replication factor in keyspace app (RF = 4, N = 4). Perform a forceful decommission to ignore.';
  await assert.rejects(node(['NORMAL'], said).run(), (error: Error & { code?: string }) => {
    assert.equal(error.code, 'DecommissionRefused');
    assert.equal(
      error.message,
      'Cassandra does not let the node go: Not enough live nodes to maintain replication factor in keyspace app (RF = 4, N = 4). ' +
        'Lower its replication with ALTER KEYSPACE, or keep the node.',
    );
    return true;
  });
});

test('of a stream that failed, the words without the trace', async () => {
  const said =
    'decommission(boolean) failed: Error while decommissioning node: Stream failed: \nSession peer /10.0.2.5:7001 Failed because of an unknown exception\n' +
    'java.io.IOException: failed to connect to /10.0.2.5:7001\n\torg.apache.cassandra.streaming.X.connect(X.java:85)\n';
  await assert.rejects(node(['NORMAL', 'DECOMMISSION_FAILED'], said).run(), {
    message:
      'Cassandra does not let the node go: Error while decommissioning node: Stream failed: Session peer /10.0.2.5:7001 Failed because of an unknown exception',
  });
});

test('a Cassandra that dies in the middle is asked anew once it is back', async () => {
  const one = node(['NORMAL', 'LEAVING', undefined, 'NORMAL', 'LEAVING', 'DECOMMISSIONED'], 'socket hang up');
  await one.run();
  assert.equal(one.asked(), 2);
});

test('a Cassandra that says nothing for long ends the try', async () => {
  await assert.rejects(node(['NORMAL', 'LEAVING', undefined]).run(), /has not answered/);
});
