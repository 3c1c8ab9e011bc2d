import { createHash, randomBytes } from 'node:crypto';
import { access, mkdir, readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { UserError } from '../../lib/errors.ts';
import { execStatus } from '../../lib/exec.ts';
import { readFileIfThere, writeFileAtomic } from '../../lib/files.ts';
import type { Session } from '../arm/session.ts';
import type { CliContext } from '../context.ts';
import { azVersion } from './install.ts';
import type { Place } from './place.ts';

export const cloudName = 'Sallyport';
const extensionName = 'sallyport';

/** az asks nobody outside: no telemetry, no look for newer versions or for extensions by itself. */
const settings = [
  'core.collect_telemetry=no',
  'core.instance_discovery=false',
  'core.survey_message=no',
  'extension.use_dynamic_install=no',
] as const;

/** Far enough ahead that az does not ask for the newest versions. */
const versionCheck = {
  versions: {
    'azure-cli': { local: azVersion },
    core: { local: azVersion },
    telemetry: { local: '1.1.0' },
  },
  update_time: '2099-01-01 00:00:00.000000',
};

export interface Configured {
  readonly az: string;
  readonly place: Place;
  readonly session: Session;
  /** Of az's processes. */
  readonly env: NodeJS.ProcessEnv;
  /** Our extension, as control has it. */
  readonly extension: { readonly path: string; readonly sha256: string };
}

type Cx = Pick<CliContext, 'home' | 'progress' | 'signal'>;

/** Makes az ready for this installation, step by step; what is as it shall be is left alone. */
export async function configureAz(cx: Cx, wanted: Configured): Promise<void> {
  const { place, session } = wanted;
  const az = (...args: readonly string[]): Promise<void> => runAz(cx, wanted, args);
  await mkdir(place.config, { recursive: true, mode: 0o700 });
  const checked = join(place.config, 'versionCheck.json');
  if ((await readFileIfThere(checked)) === undefined)
    await writeFileAtomic(checked, JSON.stringify(versionCheck));
  cx.progress.show('configuring az');
  await az('config', 'set', ...settings);

  const known = registeredEndpoint((await readFileIfThere(join(place.config, 'clouds.config'))) ?? '');
  if (known !== session.endpoint) {
    cx.progress.show('registering the cloud');
    const verb = known === undefined ? 'register' : 'update';
    await az('cloud', verb, '-n', cloudName, '--endpoint-resource-manager', session.endpoint);
  }
  await az('cloud', 'set', '-n', cloudName);

  if (!(await hasExtension(wanted))) {
    cx.progress.show('adding the extension');
    if (await exists(join(place.extensions, extensionName)))
      await az('extension', 'remove', '-n', extensionName);
    await az('extension', 'add', '--source', `${session.endpoint}${wanted.extension.path}`, '--yes');
  }

  cx.progress.show('signing in');
  await signIn(cx, session, az);
  await az('account', 'set', '--subscription', session.subscriptionId);
  cx.progress.clear();
}

/**
 * az reads an argument `@FILE` from that file. The option's own name is in it too: a secret may begin with a hyphen, and
 * would be taken for an option by itself.
 */
async function signIn(
  cx: Cx,
  session: Session,
  az: (...args: readonly string[]) => Promise<void>,
): Promise<void> {
  const file = join(cx.home.person, `az-${randomBytes(8).toString('hex')}`);
  await writeFileAtomic(file, `--password=${session.clientSecret}`);
  try {
    const who = ['--service-principal', '-u', session.clientId, '--tenant', session.tenantId];
    await az('login', ...who, `@${file}`);
  } finally {
    await rm(file, { force: true });
  }
}

async function runAz(cx: Cx, { az, env }: Configured, args: readonly string[]): Promise<void> {
  const all = [...args, '--only-show-errors', '-o', 'none'];
  const { exitCode, stderr } = await execStatus(az, all, { env, timeoutMs: 180_000, signal: cx.signal });
  if (exitCode === 0) return;
  throw new UserError(
    'AzFailed',
    `az ${args.slice(0, 2).join(' ')} ended with ${exitCode ?? 'a signal'}: ${stderr.trim().slice(-600) || 'it did not say why'}`,
    'sallyport status shows whether control runs; then run the same command again.',
  );
}

/** The address under which the cloud is registered: clouds.config is an INI file with a section for each cloud. */
export function registeredEndpoint(config: string): string | undefined {
  const section = config.split(/^\[/m).find((part) => part.startsWith(`${cloudName}]`));
  return section && /^endpoint_resource_manager *= *(\S+?)\/?$/m.exec(section)?.[1];
}

/** az keeps the wheel beside what it unpacked of it. */
async function hasExtension({ place, extension }: Configured): Promise<boolean> {
  const wheel = join(place.extensions, extensionName, basename(extension.path));
  const content = await readFile(wheel).catch(() => undefined);
  return content !== undefined && createHash('sha256').update(content).digest('hex') === extension.sha256;
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
