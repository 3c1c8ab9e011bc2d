import { join } from 'node:path';
import { UserError } from '../../lib/errors.ts';
import { execStatus } from '../../lib/exec.ts';
import type { CliContext } from '../context.ts';
import { programRoot } from '../home.ts';
import { enterApplication } from '../stack/fabric.ts';
import type { ClusterAccess } from './cluster.ts';
import type { CqlLogin } from './credentials.ts';
import { nextFor } from './explain.ts';
import type { SessionAnswer, SessionRequest, StatementResult } from './protocol.ts';

/** Runs statements over verified TLS from the application machine of the nodes' network. */
export async function runCql(
  cx: CliContext,
  access: ClusterAccess,
  login: Pick<CqlLogin, 'username' | 'password'>,
  statements: readonly string[],
  consistency: string,
): Promise<readonly StatementResult[]> {
  const request: SessionRequest = {
    contactPoints: access.nodes,
    dataCenter: access.dataCenter,
    authority: access.authority,
    username: login.username,
    password: login.password,
    consistency,
    statements,
  };
  const entered = await enterApplication(cx.home, access.network, [
    process.execPath,
    join(programRoot, 'dist/cli/cql/session.js'),
  ]);
  const ran = await execStatus(entered.command, entered.args, {
    input: JSON.stringify(request),
    timeoutMs: 60_000,
    signal: cx.signal,
  });
  if (ran.exitCode !== 0) {
    throw new UserError(
      'NoSession',
      `The CQL session could not run in the application machine: ${ran.stderr.trim().slice(-400)}`,
      'sallyport status',
    );
  }
  const answer = JSON.parse(ran.stdout) as SessionAnswer;
  if ('error' in answer)
    throw new UserError(answer.error.code, answer.error.message, nextFor(answer.error.message));
  return answer.results;
}
