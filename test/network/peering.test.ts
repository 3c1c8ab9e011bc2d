import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, it, test } from 'node:test';
import type {
  AllowRule,
  FabricIntent,
  FabricMachine,
  FabricNetwork,
} from '../../src/exchange/intents/fabric.ts';
import { until } from '../../src/lib/clock.ts';
import { insideYard, runInYard, Yard, type Probe } from './yard.ts';

const network = (id: string, number: number, more: Partial<FabricNetwork> = {}): FabricNetwork => ({
  id,
  label: id,
  prefixes: [`10.${number}.0.0/16`],
  subnets: [
    { name: 'one', prefix: `10.${number}.1.0/24` },
    { name: 'two', prefix: `10.${number}.2.0/24` },
  ],
  internet: true,
  ...more,
});
const machine = (
  id: string,
  place: string,
  address: string,
  more: Partial<FabricMachine> = {},
): FabricMachine => ({
  id,
  kind: 'application',
  hostname: id,
  network: place,
  subnet: address.split('.')[2] === '1' ? 'one' : 'two',
  address,
  allow: null,
  seed: {},
  ...more,
});
const cql: AllowRule = {
  direction: 'in',
  protocol: 'tcp',
  remote: ['10.1.0.0/16', '10.2.0.0/16'],
  port: 9042,
  reason: 'CQL',
};
const ring: AllowRule = {
  direction: 'out',
  protocol: 'tcp',
  remote: ['10.1.2.9/32'],
  port: 7001,
  reason: 'the ring',
};

/** Three networks in a row: the middle one is a peer of both others, which are none of each other. */
const world = (
  change: Partial<Record<'one' | 'two' | 'three', Partial<FabricNetwork>>> = {},
): FabricIntent => ({
  networks: [
    network('one', 1, { peerings: [{ network: 'two', access: true }], ...change.one }),
    network('two', 2, {
      peerings: [
        { network: 'one', access: true },
        { network: 'three', access: true },
      ],
      ...change.two,
    }),
    network('three', 3, { peerings: [{ network: 'two', access: true }], ...change.three }),
  ],
  machines: [
    machine('app-1', 'one', '10.1.1.4'),
    machine('other-1', 'one', '10.1.2.9'),
    machine('box-1', 'one', '10.1.2.8'),
    machine('node-1', 'one', '10.1.2.4', { kind: 'node', allow: [cql, ring] }),
    machine('app-2', 'two', '10.2.1.4'),
    machine('app-3', 'three', '10.3.1.4'),
  ],
  links: [],
  work: [],
});
const routed = (...routes: NonNullable<FabricNetwork['subnets'][0]['routes']>): FabricNetwork['subnets'] => [
  { name: 'one', prefix: '10.1.1.0/24', routes },
  { name: 'two', prefix: '10.1.2.0/24', routes },
];
const route = (
  prefix: string,
  nextHopType: 'VirtualAppliance' | 'None' | 'Internet' | 'VnetLocal',
  nextHopAddress: string | null = null,
) => ({
  name: `${nextHopType}-${prefix}`,
  prefix,
  nextHopType,
  nextHopAddress,
});

const denyUdp = {
  name: 'deny',
  priority: 100,
  direction: 'Inbound' as const,
  access: 'Deny' as const,
  protocol: 'Udp' as const,
  source: { prefixes: ['VirtualNetwork'], groups: [] },
  sourcePorts: ['*'],
  destination: { prefixes: ['*'], groups: [] },
  destinationPorts: ['5555'],
};

if (!insideYard)
  test(
    'peerings and routes, with real packets',
    { timeout: 120_000 },
    async () => void (await runInYard(import.meta.url)),
  );
