import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { exec } from '../../lib/exec.ts';
import type { Probe } from './probe.ts';

/** How tunnels are made here. */
export type WireguardChoice =
  | { readonly from: 'kernel' }
  | { readonly from: 'built' | 'distribution'; readonly path: string }
  | { readonly from: 'go'; readonly go: string }
  | { readonly from: 'missing' };

export const wireguardPackage = 'wireguard-go';

/** The Go module needs this version at least; Debian 12's own Go is older. */
const oldestGo = [1, 23, 1] as const;

/** The kernel's where a machine may use it, else one built before, else one that can be built, else the distribution's. */
export async function chooseWireguard(probe: Probe, builtPath: string): Promise<WireguardChoice> {
  if (await kernelWorks(probe)) return { from: 'kernel' };
  if ((await probe.say(builtPath, ['--version'])) !== undefined) return { from: 'built', path: builtPath };
  const go = await findGo(probe);
  if (go) return { from: 'go', go };
  const packaged = await probe.which('wireguard-go');
  return packaged ? { from: 'distribution', path: packaged } : { from: 'missing' };
}

/** Tries it where machines will: in a user and network namespace, which vanish with the try. */
async function kernelWorks(probe: Probe): Promise<boolean> {
  const said = await probe.say('unshare', [
    '--user',
    '--map-root-user',
    '--net',
    'ip',
    'link',
    'add',
    'dev',
    'wg0',
    'type',
    'wireguard',
  ]);
  return said !== undefined;
}

async function findGo(probe: Probe): Promise<string | undefined> {
  for (const candidate of [await probe.which('go'), '/usr/local/go/bin/go']) {
    if (candidate === undefined) continue;
    const said = await probe.say(candidate, ['version']);
    const version = said && /\bgo(\d+)\.(\d+)(?:\.(\d+))?/.exec(said);
    if (version && isAtLeast([Number(version[1]), Number(version[2]), Number(version[3] ?? 0)]))
      return candidate;
  }
  return undefined;
}

function isAtLeast(version: readonly number[]): boolean {
  for (const [index, wanted] of oldestGo.entries()) {
    if (version[index]! !== wanted) return version[index]! > wanted;
  }
  return true;
}

/** Builds the unmodified module that setup/wireguard pins; go.sum there is its checksum lock. */
export async function buildWireguard(options: {
  readonly go: string;
  readonly source: string;
  readonly builtPath: string;
  readonly cache: string;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { go, source, builtPath, cache, signal } = options;
  await mkdir(join(builtPath, '..'), { recursive: true });
  const draft = `${builtPath}.new`;
  await exec(
    go,
    [
      'build',
      '-mod=readonly',
      '-trimpath',
      '-buildvcs=false',
      '-ldflags=-s -w',
      '-o',
      draft,
      'golang.zx2c4.com/wireguard',
    ],
    {
      cwd: source,
      timeoutMs: 600_000,
      signal,
      env: {
        ...process.env,
        GOTOOLCHAIN: 'local',
        CGO_ENABLED: '0',
        GOFLAGS: '-modcacherw',
        GOPATH: join(cache, 'go'),
        GOMODCACHE: join(cache, 'go/mod'),
        GOCACHE: join(cache, 'go/build'),
      },
    },
  );
  await rename(draft, builtPath);
  await rm(join(cache, 'go'), { recursive: true, force: true });
}
