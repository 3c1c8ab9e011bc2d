import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { execStatus } from '../../lib/exec.ts';
import { familyFilter, filtered } from './families.ts';

/** Tries sockets by number of family and type, and a call in the numbering of x32; says what each came to. */
const probe = `
use Errno; use Socket;
for ([1,1],[2,1],[10,2],[16,3],[17,3],[40,1],[40,2],[38,5],[44,3],[21,5]) {
  my ($family, $type) = @$_;
  print "$family ", (socket(my $s, $family, $type, 0) ? 'open' : $!{EAFNOSUPPORT} ? 'no family' : "$!"), "\\n";
}
print 'pair ', (socketpair(my $a, my $b, 1, 1, 0) ? 'open' : "$!"), "\\n";
my $params = "\\0" x 120;
print 'ring ', (syscall(425, 1, $params) >= 0 ? 'open' : $!{ENOSYS} ? 'no call' : "$!"), "\\n";
`;

const opened: readonly string[] = [
  ...['1 open', '2 open', '10 open', '16 open', '17 open'],
  ...['40 no family', '40 no family', '38 no family', '44 no family', '21 no family'],
  ...['pair open', 'ring no call'],
];

test('a machine has the sockets that it works with, and no other, whoever is root in it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-families-'));
  try {
    await writeFile(join(folder, 'filter'), familyFilter());
    const filter = await open(join(folder, 'filter'));
    const args = [
      '--unshare-user',
      '--unshare-net',
      '--uid',
      '0',
      '--cap-add',
      'ALL',
      '--ro-bind',
      '/',
      '/',
      '--dev',
      '/dev',
    ];
    const child = spawn('bwrap', [...args, '--seccomp', '4', '--', 'perl', '-e', probe], {
      stdio: ['ignore', 'pipe', 'inherit', 'ignore', filter.fd],
    });
    let said = '';
    child.stdout!.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await once(child, 'close');
    await filter.close();
    assert.deepEqual(said.trim().split('\n'), opened);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('what enters a machine from outside has no other sockets than the machine', async () => {
  const enter = ['unshare', '--user', '--map-root-user', '--net', '--', 'perl', '-e', probe];
  const [command, ...args] = filtered(enter) as [string, ...string[]];
  assert.deepEqual(await execStatus(command, args), {
    exitCode: 0,
    stdout: `${opened.join('\n')}\n`,
    stderr: '',
  });
});

test('what runs under the filter is the program itself: its words, its input, its end', async () => {
  const [command, ...args] = filtered(['sh', '-c', 'cat; echo "$1" >&2; exit 7', 'sh', "a 'b' --"]) as [
    string,
    ...string[],
  ];
  const env = { ...process.env, LC_ALL: 'xx_XX.nowhere' };
  const said = await execStatus(command, args, { input: 'in', env });
  assert.deepEqual(said, { exitCode: 7, stdout: 'in', stderr: "a 'b' --\n" });
});

test('where system calls have numbers of their own, the filter says them, or there is none', () => {
  assert.notDeepEqual(familyFilter('x64'), familyFilter('arm64'));
  assert.throws(() => familyFilter('riscv64'), /No filter of system calls is known for 'riscv64'/);
});
