/** Where clients are tried: a network namespace that has loopback and nothing else, so that nobody can ask outside. */
import { exec, execStatus } from '../../src/lib/exec.ts';

/** Runs a script of ours in there to its end, and answers its standard output. */
export async function runAlone(script: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
  const ran = await execStatus(
    'unshare',
    ['--user', '--map-root-user', '--net', '--kill-child', '--fork', process.execPath, script],
    { timeoutMs: 1_500_000, env: { ...process.env, NODE_TEST_CONTEXT: undefined, ...env } },
  );
  if (ran.exitCode !== 0) throw new Error(`${script} ended with ${ran.exitCode}: ${ran.stderr.slice(-4000)}`);
  return ran.stdout;
}

/** For the script in there. */
export async function onlyLoopback(): Promise<void> {
  await exec('ip', ['link', 'set', 'lo', 'up']);
  const links = JSON.parse((await exec('ip', ['-j', 'link'])).stdout) as readonly {
    readonly ifname: string;
  }[];
  if (links.some(({ ifname }) => ifname !== 'lo'))
    throw new Error('There is a way out of here: no run proves anything.');
}
