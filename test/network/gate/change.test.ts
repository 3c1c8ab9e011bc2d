import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test, type TestContext } from 'node:test';
import { until } from '../../../src/lib/clock.ts';
import { ask, workersOf } from '../../../src/gate/master.ts';
import type { GateAccount, GateIntent } from '../../../src/exchange/intents/gate.ts';
import {
  dial,
  freePort,
  request,
  say,
  startAccount,
  startGate,
  statusOf,
  type Account,
  type Gate,
  type Speaker,
} from '../../harness/gate.ts';

const kept = 'logs.blob.core.windows.net';
const gone = 'old.blob.core.windows.net';
const third = 'new.blob.core.windows.net';

interface World {
  readonly gate: Gate;
  readonly to: Speaker;
  readonly kept: Account;
  readonly gone: Account;
  readonly third: Account;
  intend(...accounts: readonly GateAccount[]): ReturnType<Gate['intend']>;
}

async function world(t: TestContext): Promise<World> {
  const accounts = {
    kept: await startAccount(t, kept),
    gone: await startAccount(t, gone),
    third: await startAccount(t, third),
  };
  const gate = await startGate(t);
  const port = await freePort();
  const intent = (list: readonly GateAccount[]): GateIntent => ({
    clusters: [{ identity: 'c1', source: '127.0.0.1', port, accounts: [...list] }],
  });
  const { report } = await gate.intend(intent([accounts.kept.said(), accounts.gone.said()]));
  const to = { port, ca: report.clusters['c1']!.authority };
  return { ...accounts, gate, to, intend: (...list) => gate.intend(intent(list)) };
}

interface Upload {
  /** When it ended without having been finished, milliseconds since the epoch. */
  readonly cutAt: () => number | undefined;
  readonly sent: () => number;
  /** Sends the last chunk, and resolves to the answer's status. */
  finish(): Promise<string>;
}

const chunk = Buffer.alloc(16_384, 'x');

/** Uploads without end, at some MB a second, until it is finished or cut. */
async function upload(t: TestContext, to: Speaker, name: string, account: Account): Promise<Upload> {
  const socket = dial(to, name);
  t.after(() => socket.destroy());
  let cutAt: number | undefined;
  let heard = '';
  let going = true;
  let sent = 0;
  const end = (): void => {
    if (going) cutAt ??= Date.now();
    going = false;
  };
  socket.on('error', end);
  socket.on('close', end);
  socket.on('data', (data: Buffer) => (heard += data.toString('latin1')));
  socket.write(
    `PUT /big HTTP/1.1\r\nHost: ${name}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n`,
  );
  const more = (): void => {
    if (!going) return;
    sent += chunk.length;
    const room = socket.write(Buffer.concat([Buffer.from('4000\r\n'), chunk, Buffer.from('\r\n')]));
    if (room) setTimeout(more, 2);
    else socket.once('drain', more);
  };
  more();
  const seen = account.seen.length;
  await until('the upload to arrive', () => (account.seen[seen]?.bytes ?? 0) > 1 << 18 || undefined, {
    timeoutMs: 10_000,
    everyMs: 5,
  });
  return {
    cutAt: () => cutAt,
    sent: () => sent,
    async finish() {
      assert.equal(cutAt, undefined, 'the upload was cut');
      going = false;
      socket.write('0\r\n\r\n');
      await until('the answer', () => heard.includes('\r\n\r\n') || undefined, {
        timeoutMs: 15_000,
        everyMs: 5,
      });
      return statusOf(heard);
    },
  };
}

const cut = (stream: Upload): Promise<number> =>
  until('the upload to be cut', stream.cutAt, { timeoutMs: 5_000, everyMs: 2 });

test(
  'an account that is taken away is cut within 2 s, while another upload runs on',
  { timeout: 60_000 },
  async (t) => {
    const { gate, to, intend, kept: one, gone: two } = await world(t);
    const [stays, goes] = [await upload(t, to, kept, one), await upload(t, to, gone, two)];
    const asked = Date.now();
    const said = intend(one.said());
    const took = (await cut(goes)) - asked;
    t.diagnostic(`cut after ${took} ms`);
    assert.ok(took <= 2_000, `${took} ms`);
    await said;
    assert.equal((await workersOf(gate.paths.master)).old.length, 1, 'the upload is an old worker’s by now');
    const before = stays.sent();
    await until('the upload to go on', () => stays.sent() > before + (1 << 20) || undefined, {
      timeoutMs: 10_000,
    });
    assert.notEqual(statusOf(await say(to, gone, request(gone))), '200');
    assert.equal(statusOf(await say(to, kept, request(kept))), '200');
    assert.equal(await stays.finish(), '200');
    assert.equal(one.seen[0]!.bytes, stays.sent());
  },
);

