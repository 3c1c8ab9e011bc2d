import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawn, told } from './truth/draw.ts';
import { Model } from './truth/model.ts';
import { Reading } from './truth/reading.ts';
import { machines } from './truth/ground.ts';

test('the model of all walls says what an independent reading of Azure says', (t) => {
  const { seed, worlds } = drawn();
  const counts = { probes: 0, reached: 0, unanswered: 0, questions: 0, allowed: 0 };
  for (const [n, world] of worlds.entries()) {
    for (const intent of [world.first, world.second]) {
      const [reading, model] = [new Reading(intent), new Model(intent)];
      const packets = [...world.packets, ...world.later, ...world.asked];
      for (const packet of packets) {
        const shall = reading.fate(packet);
        assert.deepEqual(model.fate(packet), shall, told(seed, n, packet, intent));
        counts.probes++;
        if (shall.at !== null) counts.reached++;
        if (shall.at !== null && !shall.answered) counts.unanswered++;
      }
      for (const question of world.questions) {
        const own = machines.find(({ id }) => id === question.machine)!.address;
        const outbound = question.direction === 'Outbound';
        const seen = {
          ...question,
          source: outbound ? own : question.far,
          destination: outbound ? question.far : own,
        };
        const shall = reading.allows(question.machine, question.direction, seen);
        assert.equal(model.allows(question), shall, told(seed, n, question, intent));
        counts.questions++;
        if (shall) counts.allowed++;
      }
    }
  }
  t.diagnostic(
    `seed ${seed}: ${worlds.length} worlds; ${counts.probes} packets, of which ${counts.reached} arrive somewhere and ` +
      `${counts.unanswered} of those unanswered; ${counts.questions} questions to one wall, ${counts.allowed} allowed; 0 disagreements`,
  );
  assert.ok(counts.probes + counts.questions >= 20_000);
  // Neither open nor shut to everything: else they would agree on anything.
  for (const [some, all] of [
    [counts.reached, counts.probes],
    [counts.allowed, counts.questions],
  ] as const)
    assert.ok(some > all / 10 && some < (9 * all) / 10, `${some} of ${all}`);
});

test('each flow that is stopped has a change that lets it, or a reason why none would', (t) => {
  const { seed, worlds } = drawn();
  const counts = { passes: 0, changes: 0, never: 0 };
  for (const [n, { first, asked }] of worlds.entries()) {
    const [reading, model] = [new Reading(first), new Model(first)];
    for (const packet of asked.slice(0, 100)) {
      const { at, answered } = reading.fate(packet);
      const { changes, never } = model.why(packet);
      const said = [changes.length > 0, never !== null].filter(Boolean).length;
      // What is led to an appliance instead is answered by nobody.
      const passes = at !== null && answered;
      assert.equal(said, passes ? 0 : 1, told(seed, n, { packet, changes, never }, first));
      counts[passes ? 'passes' : never === null ? 'changes' : 'never']++;
    }
  }
  t.diagnostic(`seed ${seed}: ${JSON.stringify(counts)}`);
  assert.ok(counts.changes > 50 && counts.never > 50);
});
