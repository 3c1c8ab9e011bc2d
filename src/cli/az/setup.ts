import { resolve } from 'node:path';
import { findSession } from '../arm/session.ts';
import { defineCommand } from '../command.ts';
import { exportLines } from '../output/exports.ts';
import { createHomeFolders } from '../setup/set-up.ts';
import { alone } from '../stack/lock.ts';
import { configureAz, type Configured } from './configure.ts';
import { findAz } from './find.ts';
import { environmentFor, placeFor } from './place.ts';

export const setup = defineCommand({
  path: 'az setup',
  summary: 'Make az ready for this installation, and print the export lines with which a shell uses it.',
  examples: [
    'az setup',
    'az setup --as provider',
    'az setup --install',
    'az setup --config-dir /home/me/.azure',
  ],
  options: {
    install: {
      kind: 'switch',
      flags: ['--install'],
      help: 'Where az is missing or too old: install it into the state folder with pip (730 MB).',
    },
    configDir: {
      kind: 'text',
      flags: ['--config-dir'],
      help: "The folder for az's configuration; else one of its own in the state folder, so that yours stays as it is.",
    },
  },
  async run(cx, options) {
    await createHomeFolders(cx.home);
    const as = cx.globals.as ?? (cx.env['SALLYPORT_AS'] || 'customer');
    const session = await findSession(cx.home, cx.env, { as, subscription: cx.globals.subscription });
    const client = await cx.arm(as as 'customer' | 'provider');
    const extension = (await client.get('/sallyport/az')) as unknown as Configured['extension'];
    const configDir = options.configDir === undefined ? undefined : resolve(options.configDir);
    const value = await alone(cx.home, 'az setup', async () => {
      const az = await findAz(cx, options.install ?? false);
      const place = placeFor(cx.home, as, configDir);
      const exports = environmentFor(cx.home, place, az, cx.env);
      await configureAz(cx, { az: az.path, place, session, env: { ...cx.env, ...exports }, extension });
      return exports;
    });
    if (cx.interactive && process.stdout.isTTY)
      cx.stderr(
        'az is ready. A shell uses it with these lines, or at once with: eval "$(sallyport az setup)"\n',
      );
    return { value, human: exportLines(value) };
  },
});
