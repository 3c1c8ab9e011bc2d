import { readJson } from '../../lib/files.ts';
import { endpointFile } from '../arm/session.ts';
import { defineCommand } from '../command.ts';
import { alone } from './lock.ts';
import { start } from './start.ts';
import { createHomeFolders } from '../setup/set-up.ts';

export const up = defineCommand({
  path: 'up',
  summary: 'Set up what is missing and start everything, with all data of before.',
  examples: ['up'],
  options: {},
  async run(cx) {
    await createHomeFolders(cx.home);
    const started = await alone(cx.home, 'up', () => start(cx, (text) => cx.stderr(`${text}\n`)));
    const endpoint = (await readJson<{ readonly endpoint: string }>(endpointFile(cx.home)))!.endpoint;
    const human = started
      ? `Sallyport is up: ${endpoint}\nNext: sallyport status`
      : `Nothing to do: Sallyport is up at ${endpoint}`;
    return { value: { endpoint, started }, human };
  },
});