test(
  'also what an old worker carries is cut, and what it is asked anew refused',
  { timeout: 60_000 },
  async (t) => {
    const { gate, to, intend, ...accounts } = await world(t);
    const [stays, goes] = [
      await upload(t, to, kept, accounts.kept),
      await upload(t, to, gone, accounts.gone),
    ];
    // A connection of the old worker's that carries nothing just now.
    const idle = dial(to, gone);
    t.after(() => idle.destroy());
    let heard = '';
    idle.on('data', (data: Buffer) => (heard += data.toString('latin1')));
    idle.on('error', () => undefined);
    const again = `GET / HTTP/1.1\r\nHost: ${gone}\r\n\r\n`;
    idle.write(again);
    await until('the first answer', () => heard.includes(`this is ${gone}`) || undefined, {
      timeoutMs: 5_000,
    });
    heard = '';
    await intend(accounts.kept.said(), accounts.gone.said(), accounts.third.said());
    assert.equal((await workersOf(gate.paths.master)).old.length, 1);
    assert.equal(statusOf(await say(to, third, request(third))), '200');
    assert.equal(goes.cutAt() ?? stays.cutAt(), undefined);
    const arrived = accounts.gone.seen.length;
    const asked = Date.now();
    const said = intend(accounts.kept.said(), accounts.third.said());
    const took = (await cut(goes)) - asked;
    t.diagnostic(`cut after ${took} ms`);
    assert.ok(took <= 2_000, `${took} ms`);
    await said;
    idle.write(again);
    await until(
      'a word on the idle connection',
      () => heard !== '' || idle.destroyed || idle.readableEnded || undefined,
      {
        timeoutMs: 5_000,
        everyMs: 5,
      },
    );
    assert.notEqual(statusOf(heard), '200');
    assert.equal(accounts.gone.seen.length, arrived);
    assert.equal(await stays.finish(), '200');
    await until(
      'the old workers to end',
      async () => {
        const { old } = await workersOf(gate.paths.master);
        return old.length === 0 || undefined;
      },
      { timeoutMs: 10_000 },
    );
  },
);

test(
  'a narrower rule cuts what it does not let through, and another place of an account all of it',
  { timeout: 60_000 },
  async (t) => {
    const { to, intend, ...accounts } = await world(t);
    const [stays, goes] = [
      await upload(t, to, kept, accounts.kept),
      await upload(t, to, gone, accounts.gone),
    ];
    const asked = Date.now();
    await intend(accounts.kept.said(), accounts.gone.said([{ methods: ['GET'], path: null }]));
    assert.ok((await cut(goes)) - asked <= 2_000);
    assert.equal(
      statusOf(await say(to, gone, request(gone, { method: 'PUT', more: ['Content-Length: 0'] }))),
      '403',
    );
    assert.equal(statusOf(await say(to, gone, request(gone))), '200');
    assert.equal(stays.cutAt(), undefined);
    const moved = { ...accounts.kept.said(), upstream: accounts.third.said().upstream };
    await intend(moved);
    await cut(stays);
  },
);

test('a policy that lets nothing through ends the proxy', { timeout: 60_000 }, async (t) => {
  const { to, intend, ...accounts } = await world(t);
  const goes = await upload(t, to, kept, accounts.kept);
  const { report } = await intend({ ...accounts.kept.said(), enabled: false });
  await cut(goes);
  assert.equal(report.state, 'closed');
  assert.equal(report.clusters['c1']?.accounts[kept]?.state, 'closed');
  assert.equal(await say(to, kept, request(kept)), 'ECONNREFUSED');
  await intend(accounts.kept.said());
  assert.equal(statusOf(await say(to, kept, request(kept))), '200');
});

