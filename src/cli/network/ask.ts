import type { WhyAnswer } from '../../kinds/why/why.ts';
import type { Comparison } from '../../network/probes.ts';
import type { ArmClient } from '../arm/client.ts';
import type { Progress } from '../output/progress.ts';

export interface WhyValue {
  readonly state: string;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly answer: WhyAnswer;
  readonly packet: Pick<Comparison, 'outcome' | 'text'> | null;
}

/** Asks, and waits until a packet has confirmed the answer or can't. */
export async function askWhy(
  client: ArmClient,
  question: Readonly<Record<string, string | number>>,
  progress: Progress,
): Promise<WhyValue> {
  const { id } = await client.send('POST', '/sallyport/why', question).then(({ body }) => body);
  for (;;) {
    const run = (await client.get(`/sallyport/why/${String(id)}`)) as unknown as WhyValue;
    // Control gives up by itself when nobody sends the packet.
    if (run.state !== 'sending') return run;
    progress.show('sending the packet from the machine itself');
    await client.clock.sleep(200, client.signal);
    client.signal.throwIfAborted();
  }
}