else
  describe('peerings and routes, with real packets', () => {
    const yard = new Yard();
    let serial = 2000;
    const watched = ['app-1', 'other-1', 'box-1', 'node-1', 'app-3'];
    before(async () => {
      await yard.tell(world());
      for (const id of watched) await yard.watch(id);
    });
    after(() => yard.close());

    /** Where one packet from a machine arrives. A second one, to where it surely arrives, tells when to look. */
    const whereTo = async (
      from: string,
      to: string,
      protocol: Probe['protocol'] = 'udp',
      port = serial++,
    ): Promise<readonly string[]> => {
      await yard.forgetAll();
      const place = ['', 'one', 'two', 'three'][Number(from.split('.')[1])]!;
      await yard.send(place, [{ from, to, protocol, sourcePort: 30_000 + serial++, port }]);
      const found = async () => {
        const at = await Promise.all(
          [...watched, 'internet'].map(async (id) =>
            (await yard.arrivals(id)).has(`${protocol} ${port}`) ? [id] : [],
          ),
        );
        return at.flat();
      };
      return until('the packet', async () => ((await found()).length > 0 ? found() : undefined), {
        timeoutMs: 250,
        everyMs: 10,
      }).catch(() => []);
    };

    it('pass between peers, both ways, and no further', async () => {
      assert.deepEqual(await whereTo('10.2.1.4', '10.1.1.4'), ['app-1']);
      assert.deepEqual(await whereTo('10.2.1.4', '10.3.1.4'), ['app-3']);
      assert.deepEqual(await whereTo('10.1.1.4', '10.3.1.4'), [], 'no transit');
      assert.deepEqual(await whereTo('10.3.1.4', '10.1.1.4'), [], 'no transit');
      assert.deepEqual(await whereTo('10.2.1.4', '10.2.9.9'), [], 'what nobody owns');
      assert.deepEqual(await whereTo('10.1.1.4', '192.0.2.10'), ['internet']);
    });

    it('let into a node what its allow-list names, from a peer too, and nothing out of it', async () => {
      assert.deepEqual(await whereTo('10.2.1.4', '10.1.2.4', 'tcp', 9042), ['node-1']);
      assert.deepEqual(await whereTo('10.2.1.4', '10.1.2.4', 'tcp'), []);
      assert.deepEqual(await whereTo('10.1.2.4', '10.2.1.4', 'tcp', 9042), []);
      assert.deepEqual(await whereTo('10.1.2.4', '10.1.2.9', 'tcp', 7001), ['other-1']);
    });

    it('pass nothing while only one side names the other, or one of them withholds access', async () => {
      await yard.tell(world({ one: { peerings: [] } }));
      assert.deepEqual(await whereTo('10.2.1.4', '10.1.1.4'), []);
      for (const side of ['one', 'two'] as const) {
        await yard.tell(
          world({ [side]: { peerings: [{ network: side === 'one' ? 'two' : 'one', access: false }] } }),
        );
        assert.deepEqual(await whereTo('10.2.1.4', '10.1.1.4'), [], `${side} gives no access`);
      }
      await yard.tell(world());
      assert.deepEqual(await whereTo('10.2.1.4', '10.1.1.4'), ['app-1']);
    });

    it('lead where the longest prefix says, and the user before the system', async () => {
      await yard.tell(
        world({
          one: {
            subnets: routed(
              route('0.0.0.0/0', 'None'),
              route('203.0.113.0/24', 'Internet'),
              route('198.51.100.0/24', 'VirtualAppliance', '10.1.2.8'),
              route('192.0.2.0/24', 'VirtualAppliance', '10.1.2.4'),
              route('10.1.2.9/32', 'VirtualAppliance', '10.1.2.8'),
              route('10.2.0.0/16', 'None'),
              route('10.1.2.4/32', 'Internet'),
            ),
          },
        }),
      );
      const from = '10.1.1.4';
      assert.deepEqual(await whereTo(from, '192.0.2.10'), [], 'a node is no appliance');
      assert.deepEqual(await whereTo(from, '203.0.113.9'), ['internet'], 'Internet');
      assert.deepEqual(await whereTo(from, '198.51.100.10'), ['box-1'], 'VirtualAppliance');
      assert.deepEqual(await whereTo(from, '10.1.2.9'), ['box-1'], 'within the network');
      assert.deepEqual(
        await whereTo(from, '10.1.2.8'),
        ['box-1'],
        'what no route of the user names stays local',
      );
      assert.deepEqual(await whereTo('10.2.1.4', '10.1.1.4'), ['app-1'], 'a peer has routes of its own');
      assert.deepEqual(
        await whereTo(from, '10.1.2.4', 'tcp', 9042),
        [],
        'a private address goes nowhere on the internet',
      );
      assert.deepEqual(
        await whereTo('10.1.2.4', '10.1.2.9', 'tcp', 7001),
        [],
        "a route is no way around a node's allow-list",
      );
      await yard.tell(world());
      assert.deepEqual(await whereTo(from, '10.1.2.9'), ['other-1']);
      assert.deepEqual(await whereTo('10.1.2.4', '10.1.2.9', 'tcp', 7001), ['other-1']);
    });

    it('lead to a private endpoint from a peer too, unless the group of its subnet binds it and says no', async () => {
      const linked = (open: boolean, more: object = {}): FabricIntent => ({
        ...world(),
        links: [
          {
            id: 'link',
            label: 'link',
            consumer: { network: 'one', address: '10.1.1.10', ...more },
            provider: { network: 'three', natAddress: '10.3.2.4', destination: '10.3.1.4' },
            port: 51820,
            open,
          },
        ],
        securityGroups: [{ id: 'g', rules: [{ ...denyUdp, destinationPorts: ['51820'] }] }],
      });
      const through = async (): Promise<readonly (readonly string[])[]> => [
        await whereTo('10.1.1.4', '10.1.1.10', 'udp', 51820),
        await whereTo('10.2.1.4', '10.1.1.10', 'udp', 51820),
        await whereTo('10.1.1.4', '10.1.1.10', 'tcp', 51820),
      ];
      await yard.tell(linked(true));
      assert.deepEqual(await through(), [['app-3'], ['app-3'], []]);
      await yard.tell(linked(true, { securityGroup: 'g' }));
      assert.deepEqual(await through(), [[], [], []]);
      await yard.tell(linked(false));
      assert.deepEqual(await through(), [[], [], []]);
      await yard.tell(world());
    });

    it('cut an established flow in both directions when a rule goes, and let the same flow go on when it is back', async () => {
      const deny = (on: boolean): FabricIntent => {
        const intent = world();
        const rules = on ? [denyUdp] : [];
        return {
          ...intent,
          machines: [
            ...intent.machines,
            machine('talk-1', 'one', '10.1.1.7', { securityGroup: 'g' }),
            machine('talk-2', 'two', '10.2.1.7'),
          ],
          securityGroups: [{ id: 'g', rules }],
        };
      };
      await yard.tell(deny(false));
      // Both ends send ten times a second, on one flow that the peer began, and say what they hear.
      const talk = (own: string, ownPort: number, far: string, farPort: number): string =>
        `use IO::Socket::INET; use IO::Select; $|=1; my $s=IO::Socket::INET->new(Proto=>"udp",LocalAddr=>"${own}",LocalPort=>${ownPort},PeerAddr=>"${far}",PeerPort=>${farPort}) or die; print "ready\\n"; ` +
        `while () { $s->send("x"); if (IO::Select->new($s)->can_read(0.1)) { $s->recv(my $d, 9); print "heard\\n"; select(undef,undef,undef,0.1) } }`;
      const heard = { 'talk-1': 0, 'talk-2': 0 };
      const children = [];
      for (const [id, script] of [
        ['talk-2', talk('10.2.1.7', 5556, '10.1.1.7', 5555)],
        ['talk-1', talk('10.1.1.7', 5555, '10.2.1.7', 5556)],
      ] as const) {
        const child = yard.start(id, ['perl', '-e', script]);
        children.push(child);
        child.stdout!.on(
          'data',
          (chunk: Buffer) => (heard[id] += chunk.toString().split('heard').length - 1),
        );
        await once(child.stdout!, 'data');
      }
      const both = (what: string): Promise<true> => {
        const before = { ...heard };
        return until(
          what,
          () => (heard['talk-1'] > before['talk-1'] && heard['talk-2'] > before['talk-2'] ? true : undefined),
          {
            timeoutMs: 5000,
            everyMs: 20,
          },
        );
      };
      await both('both ends to hear each other');
      await yard.tell(deny(true));
      const cut = { ...heard };
      const quiet = await until(
        'a packet after the cut',
        () => (heard['talk-1'] > cut['talk-1'] + 1 || heard['talk-2'] > cut['talk-2'] + 1 ? true : undefined),
        {
          timeoutMs: 1000,
          everyMs: 50,
        },
      ).catch(() => 'quiet');
      assert.equal(quiet, 'quiet');
      await yard.tell(deny(false));
      await both('the same flow to go on');
      for (const child of children) child.kill('SIGKILL');
    });
  });