test(
  'a role that is replaced leaves streams alone, and what it finds is as it was told',
  { timeout: 60_000 },
  async (t) => {
    const { gate, to, intend, ...accounts } = await world(t);
    const stays = await upload(t, to, kept, accounts.kept);
    const { current } = await workersOf(gate.paths.master);
    await gate.replaceRole();
    const { report } = await gate.told('a pass', ({ applied }) => applied !== null);
    assert.equal(report.starts, 0);
    assert.equal(report.clusters['c1']!.authority, to.ca);
    assert.equal((await workersOf(gate.paths.master)).current, current);
    await intend(accounts.kept.said());
    assert.notEqual(statusOf(await say(to, gone, request(gone))), '200');
    assert.equal(await stays.finish(), '200');
  },
);

for (const [what, victim] of [
  ['a worker that is killed', async ({ paths }: Gate) => (await workersOf(paths.master)).current!],
  [
    'a master that is killed',
    async ({ paths }: Gate) => (JSON.parse(await readFile(paths.process, 'utf8')) as { pid: number }).pid,
  ],
] as const)
  test(`${what} is replaced, with the policy as it is`, { timeout: 60_000 }, async (t) => {
    const { gate, to, intend, ...accounts } = await world(t);
    await intend(accounts.kept.said());
    const before = (await workersOf(gate.paths.master)).current;
    process.kill(await victim(gate), 'SIGKILL');
    const at = Date.now();
    await until(
      'the gate to pass again',
      async () => {
        assert.notEqual(statusOf(await say(to, gone, request(gone))), '200', 'no open moment');
        const { current } = await workersOf(gate.paths.master).catch(() => ({ current: undefined }));
        if (current === undefined || current === before) return undefined;
        return statusOf(await say(to, kept, request(kept))) === '200' || undefined;
      },
      { timeoutMs: 10_000, everyMs: 10 },
    );
    t.diagnostic(`passes again after ${Date.now() - at} ms`);
    assert.equal(accounts.gone.seen.length, 0);
    assert.notEqual(statusOf(await say(to, gone, request(gone))), '200');
  });

test(
  'a proxy that does not answer is ended when something is taken from it',
  { timeout: 60_000 },
  async (t) => {
    const { gate, to, intend, ...accounts } = await world(t);
    const goes = await upload(t, to, gone, accounts.gone);
    const { pid } = JSON.parse(await readFile(gate.paths.process, 'utf8')) as { pid: number };
    const { current } = await workersOf(gate.paths.master);
    for (const one of [pid, current!]) process.kill(one, 'SIGSTOP');
    const { report } = await intend(accounts.kept.said());
    assert.notEqual(goes.cutAt(), undefined);
    assert.equal(report.starts, 2);
    assert.equal(statusOf(await say(to, kept, request(kept))), '200');
    assert.notEqual(statusOf(await say(to, gone, request(gone))), '200');
  },
);

test('an account that can not be enforced is named, and the others pass', { timeout: 60_000 }, async (t) => {
  const { to, intend, ...accounts } = await world(t);
  const broken: readonly GateAccount[] = [
    { ...accounts.gone.said(), name: 'evil\n  bind :1' },
    { ...accounts.third.said(), upstream: { ...accounts.third.said().upstream, authority: 'none' } },
  ];
  const { report } = await intend(accounts.kept.said(), ...broken);
  const said = report.clusters['c1']!.accounts;
  assert.equal(said[broken[0]!.name]?.error?.code, 'BadName');
  assert.equal(said[third]?.error?.code, 'BadAuthority');
  assert.deepEqual([said[third]?.state, said[kept]?.state], ['refused', 'open']);
  assert.equal(statusOf(await say(to, kept, request(kept))), '200');
  assert.notEqual(statusOf(await say(to, third, request(third))), '200');
});

test('the sockets of the proxy are its own user’s alone', { timeout: 60_000 }, async (t) => {
  const { gate } = await world(t);
  const { stat } = await import('node:fs/promises');
  const folder = await stat(gate.paths.master.replace(/\/[^/]*$/, ''));
  assert.equal(folder.mode & 0o777, 0o700);
  assert.equal((await stat(gate.paths.master)).mode & 0o777, 0o600);
  const status = await readFile(`/proc/${(await workersOf(gate.paths.master)).current}/status`, 'utf8');
  assert.match(status, /^CapEff:\s+0+$/m);
  assert.match(await ask(gate.paths.master, 'show proc'), /master/);
});
