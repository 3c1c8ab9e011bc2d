import { readJson } from '../../lib/files.ts';
import { endpointFile } from '../arm/session.ts';
import { defineCommand } from '../command.ts';
import { alone } from './lock.ts';
import { waitUntilServing } from './serving.ts';
import { start } from './start.ts';
import { createHomeFolders } from '../setup/set-up.ts';

export const up = defineCommand({
  path: 'up',
  summary: 'Set up what is missing and start everything, with all data of before.',
  examples: ['up', 'up --wait'],
  options: {
    wait: {
      kind: 'switch',
      flags: ['--wait'],
      help: 'Return only when every data centre that was ready before serves again.',
    },
  },
  async run(cx, { wait }) {
    await createHomeFolders(cx.home);
    const started = await alone(cx.home, 'up', () => start(cx, (text) => cx.stderr(`${text}\n`)));
    const endpoint = (await readJson<{ readonly endpoint: string }>(endpointFile(cx.home)))!.endpoint;
    const head = started ? `Sallyport is up: ${endpoint}` : `Nothing to do: Sallyport is up at ${endpoint}`;
    if (!wait) {
      const later = started
        ? '\nIts rings come up now: sallyport up --wait returns when they serve.\nNext: sallyport status'
        : '';
      return { value: { endpoint, started }, human: `${head}${later}` };
    }
    const { ready, making } = await waitUntilServing(await cx.arm('provider'), cx.progress);
    cx.progress.clear();
    const lines = [
      head,
      ready.length > 0 ? `Serving: ${ready.join(', ')}` : 'No data centre has been made yet.',
      ...making.map((text) => `Still being made: ${text}`),
      'Next: sallyport status',
    ];
    return { value: { endpoint, started, ready, making }, human: lines.join('\n') };
  },
});
