import type { CliContext } from '../context.ts';
import { SetupError } from '../errors.ts';
import { createProbe, type Probe } from '../setup/probe.ts';
import { azVersion, installAz, installedAz } from './install.ts';

export interface FoundAz {
  readonly path: string;
  /** Whether `az` alone finds it. */
  readonly onPath: boolean;
}

/** An az on PATH that is new enough, else our own, else one that is installed now, where that was asked for. */
export async function findAz(
  cx: CliContext,
  install: boolean,
  probe: Probe = createProbe(cx.env),
): Promise<FoundAz> {
  const onPath = await probe.which('az');
  const version = onPath && versionIn(await probe.say(onPath, ['version', '-o', 'json']));
  if (onPath && version && isAtLeast(version, azVersion)) return { path: onPath, onPath: true };
  const own = await installedAz(cx.home.tools);
  if (own) return { path: own, onPath: false };
  if (install) {
    const path = await installAz(cx, probe, (text) => cx.stderr(`${text}\n`));
    return { path, onPath: false };
  }
  throw new SetupError(
    onPath ? 'AzTooOld' : 'NoAz',
    onPath
      ? `${onPath} is ${version ?? 'of a version that it does not tell'}; Sallyport's extension needs ${azVersion} or later.`
      : 'There is no az on PATH.',
    `sallyport az setup --install puts azure-cli ${azVersion} into the state folder, beside whatever else you have`,
  );
}

/** From what `az version -o json` says, on whichever stream. */
export const versionIn = (said: string | undefined): string | undefined =>
  /"azure-cli": *"(\d+\.\d+\.\d+)/.exec(said ?? '')?.[1];

export function isAtLeast(version: string, least: string): boolean {
  const [a, b] = [version, least].map((text) => text.split('.').map(Number)) as [number[], number[]];
  const differs = a.findIndex((part, index) => part !== b[index]);
  return differs === -1 || a[differs]! > b[differs]!;
}
