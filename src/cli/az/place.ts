import { dirname, join } from 'node:path';
import { authorityFile } from '../arm/session.ts';
import type { Home } from '../home.ts';

/** Where az keeps what it knows of Sallyport: apart from whatever else it is used for. */
export interface Place {
  readonly config: string;
  readonly extensions: string;
}

/** `config`: the folder that was asked for; else one of the principal's own in the state folder. */
export function placeFor(home: Home, as: string, config: string | undefined): Place {
  const folder = config ?? join(home.person, 'az', as);
  return { config: folder, extensions: join(folder, 'cliextensions') };
}

/** What az must be told by its environment. The rest lies in its folder. */
export function environmentFor(
  home: Home,
  place: Place,
  az: { readonly path: string; readonly onPath: boolean },
  env: NodeJS.ProcessEnv,
): Readonly<Record<string, string>> {
  const past = [
    ...new Set([...(env['NO_PROXY'] ?? env['no_proxy'] ?? '').split(','), '127.0.0.1', 'localhost']),
  ]
    .filter((each) => each !== '')
    .join(',');
  const proxied = ['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy'].some((name) => env[name]);
  return {
    AZURE_CONFIG_DIR: place.config,
    AZURE_EXTENSION_DIR: place.extensions,
    REQUESTS_CA_BUNDLE: authorityFile(home),
    // What goes to this machine must not go by a proxy.
    ...(proxied && { NO_PROXY: past, no_proxy: past }),
    ...(!az.onPath && { PATH: `${dirname(az.path)}:${env['PATH'] ?? ''}` }),
  };
}
