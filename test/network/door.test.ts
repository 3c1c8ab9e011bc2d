/** A node's door with the kernel's own judgement: real connections between a machine behind it and one without any. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { systemClock, until } from '../../src/lib/clock.ts';
import { exec, execStatus } from '../../src/lib/exec.ts';
import { renderDoor, type DoorPolicy, type DoorState } from '../../src/network/door.ts';
import { namespacePath } from '../../src/network/namespace-read.ts';
import { insideYard, runInYard } from './yard.ts';

const [node, peer] = ['10.0.2.4', '10.0.2.5'];
const policy = (state: DoorState): DoorPolicy => ({
  state,
  nic: { device: 'eth0', address: node, prefixLength: 24 },
  endpoint: null,
  tunnel: null,
  peers: [peer],
  clients: [],
  deniedUid: null,
});

/** Argument: a port. Answers each line with what it says. */
const listener = `use IO::Socket::INET; use IO::Select; $| = 1;
  my $s = IO::Socket::INET->new(LocalPort => $ARGV[0], Listen => 5, ReuseAddr => 1) or die $!;
  my $all = IO::Select->new($s, \\*STDIN); print "ready\\n";
  while (my @r = $all->can_read) { for my $h (@r) {
    exit if $h == \\*STDIN;
    if ($h == $s) { $all->add(scalar $h->accept); next }
    my $line = <$h>; if (defined $line) { syswrite $h, $line } else { $all->remove($h); close $h }
  } }`;
/** Arguments: address, port, and the port to come from (0: any). Sends each line of its input on, and says what comes back. */
const dialler = `use IO::Socket::INET; use IO::Select; $| = 1;
  my ($to, $port, $from) = @ARGV;
  my $s = IO::Socket::INET->new(PeerAddr => $to, PeerPort => $port, Timeout => 1, ReuseAddr => 1, ($from ? (LocalPort => $from) : ()));
  print $s ? "connected\\n" : "refused\\n"; exit unless $s;
  while (my $line = <STDIN>) { syswrite $s, $line; print IO::Select->new($s)->can_read(0.4) ? scalar <$s> : "silence\\n" }`;

if (!insideYard) {
  test("a node's door, with real connections", { timeout: 60_000 }, async () => {
    const said = await runInYard(import.meta.url);
    assert.match(said, /pass 3\b/);
  });
} else {
  const running: ChildProcess[] = [];
  const start = (namespace: string, program: string, ...args: readonly string[]) => {
    const child = spawn('nsenter', [`--net=${namespacePath(namespace)}`, 'perl', '-e', program, ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    running.push(child);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    return {
      says: async () => String((await lines.next()).value),
      send: (text: string) => child.stdin.write(`${text}\n`),
      async end() {
        child.stdin.end();
        if (child.exitCode === null) await once(child, 'close');
      },
    };
  };
  const dials = async (namespace: string, to: string, port: number, from = 0): Promise<string> => {
    const dialled = start(namespace, dialler, to, String(port), String(from));
    const said = await dialled.says();
    await dialled.end();
    return said;
  };
  const enforce = (state: DoorState): Promise<unknown> =>
    exec('ip', ['netns', 'exec', 'node', 'nft', '-f', '-'], {
      input: renderDoor(policy(state), { nic: true, tunnel: false }),
    });

  const rings: { end(): Promise<void> }[] = [];
  const listens = async (namespace: string, port: number) => {
    const started = start(namespace, listener, String(port));
    assert.equal(await started.says(), 'ready');
    return started;
  };

  before(async () => {
    for (const name of ['node', 'peer']) await exec('ip', ['netns', 'add', name]);
    await exec('ip', [
      ...['link', 'add', 'eth0', 'netns', 'node', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', 'peer'],
    ]);
    for (const [name, address] of [
      ['node', node],
      ['peer', peer],
    ] as const) {
      await exec('ip', ['-n', name, 'address', 'add', `${address}/24`, 'dev', 'eth0']);
      await exec('ip', ['-n', name, 'link', 'set', 'eth0', 'up']);
    }
    await enforce('joined');
    for (const name of ['node', 'peer']) {
      rings.push(await listens(name, 7001));
      await listens(name, 8000);
    }
    await until('the cable', async () => (await dials('peer', node, 7001)) === 'connected' || undefined, {
      ...{ timeoutMs: 5000, everyMs: 50, clock: systemClock },
    });
  });
  after(() => {
    for (const child of running) child.kill('SIGKILL');
  });

  test('the ring passes both ways, and nothing else does', async () => {
    assert.equal(await dials('node', peer, 7001), 'connected');
    assert.equal(await dials('node', peer, 8000), 'refused');
    assert.equal(await dials('peer', node, 8000), 'refused');
  });

  test('from the port of a flow no other one is begun, whoever begins it', async () => {
    for (const ring of rings) await ring.end();
    for (const [from, to] of [
      ['node', peer],
      ['peer', node],
    ] as const) {
      await exec('ip', ['netns', 'exec', 'node', 'nft', 'flush', 'ruleset']);
      assert.equal(await dials(from, to, 8000, 7001), 'connected', 'without the door it is');
      await enforce('joined');
      assert.equal(await dials(from, to, 8000, 7001), 'refused');
    }
    await listens('peer', 7001);
  });

  test('a flow that stands is cut with its rule, goes on when it is back, and no connection is remembered', async () => {
    const flow = start('node', dialler, peer, '7001', '0');
    assert.equal(await flow.says(), 'connected');
    flow.send('one');
    assert.equal(await flow.says(), 'one');
    await enforce('blocked');
    flow.send('two');
    assert.equal(await flow.says(), 'silence');
    await enforce('joined');
    // The kernel sends again what was not acknowledged.
    flow.send('three');
    assert.equal(await flow.says(), 'two');
    await flow.end();
    const known = await execStatus('ip', ['netns', 'exec', 'node', 'cat', '/proc/net/nf_conntrack']);
    assert.equal(known.stdout, '', 'the door keeps no connections');
  });
}
