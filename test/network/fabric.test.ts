import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import type { FabricIntent, FabricMachine } from '../../src/exchange/intents/fabric.ts';
import {
  linkNamespace,
  machineDevice,
  providerDevice,
  routerNamespace,
  uplinkDevice,
} from '../../src/fabric/names.ts';
import { until } from '../../src/lib/clock.ts';
import type { RecordedFlow } from '../../src/network/recorder.ts';
import { buildProgram, TestFabric } from '../harness/fabric.ts';
import { openTap, type Tap } from '../harness/tap.ts';

const door = '10.0.1.10';
const network = (id: string) => ({
  id,
  label: id,
  prefixes: ['10.0.0.0/16'],
  subnets: [
    { name: 'pe', prefix: '10.0.1.0/24' },
    { name: 'cass', prefix: '10.0.2.0/24' },
    { name: 'apps', prefix: '10.0.3.0/24' },
  ],
  internet: true,
});
const machine = (
  id: string,
  place: Partial<FabricMachine> & Pick<FabricMachine, 'network' | 'subnet' | 'address'>,
): FabricMachine => ({
  id,
  kind: 'application',
  hostname: id,
  allow: null,
  seed: {},
  ...place,
});

/** Two customers with one address plan, a provider, and a private link from the first customer. */
const world = (open: boolean): FabricIntent => ({
  networks: [
    network('one'),
    network('two'),
    {
      id: 'provider',
      label: 'provider',
      prefixes: ['172.31.0.0/16'],
      subnets: [
        { name: 'operators', prefix: '172.31.1.0/24' },
        { name: 'link', prefix: '172.31.2.0/24' },
      ],
      internet: false,
    },
  ],
  machines: [
    machine('app-one', { network: 'one', subnet: 'apps', address: '10.0.3.254' }),
    machine('app-two', { network: 'two', subnet: 'apps', address: '10.0.3.254' }),
    machine('only-two', { network: 'two', subnet: 'apps', address: '10.0.3.77' }),
    machine('operator', { network: 'provider', subnet: 'operators', address: '172.31.1.4' }),
    machine('node', {
      kind: 'node',
      network: 'one',
      subnet: 'cass',
      address: '10.0.2.4',
      allow: [
        {
          direction: 'out',
          protocol: 'udp',
          remote: [`${door}/32`],
          port: 51820,
          reason: 'WireGuard to the door',
        },
        {
          direction: 'in',
          protocol: 'tcp',
          remote: ['10.0.0.0/16'],
          port: 9042,
          reason: 'CQL from the virtual network',
        },
      ],
    }),
  ],
  links: [
    {
      id: 'link',
      label: 'link',
      consumer: { network: 'one', address: door },
      provider: { network: 'provider', natAddress: '172.31.2.4', destination: '172.31.1.4' },
      port: 51820,
      open,
    },
  ],
  work: [],
});

const perl = (script: string): readonly string[] => [
  '/usr/bin/perl',
  '-MSocket',
  '-MIO::Socket::INET',
  '-MIO::Select',
  '-e',
  script,
];
const tcp = (address: string, port: number) =>
  perl(
    `my $s=IO::Socket::INET->new(PeerAddr=>'${address}',PeerPort=>${port},Timeout=>1) or die "no: $!\\n"; print scalar <$s>;`,
  );
/** One datagram from one and the same source port, so that it always belongs to one flow; prints what comes back. */
const udp = (address: string, port: number, source: number) =>
  perl(
    `my $s=IO::Socket::INET->new(Proto=>'udp',LocalPort=>${source},PeerAddr=>'${address}',PeerPort=>${port}) or die "$!\\n"; $s->send('hello'); ` +
      `IO::Select->new($s)->can_read(0.8) or die "nothing\\n"; $s->recv(my $d,99) // die "$!\\n"; print $d;`,
  );
const echo = (port: number) =>
  `setsid perl -MIO::Socket::INET -e 'my $s=IO::Socket::INET->new(Proto=>"udp",LocalPort=>${port}) or die; while(my $f=$s->recv(my $d,2000)){ $s->send($d,0,$f) }' >/dev/null 2>&1 </dev/null &`;

