/**
 * Which kinds of sockets a machine has. A network namespace holds what belongs to a network namespace; AF_VSOCK leads past
 * it, from any process to the hypervisor and to the host, and nothing that watches packets sees it. So a machine has the
 * families that it works with, and no other, whoever is root in it: a filter of system calls that is never taken off.
 */

/** AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET. */
const families = [1, 2, 10, 16, 17] as const;

interface Machine {
  /** AUDIT_ARCH_…: system calls are numbered by it. */
  readonly audit: number;
  readonly socket: number;
  readonly socketpair: number;
  readonly prctl: number;
}
const architectures: Readonly<Record<string, Machine | undefined>> = {
  x64: { audit: 0xc000003e, socket: 41, socketpair: 53, prctl: 157 },
  arm64: { audit: 0xc00000b7, socket: 198, socketpair: 199, prctl: 167 },
};
/** io_uring makes sockets without a system call of their own; the same numbers everywhere. */
const ring = [425, 426, 427] as const;

const load = (offset: number) => [0x20, 0, 0, offset] as const;
const jumpIf = (value: number, yes: number, no: number) => [0x15, yes, no, value] as const;
const jumpIfAtLeast = (value: number, yes: number, no: number) => [0x35, yes, no, value] as const;
const answer = (verdict: number) => [0x06, 0, 0, verdict] as const;
const allow = 0x7fff0000;
const kill = 0x80000000;
const fail = (errno: number): number => 0x00050000 | errno;
const noSuchCall = 38;
const noSuchFamily = 97;

function machineOf(architecture: string): Machine {
  const machine = architectures[architecture];
  if (!machine) throw new Error(`No filter of system calls is known for '${architecture}'.`);
  return machine;
}

/**
 * Puts itself under the filter, then becomes the program. Without the right to new privileges first (PR_SET_NO_NEW_PRIVS),
 * as bubblewrap does it: only so may who is nobody take a filter on, and no setuid program comes out of it with more.
 */
const underFilter = `delete $ENV{PERL_BADLANG};
my ($prctl, $hex) = splice @ARGV, 0, 2;
my $program = pack 'H*', $hex;
syscall($prctl + 0, 38, 1, 0, 0, 0) == 0 or die "no_new_privs: $!\n";
syscall($prctl + 0, 22, 2, pack('S x![P] P', length($program) / 8, $program), 0, 0) == 0 or die "seccomp: $!\n";
exec { $ARGV[0] } @ARGV or die "$ARGV[0]: $!\n";`;

/**
 * The command that runs `argv` under the filter of {@link familyFilter}: what enters a machine from outside is no child of
 * bubblewrap's, and has no filter but the one that it brings along. It needs perl-base and nothing else.
 */
export const filtered = (argv: readonly string[], architecture: string = process.arch): readonly string[] => [
  // Perl would complain of a locale that this host lacks, into the output of the program.
  ...['env', 'PERL_BADLANG=0', 'perl', '-e', underFilter, '--'],
  String(machineOf(architecture).prctl),
  familyFilter(architecture).toString('hex'),
  ...argv,
];

/** The filter as bubblewrap takes it: instructions of the classic packet filter, 8 bytes each, in the host's order. */
export function familyFilter(architecture: string = process.arch): Buffer {
  const machine = machineOf(architecture);
  const program = [
    load(4),
    // Another numbering of calls (32 bits on a host of 64) has no socket() that could be judged here.
    jumpIf(machine.audit, 1, 0),
    answer(kill),
    load(0),
    jumpIfAtLeast(0x40000000, 0, 1),
    answer(kill),
    ...ring.flatMap((call) => [jumpIf(call, 0, 1), answer(fail(noSuchCall))]),
    jumpIf(machine.socket, 2, 0),
    jumpIf(machine.socketpair, 1, 0),
    answer(allow),
    // The low half of the first argument: the kernel reads an int.
    load(16),
    ...families.flatMap((family) => [jumpIf(family, 0, 1), answer(allow)]),
    answer(fail(noSuchFamily)),
  ];
  const bytes = Buffer.alloc(program.length * 8);
  for (const [at, [code, yes, no, value]] of program.entries()) {
    bytes.writeUInt16LE(code, at * 8);
    bytes.writeUInt8(yes, at * 8 + 2);
    bytes.writeUInt8(no, at * 8 + 3);
    bytes.writeUInt32LE(value, at * 8 + 4);
  }
  return bytes;
}
