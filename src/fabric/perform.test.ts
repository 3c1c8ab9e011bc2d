import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FabricIntent, FabricWork, VerifyGate } from '../exchange/intents/fabric.ts';
import { createTurns } from '../lib/turns.ts';
import { performer } from './perform.ts';

const probe: FabricWork = { id: 'p', kind: 'probe', from: 'a', to: '192.0.2.10', protocol: 'tcp', port: 443 };
const proof = (gates: readonly string[] = []): FabricWork => ({
  id: 'v',
  kind: 'verify',
  network: null,
  gates: gates.map((operator) => ({ operator }) as VerifyGate),
});
/** `mark` tells one intent from another. */
const intent = (mark: number, ...work: FabricWork[]): FabricIntent => ({
  networks: [],
  machines: [],
  links: [],
  wallsSeconds: mark,
  work,
});

/** A turn that somebody else has until it is given up, and what was tried after it. */
function world() {
  const said: string[] = [];
  const now: { asked?: FabricIntent; inPlace?: FabricIntent } = {};
  const inTurn = createTurns();
  let giveUp!: () => void;
  const had = new Promise<void>((resolve) => (giveUp = resolve));
  void inTurn(() => had);
  const perform = performer({
    inTurn,
    asked: () => now.asked,
    inPlace: () => now.inPlace,
    send: async ({ wallsSeconds }, probes) => {
      said.push(`${probes.length} by ${wallsSeconds}`);
      return [{ said: 'sent', left: true, arrived: [], blind: null }];
    },
    recorded: (work) => {
      said.push('recorders');
      return work();
    },
    prove: async ({ wallsSeconds }, { gates }) => said.push(`proof by ${wallsSeconds} and ${gates!.length}`),
  });
  return { said, now, perform, giveUp };
}

test('what waits for its turn is tried on what is in place when the turn comes', async () => {
  const { said, now, perform, giveUp } = world();
  now.asked = now.inPlace = intent(0, proof(), probe);
  const both = [perform(proof()), perform(probe)];
  now.asked = intent(9, proof(['x']), probe);
  now.inPlace = intent(2, proof(['x']), probe);
  giveUp();
  await Promise.all(both);
  assert.deepEqual(said, ['recorders', 'proof by 2 and 1', '1 by 2']);
});

test('what nobody waits for any more is not tried, nor what was never put in place', async () => {
  const { said, now, perform, giveUp } = world();
  now.asked = now.inPlace = intent(0, probe);
  const late = assert.rejects(perform(probe), { code: 'NotAskedAnyMore' });
  const early = assert.rejects(perform(proof()), { code: 'NotInPlace' });
  now.asked = intent(0, proof());
  giveUp();
  await Promise.all([late, early]);
  assert.deepEqual(said, []);
});
