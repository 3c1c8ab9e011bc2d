import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Jolokia } from '../cassandra/jolokia.ts';
import { cleanup } from './cleanup.ts';

const call = 'forceKeyspaceCleanup(int,java.lang.String,[Ljava.lang.String;)';

/** A Cassandra of these keyspaces; each answers with what is next in its list, the last for ever. */
function node(answers: Record<string, readonly (number | Error | 'for ever')[]>) {
  const cleaned: string[] = [];
  const at: Record<string, number> = {};
  const there = new Set(Object.keys(answers));
  /** How many more questions nobody answers. */
  let away = 0;
  const jolokia: Jolokia = {
    async read() {
      if (away-- > 0) throw new Error('nothing answers');
      return [[...there]];
    },
    async exec(_, operation, args) {
      const keyspace = String(args?.[1]);
      assert.deepEqual([operation, args], [call, [1, keyspace, []]]);
      cleaned.push(keyspace);
      const list = answers[keyspace]!;
      const answer = list[Math.min((at[keyspace] = (at[keyspace] ?? 0) + 1), list.length) - 1]!;
      if (answer instanceof Error) {
        if (!answer.message.startsWith(call)) away = 2;
        throw answer;
      }
      return answer === 'for ever' ? new Promise(() => undefined) : answer;
    },
  };
  const stop = new AbortController();
  return {
    run: () => cleanup(jolokia, { sleep: async () => undefined }, stop.signal),
    ...{ cleaned, there, stop },
  };
}

test('every keyspace that is spread over nodes, one after the other', async () => {
  const one = node({ app: [0], system_auth: [0] });
  await one.run();
  assert.deepEqual(one.cleaned, ['app', 'system_auth']);
});

test('a Cassandra that dies in the middle is asked anew once it is back', async () => {
  const one = node({ app: [0], big: [new Error('socket hang up'), new Error('connect ECONNREFUSED'), 0] });
  await one.run();
  assert.deepEqual(one.cleaned, ['app', 'big', 'big', 'big']);
});

test('Cassandra’s refusal is passed on; a keyspace that was dropped meanwhile is none', async () => {
  const words = 'Node is involved in cluster membership changes. Not safe to run cleanup.';
  await assert.rejects(node({ app: [new Error(`${call} failed: ${words}`)] }).run(), {
    code: 'CleanupRefused',
    message: `Cassandra does not clean up keyspace app: ${words}`,
  });
  await assert.rejects(node({ app: [1] }).run(), /keyspace app: it was interrupted/);
  const dropped = node({ app: [0], gone: [new Error(`${call} failed: Keyspace gone does not exist`)] });
  const exec = dropped.run();
  dropped.there.delete('gone');
  await exec;
});

test('an agent that is told to stop doesn’t wait for it', async () => {
  const one = node({ app: ['for ever'] });
  const running = one.run();
  one.stop.abort();
  await assert.rejects(running, /agent was stopped/);
});
