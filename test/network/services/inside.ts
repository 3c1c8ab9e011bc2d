/**
 * Runs in a network of its own: `inside.ts KIND DISK ADDRESS` is a service's role on that disk, and a client beside it. What came
 * of it is printed as JSON.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import type { ServiceHealth, ServiceSeed } from '../../../src/exchange/intents/service.ts';
import { systemClock, until } from '../../../src/lib/clock.ts';
import { createLog } from '../../../src/lib/log.ts';
import { signForContainer, signToCreateContainers } from '../../../src/lib/shared-access.ts';
import { openStore } from '../../../src/node/logs/store.ts';
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
    // Hours late, behind what is newer: as after a long outage.
    const late = remoteWrite('written_late', { node: 'node-2' }, 43, Date.now() - 11 * 3_600_000);
    said['late'] = await ask('POST', '/api/v1/write', late);
    said['flags'] = await ask('GET', '/api/v1/status/flags');
    said['admin'] = await ask('POST', '/api/v1/admin/tsdb/snapshot');
    said['quit'] = await ask('POST', '/-/quit');
  }
  if (kind === 'storage' && ended === undefined) said['rights'] = await tryRights();
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

/** What each signature is good for: its container alone, to add and to create, while it holds. */
async function tryRights(): Promise<Record<string, readonly (string | number)[]>> {
  const [account = ''] = seed.accounts;
  const [hour, dayAgo] = [Date.now() + 3_600_000, Date.now() - 86_400_000];
  const own = { account, key: seed.keys?.[account] ?? '' };
  const older = { account, key: readFileSync(join(disk, `${kind}/keys/${account}`), 'utf8').trim() };
  const tries = {
    good: ['cassandra', signForContainer(own, 'cassandra', hour)],
    'of the machine’s older key': ['cassandra', signForContainer(older, 'cassandra', hour)],
    ended: ['cassandra', signForContainer(own, 'cassandra', dayAgo)],
    'of another key': [
      'cassandra',
      signForContainer({ account, key: randomBytes(64).toString('base64') }, 'cassandra', hour),
    ],
    'of another container': ['cassandra', signForContainer(own, 'other', hour)],
    'to make containers': ['cassandra', signToCreateContainers(own, hour)],
    'for a container that is not there': ['other', signForContainer(own, 'other', hour)],
  } as const;
  const came: Record<string, readonly (string | number)[]> = {};
  for (const [name, [container, sas]] of Object.entries(tries)) {
    const place = {
      address,
      port: 10_000,
      authority: seed.authority,
      account: seed.names[0]!,
      container,
      sas,
    };
    const store = openStore(place, 5_000, stop.signal);
    const answers = [
      await store.create(`${name}/a.log`),
      await store.append(`${name}/a.log`, Buffer.from('one line\n'), 0),
    ];
    store.close();
    const [reading] = (await ask('GET', `/${container}/${encodeURIComponent(name)}/a.log?${sas}`)).split(' ');
    came[name] = [...answers.map(({ status, code }) => code ?? status), Number(reading)];
  }
  return came;
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
          port: kind === 'monitor' ? 9090 : 10_000,
          method,
          path,
          servername: seed.names[0],
          ca: seed.authority,
          agent: false,
        },
        headers: body ? headers : { host: seed.names[0] },
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
