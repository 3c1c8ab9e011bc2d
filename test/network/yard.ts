/**
 * A yard: namespaces of a test's own in which `planWorld`'s plans are applied as they are, with plain network namespaces
 * for machines. The test file runs a second time inside it; the end of that process ends all of it.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { FabricIntent, FabricMachine } from '../../src/exchange/intents/fabric.ts';
import { numberNetworks, planWorld } from '../../src/fabric/plan.ts';
import { until } from '../../src/lib/clock.ts';
import { exec, execStatus } from '../../src/lib/exec.ts';
import { internetNamespace } from '../../src/network/internet.ts';
import { planNamespace } from '../../src/network/namespace.ts';
import { applyNamespaces } from '../../src/network/namespace-apply.ts';
import { namespacePath, readNamespace, readNamespaceNames } from '../../src/network/namespace-read.ts';
import { replaceTables, type TableMark } from '../../src/network/nft.ts';
import type { NftTable } from '../../src/network/nft-table.ts';
import { gatewayOf } from '../../src/network/router.ts';

export const insideYard = process.env['SALLYPORT_TEST_YARD'] === 'inside';

/** Runs this same test file inside a yard, and hands back what it says there; that is in the error when a test of it fails. */
export async function runInYard(url: string): Promise<string> {
  const script =
    'mount --make-rprivate / && mount -t tmpfs none /run && mkdir /run/netns && mount -t proc proc /proc && exec "$@"';
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const said = await execStatus(
    'unshare',
    [
      ...['--user', '--map-root-user', '--net', '--mount', '--pid', '--fork', '--kill-child=SIGKILL'],
      ...['sh', '-c', script, 'sh', process.execPath, fileURLToPath(url)],
    ],
    { env: { ...env, SALLYPORT_TEST_YARD: 'inside' }, timeoutMs: 240_000 },
  );
  if (said.exitCode !== 0) throw new Error(`${said.stdout}\n${said.stderr}`);
  return said.stdout;
}

/** A packet to be sent: `port` tells it from all others of a round; of icmp it is the echo's identifier. */
export interface Probe {
  readonly from: string;
  readonly to: string;
  readonly protocol: 'tcp' | 'udp' | 'icmp';
  readonly sourcePort: number;
  readonly port: number;
}

type Run = (argv: readonly string[], input?: string) => Promise<{ readonly stdout: string }>;

