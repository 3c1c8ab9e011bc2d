import { defineCommand } from '../command.ts';
import { installAzurite } from '../setup/azurite.ts';
import { createProbe } from '../setup/probe.ts';
import { createHomeFolders } from '../setup/set-up.ts';
import { alone } from '../stack/lock.ts';
import { fabricProcess } from '../stack/fabric.ts';

export const install = defineCommand({
  path: 'services install',
  summary: 'Install what the storage service runs on: Azurite, with npm, into the state folder (62 MB).',
  examples: ['services install'],
  options: {},
  async run(cx) {
    await createHomeFolders(cx.home);
    const say = (text: string): void => cx.stderr(`${text}\n`);
    const done = await alone(cx.home, 'services install', () => installAzurite(cx, createProbe(cx.env), say));
    const running = (await fabricProcess(cx.home)) !== undefined;
    const next = running
      ? 'Next: sallyport down, then sallyport up: machines get it when the fabric starts'
      : 'Next: name accounts under services in control/config.json (docs/operate/services.md), then sallyport up';
    const head = done.fresh ? 'Azurite is installed.' : 'Nothing to do: Azurite is installed.';
    return { value: { azurite: done.folder, fresh: done.fresh }, human: `${head}\n${next}` };
  },
});
