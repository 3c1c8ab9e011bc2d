import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SetupError } from './errors.ts';

/** Where everything lies; docs/design/0001 says what and whose. */
export interface Home {
  readonly root: string;
  readonly tools: string;
  readonly control: string;
  readonly fabric: string;
  readonly person: string;
  readonly run: string;
  readonly log: string;
  readonly cache: string;
}

/** The kernel's bound for a unix socket's path, with its closing zero. */
const socketPathLimit = 108;
/** The longest path below the state folder at which somebody listens. */
const longestSocket = 'control/doors/operators/enrolment';

export function findHome(env: NodeJS.ProcessEnv): Home {
  const given = env['SALLYPORT_HOME'];
  if (given !== undefined && given !== '' && !isAbsolute(given)) {
    throw new SetupError(
      'HomeNotAbsolute',
      `SALLYPORT_HOME is '${given}', which is not an absolute path.`,
      `export SALLYPORT_HOME=$PWD/${given}`,
    );
  }
  const root =
    given || join(env['XDG_DATA_HOME'] || join(env['HOME'] || homedir(), '.local/share'), 'sallyport');
  const excess = Buffer.byteLength(join(root, longestSocket)) + 1 - socketPathLimit;
  if (excess > 0) {
    throw new SetupError(
      'HomePathTooLong',
      `The state folder's path is ${excess} bytes too long for the unix sockets in it: ${root}`,
      'export SALLYPORT_HOME=/a/shorter/path',
    );
  }
  const folder = (name: string): string => join(root, name);
  return {
    root,
    tools: folder('tools'),
    control: folder('control'),
    fabric: folder('fabric'),
    person: folder('person'),
    run: folder('run'),
    log: folder('log'),
    cache: folder('cache'),
  };
}

/** The program's own folder: dist/, node_modules/, setup/ and package.json lie in it. */
export const programRoot: string = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
