import { execStatus } from '../../lib/exec.ts';
import type { MachineRecord } from '../state.ts';
import { asUser } from './command.ts';
import { filtered } from './families.ts';

/**
 * With `-p`, nsenter is the program's parent, and only nsenter can be killed from outside: the program dies with it. Set as the
 * last thing before the program, since a change of credentials clears it.
 */
const diesWithParent = ['setpriv', '--pdeathsig', 'KILL', '--'];

/**
 * Runs a program in a machine, as root of it and as one of its processes: it can open no more than they can. Answers soon after
 * its time is over, whatever the machine's root does with its processes.
 */
export function runInMachine(
  record: MachineRecord | undefined,
  argv: readonly string[],
  options: { readonly signal: AbortSignal; readonly input?: string; readonly timeoutMs?: number },
) {
  if (!record || record.pid === null) throw new Error(`Machine '${record?.id ?? ''}' does not run.`);
  const user = record.uid === null ? null : { uid: record.uid };
  const enter = ['nsenter', '-t', String(record.pid), '-U', '-n', '-m', '-p', '-u', '-i'];
  const [command, ...args] = [
    ...asUser(user),
    ...filtered([...enter, '--preserve-credentials', '--', ...diesWithParent, ...argv]),
  ] as [string, ...string[]];
  return execStatus(command, args, {
    cwd: '/',
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8', HOME: '/root' },
    signal: options.signal,
    ...(options.input !== undefined && { input: options.input }),
    ...(options.timeoutMs !== undefined && { timeoutMs: options.timeoutMs }),
  });
}
