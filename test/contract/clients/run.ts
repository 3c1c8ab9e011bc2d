import { execStatus } from '../../../src/lib/exec.ts';
import { commandOf, type SdkName } from './clients.ts';

/** What a client said of one operation. */
export interface Said {
  readonly operation: string;
  /** `ok`, or absent: then what it threw at its user. */
  readonly outcome?: 'ok';
  readonly status?: number;
  readonly code?: string;
  readonly message?: string;
}

interface Party {
  readonly subscriptionId: string;
  readonly clientId: string;
  readonly secret: string;
}

/** Who a client is, and where; its standard input. */
export interface Given {
  readonly endpoint: string;
  readonly tenantId: string;
  readonly customer: Party;
  readonly provider: Party;
  readonly group: string;
  readonly location: string;
  /** Leaves out what is no part of the how-to, and what takes a real ring long. */
  readonly howToOnly?: true;
}

export interface SdkRun {
  readonly exitCode: number | null;
  readonly stderr: string;
  readonly said: readonly Said[];
}

/** Runs an SDK's script to its end, as a process of its own that trusts `authority` (the path of a certificate). */
export async function runSdk(
  client: SdkName,
  authority: string,
  given: Given,
  timeoutMs = 240_000,
): Promise<SdkRun> {
  const { command, args, env } = commandOf(client, authority);
  const ran = await execStatus(command, args, { env, input: JSON.stringify(given), timeoutMs });
  const said = ran.stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Said);
  return { exitCode: ran.exitCode, stderr: ran.stderr.slice(-4000), said };
}
