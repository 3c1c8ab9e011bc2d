/**
 * A tap on every cable of a network namespace, by a packet socket: it sees what comes in before any filter, and what goes
 * out after all of them, and needs none of the fabric's own recorders.
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { until } from '../../src/lib/clock.ts';
import type { RecordedFlow } from '../../src/network/recorder.ts';

export interface Tap {
  /** All that was seen since it began; `in`: out of what hangs on a device, `out`: towards it. */
  seen(way: 'in' | 'out'): Promise<readonly RecordedFlow[]>;
}

/** `start`: runs a program in the namespace, until its standard input ends. */
export async function openTap(start: (argv: readonly string[]) => ChildProcess): Promise<Tap> {
  const child = start(['perl', '-e', script]);
  let text = '';
  child.stdout!.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await once(child.stdout!, 'data');
  let asked = 0;
  return {
    async seen(way) {
      // What was sent before is in the socket by now: all of it is told before the answer.
      const word = `asked ${++asked}\n`;
      child.stdin!.write(word);
      await until('the tap', () => text.includes(word) || undefined, { timeoutMs: 10_000, everyMs: 5 });
      const counts = new Map<string, number>();
      for (const line of text.split('\n'))
        if (line.startsWith(`${way} `)) counts.set(line, (counts.get(line) ?? 0) + 1);
      return [...counts].map(([line, packets]) => {
        const [, device, source, destination, protocol, port] = line.split(' ') as [string, ...string[]];
        return {
          device: device!,
          source: source!,
          destination: destination!,
          protocol: protocol!.replace('=', ' '),
          port: port === '-' ? null : Number(port),
          packets,
        };
      });
    },
  };
}

const script = `use Socket; use IO::Select; $| = 1;
socket(my $s, 17, SOCK_RAW, unpack("n", pack("S", 3))) or die $!; setsockopt($s, SOL_SOCKET, SO_RCVBUF, 4 << 20);
my %name; sub name { my $i = shift; return $name{$i} if $name{$i}; my $r = pack("x16ix20", $i);
  return $i unless ioctl($s, 0x8910, $r); return $name{$i} = unpack("Z16", $r) }
my %proto = (1 => "icmp", 6 => "tcp", 17 => "udp");
sub drain { while (defined(my $from = recv($s, my $d, 2000, 0x40))) {
  my (undef, $ether, $i, undef, $kind) = unpack("SniSC", $from); my $way = $kind == 4 ? "out" : "in";
  if ($ether == 0x0806) { next }
  if ($ether != 0x0800) { printf "%s %s - - ethertype=0x%04x -\\n", $way, name($i), $ether; next }
  my $ip = substr($d, 14); my ($v, $frag, $p, $a, $b) = unpack("Cx5nxCx2a4a4", $ip); my $h = 4 * ($v & 15);
  my $port = ($p == 6 || $p == 17) && !($frag & 0x1fff) ? unpack("n", substr($ip, $h + 2, 2)) : "-";
  print join(" ", $way, name($i), inet_ntoa($a), inet_ntoa($b), $proto{$p} // $p, $port), "\\n" } }
print "ready\\n"; my $ready = IO::Select->new($s, \\*STDIN);
while () { for my $one ($ready->can_read) { drain(); next if $one == $s;
  exit unless sysread(STDIN, my $word, 100); drain(); print $word } }`;
