/** A node's agent as far as it sends logs, with a real relay and a real gate between it and an account. */
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { systemClock, until } from '../../src/lib/clock.ts';
import { createLog } from '../../src/lib/log.ts';
import { openShipper } from '../../src/node/logs/ship.ts';
import { createLogShipping, type LogShipping } from '../../src/node/logs/shipping.ts';
import { createRelay } from '../../src/operator/relay.ts';
import { drive } from '../../src/reconcile/driver.ts';
import { freePort, startGate, type Account } from './gate.ts';

export interface LogWorldOptions {
  readonly account: Pick<Account, 'said'>;
  readonly name: string;
  readonly container: string;
  /** The right to write, as it is now. */
  readonly sas: () => string;
  /** What has arrived of a log. */
  readonly text: (log: string) => string | Promise<string>;
  /** Which logs `write` writes, all of them: `system.log` where it is left out. */
  readonly logs?: readonly ('system.log' | 'audit.log')[];
}

export async function logWorld(t: TestContext, options: LogWorldOptions) {
  const { name, container, logs = ['system.log'] } = options;
  const folder = mkdtempSync(join(tmpdir(), 'logs-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const gate = await startGate(t);
  const place = { address: '127.0.0.1', port: await freePort() };
  const allow = (of: Pick<Account, 'said'>) =>
    gate.intend({
      clusters: [
        {
          ...{ identity: 'c1', source: place.address, port: place.port },
          accounts: [of.said([{ methods: ['PUT'], path: `/${container}` }])],
        },
      ],
    });
  const { authority } = (await allow(options.account)).report.clusters['c1']!;
  const relay = createRelay({
    nodeAt: () => 'dc1-0',
    clock: systemClock,
    log: createLog({}, { level: 'error' }),
  });
  const listen = { address: '127.0.0.1', port: await freePort() };
  await relay.ensure({ listen, gate: place });
  t.after(() => relay.ensure(undefined));

  const files = {
    system: join(folder, 'system.log'),
    node: join(folder, 'node.log'),
    notes: join(folder, 'logs.json'),
  };
  let written = '';
  let line = 0;
  const lines: string[] = [];
  let stop = new AbortController();
  let shipping: LogShipping | undefined;
  let stopped: Promise<void> | undefined;
  const node = {
    ...{ folder, files, allow, relay, listen, place, lines, gate },
    written: () => written,
    write(count: number, length = 60): void {
      let text = '';
      for (let n = 0; n < count; n++) text += `${String(++line).padStart(7, '0')} ${'x'.repeat(length)}\n`;
      written += text;
      for (const log of logs) appendFileSync(join(folder, log), text);
    },
    /** As Cassandra's logback does. */
    rotate(): void {
      for (const log of logs)
        for (let at = 4; at >= 1; at--) {
          const from = join(folder, at === 1 ? log : `${log}.${at - 1}`);
          if (statSync(from, { throwIfNoEntry: false })) renameSync(from, join(folder, `${log}.${at}`));
        }
    },
    async start(more: { readonly now?: () => number } = {}): Promise<void> {
      stop = new AbortController();
      const log = createLog({}, { write: (text) => void lines.push(text) });
      shipping = createLogShipping({
        shipper: await openShipper({
          ...{ log, path: files.notes, now: Date.now, folder: () => 'c1/dc1/dc1-0', ...more },
          logs: [
            ...logs.map((one) => ({ name: one, path: join(folder, one), kept: 4 })),
            { name: 'node.log', path: files.node, kept: 1 },
          ],
        }),
        place: () => ({ ...listen, authority, account: name, container, sas: options.sas() }),
        onChange: () => undefined,
        ...{ clock: systemClock, log },
        times: { periodMs: 20, requestMs: 700, longestPauseMs: 100 },
      });
      ({ stopped } = drive(shipping.reconciler, { clock: systemClock, log, signal: stop.signal }));
    },
    /** As an agent that is killed: what it was about to do is not done. */
    async stop(): Promise<void> {
      stop.abort();
      await stopped;
    },
    report: () => shipping!.report()!,
    waits: async (reason: RegExp): Promise<void> => {
      const said = new Set<string>();
      await until(
        `the report to say ${reason}`,
        () => {
          const { waitingFor } = node.report();
          said.add(String(waitingFor));
          return reason.test(waitingFor ?? '') || undefined;
        },
        { timeoutMs: 15_000, everyMs: 10 },
      ).catch((error: unknown) => assert.fail(`${String(error)} It said: ${[...said].join(' | ')}`));
    },
    /** All that was written, each byte once, and it is said that nothing waits. */
    arrived: async (): Promise<void> => {
      for (const log of logs) {
        let text = '';
        await until(
          `all of ${log} to arrive`,
          async () => (text = await options.text(log)).length >= written.length || undefined,
          { timeoutMs: 30_000, everyMs: 20 },
        );
        assert.equal(text, written);
      }
      await until('the report to say so', () => node.report().waitingFor === null || undefined, {
        timeoutMs: 10_000,
        everyMs: 10,
      });
    },
  };
  t.after(() => node.stop());
  return node;
}
