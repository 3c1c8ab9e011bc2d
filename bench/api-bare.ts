/**
 * The baseline of api.ts, a process of its own: fastify over TLS and one table, which holds each answer ready. It checks
 * nobody and nothing. Standard input: the folder with key.pem, cert.pem and bodies.json; standard output: its port.
 */
import { readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import fastify from 'fastify';
import type { FastifyInstance } from 'fastify';

const folder = readFileSync(0, 'utf8').trim();
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
const sqlite = new DatabaseSync(join(folder, 'bare.db'));
sqlite.exec(
  'pragma locking_mode = exclusive; pragma journal_mode = wal; pragma synchronous = full; create table bodies (key text primary key, type text, body text) strict; create index by_type on bodies (type, key)',
);
const insert = sqlite.prepare('insert into bodies values (?, ?, ?)');
sqlite.exec('begin');
for (const [key, body] of JSON.parse(read('bodies.json')) as readonly (readonly [string, { type: string }])[])
  insert.run(key, body.type.toLowerCase(), JSON.stringify(body));
sqlite.exec('commit');
const get = sqlite.prepare('select body from bodies where key = ?');
const list = sqlite.prepare(
  'select body from bodies where type = ? and key >= ? and key < ? order by key limit 100',
);
const set = sqlite.prepare('update bodies set body = ? where key = ?');

const app = fastify({
  forceCloseConnections: true,
  https: { key: read('key.pem'), cert: read('cert.pem'), minVersion: 'TLSv1.2' },
}) as unknown as FastifyInstance;
app.get('/*', (request, reply) => {
  const key = request.url.split('?')[0]!.toLowerCase();
  const one = get.get(key) as { body: string } | undefined;
  void reply.type('application/json; charset=utf-8');
  if (one) return reply.send(one.body);
  const rows = list.all('microsoft.documentdb/cassandraclusters', `${key}/`, `${key}0`) as { body: string }[];
  return reply.send(`{"value":[${rows.map(({ body }) => body).join(',')}]}`);
});
app.put('/*', (request, reply) => {
  const key = request.url.split('?')[0]!.toLowerCase();
  const body = JSON.stringify(request.body);
  set.run(body, key);
  return reply.type('application/json; charset=utf-8').send(body);
});
await app.listen({ host: '127.0.0.1', port: 0 });
process.stdout.write(`${(app.server.address() as { port: number }).port}\n`);
