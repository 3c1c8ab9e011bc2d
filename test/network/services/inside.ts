/**
 * Runs in a network of its own: `inside.ts KIND DISK ADDRESS` is a service's role on that disk, and a client beside it. What came
 * of it is printed as JSON.
 */
import { existsSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import type { ServiceHealth, ServiceSeed } from '../../../src/exchange/intents/service.ts';
import { systemClock, until } from '../../../src/lib/clock.ts';
import { createLog } from '../../../src/lib/log.ts';
import { runMonitor } from '../../../src/services/monitor.ts';
import { runStorage } from '../../../src/services/storage.ts';
import { remoteWrite } from './remote-write.ts';

const [kind = '', disk = '', address = ''] = process.argv.slice(2);
const stop = new AbortController();
const log = createLog({}, { write: (text) => void process.stderr.write(text) });
const role = { storage: runStorage, monitor: runMonitor }[kind]!;
const context = {
  clock: systemClock,
  log,
  signal: stop.signal,
  env: { ...process.env, SALLYPORT_DISK: disk },
};
const health = (): ServiceHealth | undefined =>
  existsSync(join(disk, 'service.json'))
    ? (JSON.parse(readFileSync(join(disk, 'service.json'), 'utf8')) as ServiceHealth)
    : undefined;
const seed = JSON.parse(readFileSync(join(disk, `${kind}-1.json`), 'utf8')) as ServiceSeed;

let ended: string | undefined;
const running = role(context).then(
  () => (ended = 'returned'),
  (error: Error) => (ended = error.message),
);
try {
  await until('the service to answer', () => health()?.answers || ended || undefined, { timeoutMs: 30_000 });
  const said: Record<string, unknown> = { health: health(), ended };
  if (kind === 'monitor' && ended === undefined) {
    const body = remoteWrite('written_here', { node: 'node-1' }, 42, Date.now());
    said['written'] = await ask('POST', '/api/v1/write', body);
    said['read'] = await ask('GET', '/api/v1/query?query=written_here');
    said['flags'] = await ask('GET', '/api/v1/status/flags');
    said['admin'] = await ask('POST', '/api/v1/admin/tsdb/snapshot');
    said['quit'] = await ask('POST', '/-/quit');
  }
  if (ended === undefined && existsSync(join(disk, 'next.json'))) {
    renameSync(join(disk, 'next.json'), join(disk, `${kind}-2.json`));
    await running;
    said['anew'] = ended;
    ended = undefined;
    const again = role(context);
    await until(
      'the role to serve by the newer seed',
      () => !seeds().includes(`${kind}-1.json`) || undefined,
      {
        timeoutMs: 10_000,
      },
    );
    // As a machine is ended: everybody is asked, and the role twice.
    process.once('SIGTERM', () => stop.abort());
    process.kill(process.pid, 'SIGTERM');
    await until('the first signal to have come', () => stop.signal.aborted || undefined, {
      timeoutMs: 5_000,
    });
    process.kill(process.pid, 'SIGTERM');
    await again;
    said['seeds'] = seeds();
  }
  stop.abort();
  await running;
  process.stdout.write(`\n${JSON.stringify(said)}\n`);
} finally {
  stop.abort();
}

function seeds(): readonly string[] {
  return readdirSync(disk).filter((name) => name.startsWith(`${kind}-`));
}

function ask(method: string, path: string, body?: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = {
      ...{ 'content-type': 'application/x-protobuf', 'content-encoding': 'snappy' },
      'x-prometheus-remote-write-version': '0.1.0',
    };
    const asking = request(
      {
        ...{
          host: address,
          port: 9090,
          method,
          path,
          servername: seed.names[0],
          ca: seed.authority,
          agent: false,
        },
        ...(body && { headers }),
      },
      (response) => {
        let heard = '';
        response.on('data', (chunk: Buffer) => (heard += chunk.toString()));
        response.on('end', () => resolve(`${response.statusCode} ${heard}`.trim()));
      },
    );
    asking.on('error', reject);
    asking.end(body);
  });
}
