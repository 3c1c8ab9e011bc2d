import type { VerifyResult } from '../../fabric/verify/result.ts';
import { UserError } from '../../lib/errors.ts';
import type { ArmClient } from '../arm/client.ts';
import type { Progress } from '../output/progress.ts';

/** Asks for a proof of the door and waits for it. `network`: a virtual network's ARM id; undefined: all that the caller may see. */
export async function runVerify(
  client: ArmClient,
  network: string | undefined,
  progress: Progress,
): Promise<VerifyResult> {
  const asked = await client.send('POST', '/sallyport/verify', network === undefined ? {} : { network });
  const id = String(asked.body['id']);
  for (;;) {
    const run = await client.get(`/sallyport/verify/${encodeURIComponent(id)}`);
    if (run['state'] === 'done' && run['result']) return run['result'] as unknown as VerifyResult;
    if (run['state'] === 'failed') {
      const fault = run['error'] as { readonly code?: string; readonly message?: string } | null;
      throw new UserError(
        fault?.code ?? 'VerifyFailed',
        fault?.message ?? 'The tries could not be made.',
        'sallyport logs fabric shows what happened.',
      );
    }
    progress.show('trying to get out of every node, while recorders stand outside');
    await client.clock.sleep(500, client.signal);
    client.signal.throwIfAborted();
  }
}
