import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createSecureContext } from 'node:tls';
import { dashboardMetrics, metricsIn, readDashboard } from '../../../test/harness/dashboard.ts';
import { createAuthority, createRequest, issueOnRequest } from '../../lib/x509.ts';
import { exporterFile, exporterFiles } from './exporter.ts';
import { exportedMetrics, exporterConfiguration } from './metrics.ts';

const validity = { days: 1, now: Date.now() };

async function identity(): Promise<{ readonly key: string; readonly chain: string }> {
  const authority = await createAuthority('client', validity);
  const { privateKey, request } = await createRequest('dc1-1');
  const leaf = { commonName: 'dc1-1', dns: ['dc1-1'], use: ['server'], ...validity } as const;
  return { key: privateKey, chain: await issueOnRequest(authority, request, leaf) };
}

test('the key store is there once, read by its password, and goes with its key', async (t) => {
  const certificates = await mkdtemp(join(tmpdir(), 'sallyport-exporter-'));
  t.after(() => rm(certificates, { recursive: true }));
  const [first, second] = [await identity(), await identity()];
  const made = await exporterFiles({ certificates }, first, null);
  const [store] = await readdir(certificates);
  const bytes = await readFile(join(certificates, store!));
  assert.equal((await stat(join(certificates, store!))).mode & 0o777, 0o600);
  const { filename, password } = (JSON.parse(made[exporterFile]!) as Told).httpServer.ssl.keyStore;
  assert.equal(filename, join(certificates, store!));
  assert.doesNotThrow(() => createSecureContext({ pfx: bytes, passphrase: password }));
  assert.throws(() => createSecureContext({ pfx: bytes, passphrase: `${password}x` }));

  assert.deepEqual(await exporterFiles({ certificates }, first, null), made);
  assert.deepEqual(await readFile(join(certificates, store!)), bytes, 'nothing is written twice');
  const renewed = await exporterFiles({ certificates }, second, null);
  assert.notEqual(renewed[exporterFile], made[exporterFile]);
  assert.equal((await readdir(certificates)).length, 1, 'the old key is gone');
  await assert.rejects(
    exporterFiles({ certificates }, { ...first, chain: '' }, null),
    /needs the certificate/,
  );
});

test('the page names each metric, and neither it nor the dashboard asks for one that is not there', () => {
  const page = readFileSync(new URL('../../../docs/operate/metrics.md', import.meta.url), 'utf8');
  const names = exportedMetrics.map(({ name }) => name);
  assert.deepEqual(
    names.filter((name) => !page.includes(`| \`${name}\` |`)),
    [],
  );
  // The JVM's own are held against a real node.
  const asked = [...metricsIn(page), ...dashboardMetrics()].filter((name) => name.startsWith('cassandra_'));
  assert.deepEqual(
    asked.filter((name) => !names.includes(name) && name !== 'cassandra_table_'),
    [],
  );
  const { panels } = readDashboard();
  assert.ok(panels.length >= 10);
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
  for (const { title, fieldConfig, targets } of panels)
    assert.ok(title && fieldConfig.defaults.unit && targets.length > 0, title);
});

interface Told {
  readonly httpServer: {
    readonly ssl: { readonly keyStore: { readonly filename: string; readonly password: string } };
  };
}

test('each metric has a rule that finds its own bean, and no other metric’s', () => {
  const { rules } = exporterConfiguration({ keyStore: '/k', password: 'p', alias: 'a' }) as {
    rules: readonly { readonly name: string; readonly pattern: string; readonly labels?: object }[];
  };
  const spelt = ({ bean, attribute }: (typeof exportedMetrics)[number]): string => {
    const any = (value: string): string => (value === '*' ? 'x_1' : value.split('|')[0]!);
    const properties = Object.entries(bean).map(([key, value]) => `${key}=${any(value)}`);
    return `org.apache.cassandra.metrics<${properties.join(', ')}><>${attribute}: 1`;
  };
  for (const metric of exportedMetrics) {
    const found = rules.filter(({ pattern }) => new RegExp(`^.*(?:${pattern}).*$`).test(spelt(metric)));
    assert.deepEqual(
      found.map(({ name }) => name),
      [metric.name],
    );
  }
  assert.equal(new Set(exportedMetrics.map(({ name }) => name)).size, exportedMetrics.length);
  for (const { name, type } of exportedMetrics)
    assert.equal(name.endsWith('_total'), type === 'COUNTER', name);
  const latency = rules.find(({ name }) => name === 'cassandra_table_read_latency_p99')!;
  assert.deepEqual(latency.labels, { keyspace: '$2', table: '$3' });
});