for (const uid of [undefined, 61_234]) {
  describe(
    `a fabric started by ${uid === undefined ? 'root' : 'an ordinary user'}`,
    { skip: process.getuid?.() !== 0 && uid !== undefined },
    () => {
      let program: string;
      let fabric: TestFabric;
      const taps = new Map<string, Tap>();

      before(async () => {
        program = await buildProgram();
        fabric = await TestFabric.start({ program, ...(uid !== undefined && { uid }) });
        const report = await fabric.tell(world(false));
        assert.deepEqual([...new Set(Object.values(report.machines).map(({ state }) => state))], ['running']);
        assert.deepEqual(report.links, { link: { state: 'closed', error: null } });
        for (const name of ['internet', ...['one', 'two', 'provider'].map(routerNamespace)])
          taps.set(name, await openTap((argv) => fabric.startIn(name, argv)));
        await answer('operator', 51820);
        await answer('operator', 5000);
      });
      after(async () => {
        await fabric?.close();
        rmSync(program, { recursive: true, force: true });
      });

      /** Starts an echo on a UDP port of a machine, and waits until it listens. */
      const answer = async (id: string, port: number): Promise<void> => {
        await fabric.inMachine(id, ['sh', '-c', echo(port)]);
        const hex = `:${port.toString(16).toUpperCase().padStart(4, '0')} `;
        await until(
          'the echo to listen',
          async () =>
            (await fabric.inMachine(id, ['cat', '/proc/net/udp'])).stdout.includes(hex) ? true : undefined,
          { timeoutMs: 10_000 },
        );
      };

      const seen = async (
        namespace: string,
        way: 'in' | 'out',
        device?: string,
      ): Promise<readonly RecordedFlow[]> =>
        (await taps.get(namespace)!.seen(way)).filter(
          (flow) => device === undefined || flow.device === device,
        );
      const onInternet = (id: string) => seen('internet', 'in', uplinkDevice(id));
      const outOf = (id: string, net: string) => seen(routerNamespace(net), 'in', machineDevice(id));
      const handedOut = (net: string) => seen(routerNamespace(net), 'out');
      const outOfLink = () => seen(routerNamespace('provider'), 'in', providerDevice('link'));

      it('lets an application machine reach a canary, and records it', async () => {
        const said = await fabric.inNetworkOf('app-one', tcp('192.0.2.10', 4301));
        assert.deepEqual([said.exitCode, said.stdout], [0, 'canary\n'], said.stderr);
        assert.equal((await fabric.inNetworkOf('app-one', udp('203.0.113.9', 4302, 40_001))).stdout, 'hello');
        const arrived = await onInternet('one');
        for (const [protocol, port] of [
          ['tcp', 4301],
          ['udp', 4302],
        ] as const) {
          assert.ok(
            arrived.some((flow) => flow.protocol === protocol && flow.port === port && flow.packets > 0),
            `${protocol} ${port} is recorded`,
          );
        }
      });

      it('gives a machine nothing of the host', async () => {
        const said = await fabric.inMachine('app-one', [
          'sh',
          '-c',
          'ls / /run /var/lib/sallyport; cat /etc/resolv.conf; ls /proc | grep -c "^[0-9]"; env',
        ]);
        assert.doesNotMatch(said.stdout, /home|resolv|docker|dbus/);
        for (const path of ['/usr', '/opt/machine.sh', '/etc']) {
          const again = await fabric.inMachine('app-one', ['mount', '-o', 'remount,bind,rw', path]);
          assert.notEqual(again.exitCode, 0, `${path} stays read-only for root of a machine`);
        }
        const kernel = await fabric.inMachine('app-one', ['test', '-w', '/proc/sys/kernel/core_pattern']);
        assert.notEqual(kernel.exitCode, 0, "root of a machine can't write the host's kernel settings");
      });

      it("holds a node's platform policy against root of the node, its own rules gone", async () => {
        await until(
          'the agent to raise the interface',
          async () =>
            (await fabric.inMachine('node', ['ip', '-br', 'addr', 'show', 'eth0'])).stdout.includes(
              '10.0.2.4',
            )
              ? true
              : undefined,
          { timeoutMs: 15_000 },
        );
        const script = [
          'nft flush ruleset',
          'ip route replace default via 10.0.2.1 dev eth0',
          `perl -MIO::Socket::INET -e 'for my $t (["192.0.2.10",4401],["${door}",4402],["10.0.3.254",4403],["169.254.169.254",4404]) { my $s=IO::Socket::INET->new(Proto=>"udp",PeerAddr=>$t->[0],PeerPort=>$t->[1]); $s->send("x") }'`,
          `perl -MIO::Socket::INET -e 'my $s=IO::Socket::INET->new(Proto=>"udp",PeerAddr=>"${door}",PeerPort=>51820); $s->send("x")'`,
          'ip addr add 10.0.2.99/24 dev eth0',
          `perl -MIO::Socket::INET -e 'my $s=IO::Socket::INET->new(Proto=>"udp",LocalAddr=>"10.0.2.99",PeerAddr=>"${door}",PeerPort=>51820); $s->send("x")'`,
          // A frame of no protocol, and one that is IPv6.
          `perl -e 'use Socket; socket(my $s,17,3,0x0300) or die $!; my $i=2; for my $e (0x88b5,0x86dd) { send($s,"\\xff"x6 ."\\2\\0\\0\\0\\0\\1".pack("n",$e)."\\x60".("\\0"x50),0,pack("SnLSCCa8",17,$e,$i,0,0,6,"\\xff"x6)) }'`,
        ];
        const said = await fabric.inMachine('node', ['sh', '-c', script.join(' && ')]);
        assert.equal(said.exitCode, 0, said.stderr);
        const out = await outOf('node', 'one');
        for (const port of [4401, 4402, 4403, 4404])
          assert.ok(
            out.some((flow) => flow.port === port),
            `port ${port} came out of the machine`,
          );
        assert.ok(
          out.some(({ protocol }) => protocol === 'ethertype 0x88b5'),
          'the odd frame came out of the machine',
        );
        const delivered = await handedOut('one');
        const beyond = [...delivered, ...(await onInternet('one'))];
        assert.deepEqual(
          beyond.filter(({ port }) => port !== null && port >= 4401 && port <= 4404),
          [],
        );
        assert.deepEqual(
          beyond.filter(({ source }) => source === '10.0.2.99'),
          [],
          'a foreign source address goes nowhere',
        );
        assert.ok(
          delivered.some(
            (flow) => flow.source === '10.0.2.4' && flow.destination === door && flow.port === 51820,
          ),
          'what is written down passes',
        );
      });

      it('lets nothing but the written ports into a node', async () => {
        await fabric.inNetworkOf('app-one', udp('10.0.2.4', 4501, 40_002));
        await fabric.inNetworkOf('app-one', tcp('10.0.2.4', 4502));
        await fabric.inNetworkOf('app-one', tcp('10.0.2.4', 9042));
        const delivered = (await handedOut('one')).filter(({ device }) => device === machineDevice('node'));
        assert.deepEqual([...new Set(delivered.map(({ port }) => port))], [9042]);
      });

      it('keeps two networks with one address plan apart', async () => {
        await answer('only-two', 4601);
        assert.equal(
          (await fabric.inNetworkOf('app-two', udp('10.0.3.77', 4601, 40_003))).stdout,
          'hello',
          'within its own network it answers',
        );
        assert.notEqual((await fabric.inNetworkOf('app-one', udp('10.0.3.77', 4601, 40_004))).exitCode, 0);
        const delivered = (await handedOut('two')).filter(({ port }) => port === 4601);
        assert.deepEqual([...new Set(delivered.map(({ source }) => source))], ['10.0.3.254']);
        assert.equal(
          delivered.reduce((sum, { packets }) => sum + packets, 0),
          1,
          'and only the one packet of its own network was seen',
        );
      });

      it('opens, cuts and restores one flow of a private link, in both directions', async () => {
        const flow = () => fabric.inNetworkOf('app-one', udp(door, 51820, 40_010));
        const through = async () => (await outOfLink()).reduce((sum, { packets }) => sum + packets, 0);
        assert.notEqual((await flow()).exitCode, 0, 'closed: nothing passes');
        assert.equal(await through(), 0);
        const began = Date.now();
        await fabric.tell(world(true));
        const opened = Date.now() - began;
        assert.equal((await flow()).stdout, 'hello', 'open: it passes');
        const first = (await outOfLink())[0];
        assert.deepEqual(
          [first?.source, first?.destination, first?.port],
          ['172.31.2.4', '172.31.1.4', 51820],
          'the provider sees the NAT address only',
        );
        const closing = Date.now();
        await fabric.tell(world(false));
        const closed = Date.now() - closing;
        const count = await through();
        assert.notEqual((await flow()).exitCode, 0, 'closed again: the established flow is cut');
        assert.equal(await through(), count);
        await fabric.tell(world(true));
        assert.equal((await flow()).stdout, 'hello', 'open again: the same flow goes on');
        assert.ok(opened < 1_000 && closed < 1_000, `opened in ${opened} ms, closed in ${closed} ms`);
        for (const refused of [udp(door, 5000, 40_011), tcp(door, 51820)]) {
          assert.notEqual(
            (await fabric.inNetworkOf('app-one', refused)).exitCode,
            0,
            'no other port and no TCP',
          );
        }
        // The provider begins nothing, not even from the port that the flow belongs to.
        const back = await fabric.inMachine(
          'operator',
          perl(
            `my $s=IO::Socket::INET->new(Proto=>'udp',LocalPort=>5001,PeerAddr=>'172.31.2.4',PeerPort=>40010); $s->send('x')`,
          ),
        );
        assert.equal(back.exitCode, 0, back.stderr);
        const delivered = (await handedOut('one')).filter(
          ({ device, source }) => device === machineDevice('app-one') && source === door,
        );
        assert.ok(delivered.every(({ port }) => port === 40_010));
      });

      it('does without its process, and adopts what runs when that comes back', async () => {
        const pids = await Promise.all(['app-one', 'node', 'operator'].map((id) => fabric.pidOf(id)));
        const { report: before_ } = fabric;
        process.kill(await fabric.processOfRole(), 'SIGKILL');
        assert.equal(
          (await fabric.inNetworkOf('app-one', tcp('192.0.2.10', 4701))).stdout,
          'canary\n',
          'networks work without it',
        );
        fabric.report = undefined;
        const report = await until('the fabric to report again', () => fabric.report, { timeoutMs: 10_000 });
        assert.ok(report);
        const settled = await until(
          'a pass',
          () => (fabric.report?.machines['node'] ? fabric.report : undefined),
          { timeoutMs: 10_000 },
        );
        assert.deepEqual(
          await Promise.all(['app-one', 'node', 'operator'].map((id) => fabric.pidOf(id))),
          pids,
        );
        assert.deepEqual(Object.keys(settled.machines).sort(), Object.keys(before_?.machines ?? {}).sort());
      });

      it('goes on with the last intent while its superior is away, and starts a dead machine again on its disk', async () => {
        await fabric.inMachine('app-two', ['sh', '-c', 'echo kept > /var/lib/sallyport/kept']);
        const old = await fabric.pidOf('app-two');
        await fabric.deafen();
        const dead = await fabric.inFabric(['kill', '-9', String(old)]);
        assert.equal(dead.exitCode, 0, dead.stderr);
        process.kill(await fabric.processOfRole(), 'SIGKILL');
        await until(
          'the machine to run again',
          async () => ((await fabric.pidOf('app-two').catch(() => old)) === old ? undefined : true),
          { timeoutMs: 15_000 },
        );
        await until(
          'its interface',
          async () =>
            (await fabric.inNetworkOf('app-two', tcp('192.0.2.10', 4801))).exitCode === 0 ? true : undefined,
          { timeoutMs: 10_000 },
        );
        assert.equal(
          (await fabric.inMachine('app-two', ['cat', '/var/lib/sallyport/kept'])).stdout,
          'kept\n',
        );
        await fabric.listen();
        await until('contact', () => fabric.report?.machines['app-two']?.state === 'running' || undefined, {
          timeoutMs: 10_000,
        });
      });

      it('removes everything of a link and of a machine that are no longer intended', async () => {
        const { machines, ...rest } = world(true);
        await fabric.tell({ ...rest, links: [], machines: machines.filter(({ id }) => id !== 'only-two') });
        const { stdout } = await fabric.inFabric([
          'sh',
          '-c',
          `ls /run/netns; ip -n ${routerNamespace('one')} route; ip -n ${routerNamespace('provider')} -br link; ip -n ${routerNamespace('two')} -br link; ls ${fabric.home}/fabric/machines; nsenter --net=/run/netns/${routerNamespace('one')} nft -t list ruleset`,
        ]);
        assert.doesNotMatch(
          stdout,
          new RegExp(
            [
              linkNamespace('link'),
              providerDevice('link'),
              '169\\.254\\.1\\.1',
              machineDevice('only-two'),
              'only-two',
            ].join('|'),
          ),
        );
      });

      it('says what of an intent cannot be made, and makes the rest', async () => {
        const { machines, ...rest } = world(false);
        const report = await fabric.tell({
          ...rest,
          machines: [
            ...machines,
            machine('lost', { network: 'nowhere', subnet: 'apps', address: '10.0.3.8' }),
          ],
        });
        assert.equal(report.machines['lost']?.state, 'failed');
        assert.match(report.machines['lost']?.error?.message ?? '', /'nowhere' is not in the intent/);
        assert.equal(report.machines['only-two']?.state, 'running');
      });

      it('comes up again after an orderly end, from its last intent and with the disks', async () => {
        await fabric.stop();
        await fabric.launch();
        await until(
          'the machines',
          () => (fabric.report?.machines['app-two']?.state === 'running' ? true : undefined),
          { timeoutMs: 15_000 },
        );
        assert.equal(
          (await fabric.inMachine('app-two', ['cat', '/var/lib/sallyport/kept'])).stdout,
          'kept\n',
        );
      });
    },
  );
}
