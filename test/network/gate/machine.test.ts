import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, chownSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import * as https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test, type TestContext } from 'node:test';
import type { AllowRule, FabricIntent, FabricMachine } from '../../../src/exchange/intents/fabric.ts';
import { GateReport, type GateIntent } from '../../../src/exchange/intents/gate.ts';
import type { ControlJoinFile } from '../../../src/exchange/intents/join.ts';
import { revise } from '../../../src/exchange/revision.ts';
import { answer, createExchangeServer, peerByCertificate, readBody } from '../../../src/exchange/server.ts';
import { until } from '../../../src/lib/clock.ts';
import { createLog } from '../../../src/lib/log.ts';
import { createAuthority, issue, issueOnRequest, type Authority } from '../../../src/lib/x509.ts';
import { Value } from 'typebox/value';
import { buildProgram, TestFabric } from '../../harness/fabric.ts';

const at = {
  control: '172.31.0.4',
  one: '172.31.1.4',
  two: '172.31.1.5',
  gate: '172.31.3.4',
  logs: '172.31.4.4',
  evil: '172.31.4.5',
};
/** Of the accounts: a machine's user may not listen on a lower one. */
const service = 10_443;
const names = { logs: 'logs.blob.core.windows.net', evil: 'attacker.blob.core.windows.net' };

/** Control's side of the gate on the sockets that machine control-door leads to. */
async function standIn(t: TestContext, fabric: TestFabric) {
  const now = Date.now();
  const authority = await createAuthority('control authority', { days: 2, now });
  const server = await issue(authority, {
    commonName: 'control',
    dns: ['control'],
    use: ['server'],
    days: 2,
    now,
  });
  const tls = { key: server.privateKey, cert: server.certificate, minVersion: 'TLSv1.3' as const };
  let intent: GateIntent = { clusters: [] };
  let latest: { readonly report: GateReport; readonly applied: string | null } | undefined;
  const exchange = createExchangeServer<GateIntent, GateReport>({
    superior: {
      intentFor: (peer) => (peer === 'gate' ? revise(intent) : undefined),
      onReport: (_, report, applied) => (latest = { report, applied }),
    },
    peerOf: peerByCertificate,
    checkReport: (value) => Value.Parse(GateReport, value),
    log: createLog({}, { level: 'error' }),
  });
  const enrolment: RequestListener = (request, response) => {
    void readBody(request, 65_536).then(async (text) => {
      const asked = JSON.parse(text) as {
        readonly cluster: string;
        readonly token: string;
        readonly request: string;
      };
      assert.deepEqual([asked.cluster, asked.token], ['gate', 'once']);
      const profile = { commonName: 'gate', use: ['client'] as const, days: 2, now };
      const certificate = await issueOnRequest(authority, asked.request, profile);
      answer(response, { certificate, authority: authority.certificate });
    });
  };
  const mutual = { ca: authority.certificate, requestCert: true, rejectUnauthorized: true };
  const folder = join(fabric.home, 'control/doors/operators');
  for (const [name, listener] of [
    ['gate', https.createServer({ ...tls, ...mutual }, exchange.listener)],
    ['enrolment', https.createServer(tls, enrolment)],
  ] as const) {
    listener.listen(join(folder, name));
    await once(listener, 'listening');
    t.after(() => {
      listener.closeAllConnections();
      listener.close();
    });
    chmodSync(join(folder, name), 0o666);
  }
  // As control's own user owns them on a real host.
  chownSync(folder, 64_087, 64_087);
  for (const name of ['gate', 'enrolment']) chownSync(join(folder, name), 64_087, 64_087);
  const file: ControlJoinFile = {
    ...{ version: 1, cluster: 'gate', token: 'once' },
    control: {
      address: at.control,
      port: 8442,
      enrolmentPort: 8440,
      name: 'control',
      authority: authority.certificate,
    },
  };
  return {
    join: JSON.stringify(file),
    async intend(next: GateIntent): Promise<GateReport> {
      intent = next;
      exchange.wake();
      const { revision } = revise(next);
      return until('the gate to apply it', () => (latest?.applied === revision ? latest.report : undefined), {
        timeoutMs: 30_000,
      });
    },
  };
}

const rule = (direction: AllowRule['direction'], remote: string, port: number): AllowRule => ({
  ...{ direction, protocol: 'tcp', remote: [`${remote}/32`], port, reason: 'test' },
});
const machine = (
  id: keyof typeof at,
  kind: FabricMachine['kind'],
  subnet: string,
  allow: AllowRule[] | null,
  seed = {},
): FabricMachine => ({
  ...{ id, kind, hostname: id, network: 'provider', subnet, address: at[id], allow, seed },
});

const world = (join: string): FabricIntent => ({
  networks: [
    {
      ...{ id: 'provider', label: 'provider', prefixes: ['172.31.0.0/16'], internet: false },
      subnets: ['control', 'operators', 'link', 'gate', 'services'].map((name, n) => ({
        name,
        prefix: `172.31.${n}.0/24`,
      })),
    },
  ],
  machines: [
    machine('control', 'control-door', 'control', [rule('in', at.gate, 8442), rule('in', at.gate, 8440)]),
    machine('one', 'application', 'operators', [rule('out', at.gate, 443)]),
    machine('two', 'application', 'operators', [rule('out', at.gate, 443)]),
    machine(
      ...(['gate', 'gate', 'gate'] as const),
      [
        ...[rule('in', at.one, 443), rule('in', at.two, 443)],
        ...[rule('out', at.control, 8442), rule('out', at.control, 8440), rule('out', at.logs, service)],
      ],
      { 'gate.json': join },
    ),
    machine('logs', 'application', 'services', null),
    machine('evil', 'application', 'services', null),
  ],
  links: [],
  work: [],
});

