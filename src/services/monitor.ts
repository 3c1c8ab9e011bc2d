/** The role `monitor`: Prometheus, which is written to and asked by HTTPS and scrapes nobody. */
import { access, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServiceSeed } from '../exchange/intents/service.ts';
import { UserError } from '../lib/errors.ts';
import { execStatus } from '../lib/exec.ts';
import { writeFileAtomic } from '../lib/files.ts';
import type { RoleContext } from '../lib/role.ts';
import { ports } from '../network/ports.ts';
import { keepService, type Program } from './keep.ts';

const program = '/usr/bin/prometheus';
/** Whichever is reached first. */
const keeps = { time: '15d', size: '1GB' } as const;

export const runMonitor = (context: RoleContext): Promise<void> =>
  keepService({ kind: 'monitor', port: ports.monitor, prepare: prepareMonitor }, context);

/** Exported for tests, which run it without its machine's walls. */
export async function prepareMonitor(disk: string, seed: ServiceSeed, address: string): Promise<Program> {
  await access(program).catch((error: unknown) => {
    throw new UserError(
      'NoPrometheus',
      'Prometheus is not installed on the host of its machine, so there is no monitoring.',
      'Run as root: apt-get install -y --no-install-recommends prometheus && systemctl disable --now prometheus',
      error,
    );
  });
  const folder = join(disk, 'monitor');
  const at = (name: string): string => join(folder, name);
  await mkdir(at('data'), { recursive: true, mode: 0o700 });
  await writeFileAtomic(at('certificate.pem'), seed.certificate);
  await writeFileAtomic(at('key.pem'), seed.privateKey);
  // JSON is YAML.
  await writeFileAtomic(
    at('prometheus.yml'),
    JSON.stringify({ scrape_configs: [], ...(await lateSamples()) }),
  );
  await writeFileAtomic(
    at('web.yml'),
    JSON.stringify({
      tls_server_config: {
        ...{ cert_file: at('certificate.pem'), key_file: at('key.pem'), min_version: 'TLS13' },
      },
    }),
  );
  return {
    command: [
      program,
      ...[`--config.file=${at('prometheus.yml')}`, `--web.config.file=${at('web.yml')}`],
      ...[`--storage.tsdb.path=${at('data')}`, `--storage.tsdb.retention.time=${keeps.time}`],
      ...[`--storage.tsdb.retention.size=${keeps.size}`, '--web.enable-remote-write-receiver'],
      ...[`--web.listen-address=${address}:${ports.monitor}`, '--log.level=warn'],
    ],
    env: { GOMEMLIMIT: '256MiB' },
    path: '/-/ready',
    serves: (status) => status === 200,
  };
}

/**
 * What an operator could not send for hours arrives when others have written what is newer, and is taken all the same. Prometheus
 * can since 2.39, and takes no such word before.
 */
async function lateSamples(): Promise<Readonly<Record<string, unknown>>> {
  const { stdout } = await execStatus(program, ['--version']);
  const [major = 0, minor = 0] = (/version (\d+)\.(\d+)/.exec(stdout) ?? []).slice(1).map(Number);
  const can = major > 2 || (major === 2 && minor >= 39);
  return can ? { storage: { tsdb: { out_of_order_time_window: '1d' } } } : {};
}
