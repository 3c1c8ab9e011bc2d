import assert from 'node:assert/strict';
import { after, before, describe, it, test } from 'node:test';
import type { FabricIntent } from '../../src/exchange/intents/fabric.ts';
import { drawn, told } from './truth/draw.ts';
import { Probers, type Kind } from './truth/probers.ts';
import { Reading, type Fate, type Packet } from './truth/reading.ts';
import { machines } from './truth/ground.ts';
import { insideYard, runInYard, Yard } from './yard.ts';

const title = 'what real packets do is what the reading and the model say';

interface Sent {
  readonly id: number;
  readonly packet: Packet;
  readonly shall: Fate;
}
interface Expected {
  readonly id: number;
  readonly kind: Kind;
  readonly at: string;
}

/** Of a flow's packet that goes on or back: it is judged as the flow began, by the walls as they are now. */
const later = (
  { id, packet }: Sent,
  now: Fate,
): readonly (Expected | { readonly id: number; readonly kind: Kind; readonly at: null })[] => [
  { id, kind: 'f2', at: now.at },
  { id, kind: 'r2', at: now.answered ? packet.from : null },
];

if (!insideYard)
  test(title, { timeout: 300_000 }, async (t) => {
    const said = await runInYard(import.meta.url);
    for (const [, counts] of said.matchAll(/(seed \d+: .*)/g)) t.diagnostic(counts!);
  });
else
  describe(title, () => {
    const yard = new Yard();
    let probers: Probers;
    const { seed, worlds } = drawn();
    before(async () => {
      await yard.tell(worlds[0]!.first);
      for (const { id } of machines) await yard.watch(id);
      probers = await Probers.start(yard);
    });
    after(() => {
      probers.close();
      yard.close();
    });

    it('on new flows, their answers, and flows that were there when a wall changed', async (t) => {
      const counts = { packets: 0, arrived: 0, answered: 0, goingOn: 0, cut: 0 };
      // A second flow with the ends of an earlier one would be that one, to whoever remembers flows.
      const known = new Set<string>();
      let serial = 1;

      const begin = (intent: FabricIntent, packets: readonly Packet[]): readonly Sent[] => {
        const reading = new Reading(intent);
        return packets.flatMap((packet) => {
          const { address } = machines.find(({ id }) => id === packet.from)!;
          const ends = [`${address} ${packet.sourcePort}`, `${packet.to} ${packet.port}`].sort();
          const flow = [packet.protocol, ...ends].join(' ');
          if (packet.protocol !== 'icmp' && known.has(flow)) return [];
          known.add(flow);
          const id = serial++;
          // An echo has no ports; its identifier is used once.
          const sent = packet.protocol === 'icmp' ? { ...packet, sourcePort: id % 65_536 } : packet;
          probers.begin(id, sent);
          counts.packets++;
          return [{ id, packet, shall: reading.fate(packet) }];
        });
      };
      const expectedOf = ({ id, packet, shall }: Sent): readonly Expected[] => [
        ...(shall.at === null ? [] : [{ id, kind: 'f1' as const, at: shall.at }]),
        ...(shall.answered ? [{ id, kind: 'r1' as const, at: packet.from }] : []),
      ];

      for (const [n, { first, second, packets, later: more }] of worlds.entries()) {
        await yard.tell(first);
        const begun = performance.now();
        const flows = begin(first, packets);
        await probers.settle(flows.flatMap(expectedOf));

        await yard.tell(second);
        const reading = new Reading(second);
        // The kernel forgets an echo after 30 s, which a busy machine may take from one wall to the other.
        const fleeting = performance.now() - begun > 20_000;
        const standing = flows.filter(
          ({ shall, packet }) => shall.answered && !(fleeting && packet.protocol === 'icmp'),
        );
        const now = new Map(standing.map((flow) => [flow.id, reading.fate(flow.packet)]));
        for (const { id, packet, shall } of standing) {
          probers.sayBack(id, shall.at!);
          probers.goOn(id, packet.from);
        }
        const fresh = begin(second, more);
        const afterwards = standing.flatMap((flow) => later(flow, now.get(flow.id)!));
        const arriving = afterwards.flatMap((one) => (one.at === null ? [] : [{ ...one, at: one.at }]));
        await probers.settle([...fresh.flatMap(expectedOf), ...arriving]);

        for (const [intent, sent] of [
          [first, flows],
          [second, fresh],
        ] as const)
          for (const { id, packet, shall } of sent) {
            const why = () => told(seed, n, packet, intent);
            assert.deepEqual(probers.at(id, 'f1'), shall.at === null ? [] : [shall.at], why());
            // An answer that is led to an appliance instead is not said of by anybody.
            const back = probers.at(id, 'r1').filter((at) => at === packet.from);
            assert.deepEqual(back, shall.answered ? [packet.from] : [], `its answer: ${why()}`);
            if (shall.at !== null) counts.arrived++;
            if (shall.answered) counts.answered++;
          }
        for (const { id, kind, at } of afterwards) {
          const { packet } = standing.find((flow) => flow.id === id)!;
          const seen =
            kind === 'f2' ? probers.at(id, kind) : probers.at(id, kind).filter((one) => one === packet.from);
          assert.deepEqual(
            seen,
            at === null ? [] : [at],
            `${kind}, of a flow that stood: ${told(seed, n, packet, second)}`,
          );
          counts.goingOn++;
          if (at === null) counts.cut++;
        }
      }
      t.diagnostic(
        `seed ${seed}: ${worlds.length} worlds; ${counts.packets} flows begun with real packets, ${counts.arrived} arrived somewhere, ` +
          `${counts.answered} were answered; ${counts.goingOn} packets of standing flows after the walls changed, ${counts.cut} of them cut; 0 disagreements`,
      );
      assert.ok(counts.packets >= 2000 && counts.arrived > counts.packets / 10 && counts.cut > 50);
    });
  });