test(
  'a gate in a machine of its own: an operator reaches what its policy names, through it and in no other way',
  { timeout: 240_000 },
  async (t) => {
    const program = await buildProgram();
    const scratch = mkdtempSync(join(tmpdir(), 'gate-test-'));
    chmodSync(scratch, 0o755);
    // Where a machine's user, who is nobody here, can read them.
    const node = join(program, 'node');
    const inside = join(scratch, 'inside.ts');
    copyFileSync(fileURLToPath(new URL('inside.ts', import.meta.url)), inside);
    const fabric = await TestFabric.start({ program });
    t.after(async () => {
      await fabric.close();
      for (const folder of [program, scratch]) rmSync(folder, { recursive: true, force: true });
    });
    const control = await standIn(t, fabric);
    await fabric.tell(world(control.join), 60_000);

    const authorities: Record<string, Authority> = {};
    for (const id of ['logs', 'evil'] as const) {
      authorities[id] = await createAuthority(id, { days: 2, now: Date.now() });
      const leaf = await issue(authorities[id], {
        commonName: 'x',
        dns: [names[id]],
        use: ['server'],
        days: 2,
        now: Date.now(),
      });
      writeFileSync(join(scratch, `${id}.json`), JSON.stringify(leaf));
      writeFileSync(join(scratch, `${id}.pem`), authorities[id].certificate);
      void fabric.inNetworkOf(
        id,
        [node, inside, 'serve', names[id], String(service), join(scratch, `${id}.json`)],
        150_000,
      );
    }
    const ask = async (from: string, to: string, name: string, ca: string): Promise<string> =>
      (await fabric.inNetworkOf(from, [node, inside, 'ask', to, name, join(scratch, ca)])).stdout.trim();
    const account = (id: 'logs' | 'evil') => ({
      ...{ name: names[id], enabled: true, rules: [{ methods: [], path: null }] },
      upstream: { address: at[id], port: service, authority: authorities[id]!.certificate },
    });
    // The positive control: both accounts serve, to who may reach them.
    await until(
      'the accounts to serve',
      async () =>
        /this is/.test(await ask('evil', `${at.logs}:${service}`, names.logs, 'logs.pem')) || undefined,
      { timeoutMs: 20_000 },
    );
    assert.match(await ask('logs', `${at.evil}:${service}`, names.evil, 'evil.pem'), /this is/);

    const policy: GateIntent = {
      clusters: [
        { identity: 'c1', source: at.one, port: 20_004, accounts: [account('logs')] },
        { identity: 'c2', source: at.two, port: 20_005, accounts: [] },
      ],
    };
    const report = await control.intend(policy);
    assert.equal(report.state, 'passing', JSON.stringify(report));
    writeFileSync(join(scratch, 'gate.pem'), report.clusters['c1']!.authority);
    assert.match(await ask('one', at.gate, names.logs, 'gate.pem'), /200 OK.*this is logs.*, for logs/);
    // Round it, past it, as another cluster, and what the policy does not name.
    assert.doesNotMatch(await ask('one', `${at.logs}:${service}`, names.logs, 'logs.pem'), /this is/);
    assert.doesNotMatch(await ask('one', `${at.evil}:${service}`, names.evil, 'evil.pem'), /this is/);
    assert.doesNotMatch(await ask('one', `${at.gate}:20004`, names.logs, 'gate.pem'), /this is/);
    assert.doesNotMatch(await ask('two', at.gate, names.logs, 'gate.pem'), /this is/);
    assert.doesNotMatch(await ask('one', at.gate, names.evil, 'gate.pem'), /this is/);
    // From the gate itself, its own root cannot reach what the policy does not name.
    assert.match(await ask('gate', `${at.logs}:${service}`, names.logs, 'logs.pem'), /this is/);
    assert.doesNotMatch(await ask('gate', `${at.evil}:${service}`, names.evil, 'evil.pem'), /this is/);
    await fabric.inMachine('gate', ['nft', 'flush', 'ruleset']);
    assert.doesNotMatch(await ask('gate', `${at.evil}:${service}`, names.evil, 'evil.pem'), /this is/);
    await until(
      'the gate to put its rules back',
      async () =>
        (await fabric.inMachine('gate', ['nft', 'list', 'table', 'inet', 'sallyport_gate'])).exitCode === 0 ||
        undefined,
      { timeoutMs: 20_000, everyMs: 500 },
    );
    assert.match(await ask('one', at.gate, names.logs, 'gate.pem'), /this is/);

    const closed = await control.intend({
      clusters: policy.clusters.map((one) => ({ ...one, accounts: [] })),
    });
    assert.equal(closed.state, 'closed');
    assert.doesNotMatch(await ask('one', at.gate, names.logs, 'gate.pem'), /this is/);
  },
);