export class Yard {
  readonly #hosts = new Map<string, { readonly child: ChildProcess; readonly machine: FabricMachine }>();
  readonly #marks = new Map<string, Map<string, TableMark>>();
  readonly #watched = new Map<string, Run>([
    [
      internetNamespace,
      (argv, input) => exec('ip', ['netns', 'exec', internetNamespace, ...argv], { input: input ?? '' }),
    ],
  ]);
  readonly #configured = new Set<string>();
  #intent: FabricIntent | undefined;

  /** Starts the machines that aren't there yet, and applies the plan until nothing is left to change. */
  async tell(intent: FabricIntent): Promise<void> {
    this.#intent = intent;
    for (const machine of intent.machines) {
      if (this.#hosts.has(machine.id)) continue;
      const child = spawn('unshare', ['--net', 'sh', '-c', 'echo ready && exec cat'], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      await once(child.stdout, 'data');
      this.#hosts.set(machine.id, { child, machine });
    }
    await until('the plan to be applied', async () => ((await this.#pass()) === 0 ? true : undefined), {
      timeoutMs: 20_000,
      everyMs: 1,
    });
    for (const { id } of intent.machines) await this.#configure(id);
  }

  /** Process ids of what stands for machines. */
  running(): ReadonlyMap<string, number> {
    return new Map([...this.#hosts].map(([id, { child }]) => [id, child.pid!]));
  }

  async #pass(): Promise<number> {
    const intent = this.#intent!;
    const running = this.running();
    const { namespaces, refused } = planWorld(intent, running, numberNetworks(intent.networks, {}), false);
    if (refused.size > 0) throw new Error(JSON.stringify([...refused]));
    const names = await readNamespaceNames();
    const pairs = await Promise.all(
      namespaces.map(async (planned) => {
        const internet = planned.name === internetNamespace;
        const shall = internet ? { ...planned, tables: [...planned.tables, watch] } : planned;
        const is = names.includes(shall.name) ? await readNamespace(shall.name) : undefined;
        return { shall, plan: planNamespace(shall, is, this.#marks.get(shall.name) ?? new Map()) };
      }),
    );
    const changing = pairs.filter(({ plan }) => plan.changes > 0);
    await applyNamespaces(changing, {
      marks: this.#marks,
      failed: (name, step, error) => {
        throw new Error(`${name}: ${step}: ${String(error)}`);
      },
    });
    return changing.length;
  }

  async #configure(id: string): Promise<void> {
    const { machine } = this.#hosts.get(id)!;
    if (this.#configured.has(id)) return;
    this.#configured.add(id);
    const subnet = this.#intent!.networks.find((network) => network.id === machine.network)!.subnets.find(
      ({ name }) => name === machine.subnet,
    )!;
    const lines = [
      'link set lo up',
      `addr add ${machine.address}/${subnet.prefix.split('/')[1]} dev eth0`,
      'link set eth0 up',
      `route add default via ${gatewayOf(subnet.prefix)} dev eth0`,
    ];
    await this.inside(id, ['ip', '-batch', '-'], `${lines.join('\n')}\n`);
  }

  /** Runs a program in a machine's network. */
  inside(id: string, argv: readonly string[], input?: string) {
    const { child } = this.#hosts.get(id)!;
    return exec('nsenter', [`--net=/proc/${child.pid}/ns/net`, ...argv], {
      ...(input !== undefined && { input }),
    });
  }

  /** Starts a program in a machine's network, or in the internet. */
  start(id: string, argv: readonly string[]): ChildProcess {
    const path =
      id === internetNamespace ? namespacePath(id) : `/proc/${this.#hosts.get(id)!.child.pid}/ns/net`;
    return spawn('nsenter', [`--net=${path}`, ...argv], { stdio: ['pipe', 'pipe', 'inherit'] });
  }

  /** From now on a machine counts what begins a flow towards it, by protocol and port, and answers nothing; the internet does so too. */
  async watch(id: string): Promise<void> {
    await this.inside(id, ['nft', '-f', '-'], replaceTables([watch]));
    this.#watched.set(id, (argv, input) => this.inside(id, argv, input));
  }

  /** What arrived anywhere since it was forgotten; at one place, where that is named. */
  async arrivals(place?: string): Promise<ReadonlySet<string>> {
    const places = [...this.#watched].filter(([id]) => place === undefined || id === place);
    const lists = await Promise.all(
      places.map(async ([, run]) =>
        parseArrivals((await run(['nft', 'list', 'table', 'inet', 'watch'])).stdout),
      ),
    );
    return new Set(lists.flat());
  }

  async forgetAll(): Promise<void> {
    const sets = ['tcp', 'udp', 'icmp'].map((name) => `flush set inet watch seen_${name}\n`).join('');
    await Promise.all([...this.#watched.values()].map((run) => run(['nft', '-f', '-'], sets)));
  }

  /** Sends each probe once, from the machine that has its `from` address in `network`. */
  async send(network: string, probes: readonly Probe[]): Promise<void> {
    await Promise.all(
      [...this.#hosts].map(async ([id, { machine }]) => {
        const own = probes.filter(({ from }) => machine.network === network && from === machine.address);
        if (own.length === 0) return;
        const lines = own.map((p) => `${p.protocol} ${p.from} ${p.to} ${p.sourcePort} ${p.port}`);
        await this.inside(id, ['perl', '-e', sender], `${lines.join('\n')}\n`);
      }),
    );
  }

  close(): void {
    for (const { child } of this.#hosts.values()) child.stdin?.end();
  }
}

/** In the internet it is part of the plan: a table that isn't would be taken away. */
const watch: NftTable = {
  family: 'inet',
  name: 'watch',
  body: [
    ...['tcp', 'udp'].map((name) => `  set seen_${name} { type inet_service; flags dynamic; size 65535; }`),
    '  set seen_icmp { typeof icmp id; flags dynamic; size 65535; }',
    '  chain seen { type filter hook prerouting priority raw; policy accept;',
    '    tcp flags & (syn | ack) == syn update @seen_tcp { tcp dport } drop',
    '    meta l4proto udp update @seen_udp { udp dport } drop',
    '    icmp type echo-request update @seen_icmp { icmp id } drop',
    '    meta l4proto { tcp, icmp } drop',
    '  }',
  ].join('\n'),
};

function parseArrivals(listing: string): readonly string[] {
  const found = [...listing.matchAll(/set seen_(tcp|udp|icmp) \{([^}]*?)(?:elements = \{([^}]*)\})?\s*\}/g)];
  return found.flatMap(([, protocol, , elements]) =>
    [...(elements ?? '').matchAll(/\d+/g)].map(([port]) => `${protocol} ${port}`),
  );
}

/** Raw packets, one a line: nothing is waited for. Checksums are the kernel's for TCP and UDP, ours for ICMP. */
const sender = `use Socket; use IO::Socket::INET; use Fcntl; my @keep;
sub sum { my $s = 0; $s += $_ for unpack("n*", $_[0]); $s = ($s & 0xffff) + ($s >> 16) for 1, 2; ~$s & 0xffff }
while (<STDIN>) { my ($proto, $from, $to, $sport, $port) = split;
  if ($proto eq "icmp") { socket(my $s, PF_INET, SOCK_RAW, 1) or die $!; my $b = pack("CCnnn", 8, 0, 0, $port, 1);
    substr($b, 2, 2) = pack("n", sum($b)); send($s, $b, 0, pack_sockaddr_in(0, inet_aton($to))); next }
  socket(my $s, PF_INET, $proto eq "tcp" ? SOCK_STREAM : SOCK_DGRAM, 0) or die $!; setsockopt($s, SOL_SOCKET, SO_REUSEADDR, 1);
  bind($s, pack_sockaddr_in($sport, inet_aton($from))) or die "$from $sport $!";
  fcntl($s, F_SETFL, O_NONBLOCK); connect($s, pack_sockaddr_in($port, inet_aton($to))); send($s, "x", 0) if $proto eq "udp"; push @keep, $s }`;
