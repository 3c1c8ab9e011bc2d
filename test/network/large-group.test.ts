import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { describe, it, test } from 'node:test';
import type { FabricIntent, FabricMachine } from '../../src/exchange/intents/fabric.ts';
import { insideYard, runInYard, Yard } from './yard.ts';

const machine = (id: string, address: string): FabricMachine => ({
  id,
  kind: 'application',
  hostname: id,
  network: 'n',
  subnet: 's',
  address,
  allow: null,
  seed: {},
});
type Rule = NonNullable<FabricIntent['securityGroups']>[number]['rules'][number];
const rule = (priority: number, access: Rule['access'], port: string, from = '*'): Rule => ({
  name: `rule-${priority}`,
  priority,
  direction: 'Inbound',
  access,
  protocol: 'Udp',
  source: { prefixes: [from], groups: [] },
  sourcePorts: ['*'],
  destination: { prefixes: ['*'], groups: [] },
  destinationPorts: [port],
});
/** A thousand, of which the last two decide; the others are new in each turn. One more names more prefixes than a transaction takes. */
const intent = (turn: number): FabricIntent => ({
  networks: [
    {
      id: 'n',
      label: 'n',
      prefixes: ['10.0.0.0/16'],
      subnets: [{ name: 's', prefix: '10.0.1.0/24', securityGroup: 'g' }],
      internet: false,
    },
  ],
  machines: [machine('from', '10.0.1.4'), machine('to', '10.0.1.5')],
  links: [],
  work: [],
  securityGroups: [
    {
      id: 'g',
      rules: [
        {
          ...rule(100, 'Deny', '5000'),
          source: {
            prefixes: Array.from(
              { length: 4000 },
              (_, n) => `172.16.${Math.floor(n / 128)}.${(n % 128) * 2}/32`,
            ),
            groups: [],
          },
        },
        ...Array.from({ length: 997 }, (_, n) =>
          rule(101 + n, n % 2 === 0 ? 'Allow' : 'Deny', `${10_000 + n + turn}`, `10.0.${n % 250}.0/28`),
        ),
        rule(4000, 'Allow', '5000'),
        rule(4001, 'Deny', '5001'),
      ],
    },
  ],
});

const sender = `use Socket; socket(my $s, PF_INET, SOCK_DGRAM, 0); my ($n, $in) = (0, ''); vec($in, 0, 1) = 1;
$| = 1; until (select(my $r = $in, undef, undef, 0.001)) { send($s, "x", 0, pack_sockaddr_in($_, inet_aton('10.0.1.5'))) for 5000, 5001; print "going\\n" unless $n++ } print "sent $n\\n";`;
const receiver = `use Socket; use IO::Select; my (%n, @s); for (5000, 5001) { socket(my $s, PF_INET, SOCK_DGRAM, 0); bind($s, pack_sockaddr_in($_, INADDR_ANY)) or die; setsockopt($s, SOL_SOCKET, 33, pack 'i', 8 << 20); push @s, $s; $n{$s} = 0 }
$| = 1; print "going\\n"; my $all = IO::Select->new(@s, \\*STDIN); W: while () { for ($all->can_read) { if ($_ == \\*STDIN) { last W } else { recv($_, my $d, 9, 0); $n{$_}++ } } }
for my $s (@s) { while (defined recv($s, my $d, 9, MSG_DONTWAIT)) { $n{$s}++ } } print "got $n{$s[0]} $n{$s[1]}\\n";`;

if (!insideYard)
  test('a group of a thousand rules, with real packets', { timeout: 120_000 }, async (t) => {
    const said = await runInYard(import.meta.url);
    for (const [, line] of said.matchAll(/(\d+ packets .*)/g)) t.diagnostic(line!);
  });
else
  describe('a group of a thousand rules, with real packets', () => {
    it('is changed again and again, and no packet is lost or let through meanwhile', async (t) => {
      const yard = new Yard();
      try {
        await yard.tell(intent(0));
        const to = yard.start('to', ['perl', '-e', receiver]);
        const heard = createInterface({ input: to.stdout! });
        await once(heard, 'line');
        const from = yard.start('from', ['perl', '-e', sender]);
        const spoken = createInterface({ input: from.stdout! });
        await once(spoken, 'line');
        const changes = 3;
        for (let turn = 1; turn <= changes; turn++) await yard.tell(intent(turn));
        from.stdin!.end('\n');
        const [sent] = (await once(spoken, 'line')) as [string];
        to.stdin!.end('\n');
        const [got] = (await once(heard, 'line')) as [string];
        const count = Number(sent.split(' ')[1]);
        assert.equal(got, `got ${count} 0`);
        t.diagnostic(
          `${count} packets of each kind during ${changes} changes: all of the one arrived, none of the other`,
        );
      } finally {
        yard.close();
      }
    });
  });
