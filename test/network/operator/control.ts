/** Control's side of an operator, as small as can be, with the real wire: enrolment with a token, and the exchange. */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import * as https from 'node:https';
import { Value } from 'typebox/value';
import type { ControlJoinFile } from '../../../src/exchange/intents/join.ts';
import { OperatorReport, type OperatorIntent } from '../../../src/exchange/intents/operator.ts';
import { revise } from '../../../src/exchange/revision.ts';
import {
  answer,
  createExchangeServer,
  peerByCertificate,
  readBody,
  refuse,
} from '../../../src/exchange/server.ts';
import { until } from '../../../src/lib/clock.ts';
import { createLog } from '../../../src/lib/log.ts';
import { createAuthority, issue, issueOnRequest } from '../../../src/lib/x509.ts';
import { ports } from '../../../src/network/ports.ts';

export interface TestControl {
  readonly join: ControlJoinFile;
  readonly enrolments: () => number;
  readonly reports: () => number;
  hand(intent: OperatorIntent): void;
  /** Waits for a report that applied the intent handed last and satisfies `check`. */
  waitFor(
    what: string,
    check: (report: OperatorReport) => boolean,
    timeoutMs?: number,
  ): Promise<OperatorReport>;
  /** Gone, and back. */
  stop(): void;
  start(): Promise<void>;
}

export async function createControl(address: string, identity: string): Promise<TestControl> {
  const now = Date.now();
  const authority = await createAuthority('control authority', { days: 10, now });
  const server = await issue(authority, {
    commonName: 'control',
    dns: ['control'],
    use: ['server'],
    days: 5,
    now,
  });
  const tls = { cert: server.certificate, key: server.privateKey, minVersion: 'TLSv1.3' as const };
  let intent: OperatorIntent | undefined;
  let latest: { readonly report: OperatorReport; readonly applied: string | null } | undefined;
  let enrolments = 0;
  let reports = 0;
  let token: string | undefined = 'one-time-token';

  const exchange = createExchangeServer<OperatorIntent, OperatorReport>({
    superior: {
      intentFor: (peer) => (peer === identity && intent ? revise(intent) : undefined),
      onReport(_peer, report, applied) {
        reports += 1;
        latest = { report, applied };
      },
    },
    peerOf: peerByCertificate,
    checkReport(value) {
      if (!Value.Check(OperatorReport, value))
        throw new Error(JSON.stringify(Value.Errors(OperatorReport, value)[0]));
      return value;
    },
    log: createLog({ role: 'control' }, { level: 'error' }),
  });

  const enrol = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = JSON.parse(await readBody(request, 65_536)) as {
      cluster: string;
      token: string;
      request: string;
    };
    if (body.token !== token) return refuse(response, 403, 'BadToken', 'The token is spent.');
    token = undefined;
    enrolments += 1;
    const certificate = await issueOnRequest(authority, body.request, {
      commonName: identity,
      use: ['client'],
      days: 5,
      now,
    });
    answer(response, { certificate, authority: authority.certificate });
  };

  let servers: https.Server[] = [];
  const start = async (): Promise<void> => {
    const door = https.createServer(
      { ...tls, ca: authority.certificate, requestCert: true },
      exchange.listener,
    );
    const enrolment = https.createServer(tls, (request, response) => void enrol(request, response));
    servers = [door.listen(ports.control, address), enrolment.listen(ports.controlEnrolment, address)];
    await Promise.all(servers.map((one) => once(one, 'listening')));
  };
  await start();

  return {
    join: {
      version: 1,
      cluster: identity,
      control: { address, port: ports.control, name: 'control', authority: authority.certificate },
      token: 'one-time-token',
    },
    enrolments: () => enrolments,
    reports: () => reports,
    start,
    stop() {
      for (const one of servers) {
        one.close();
        one.closeAllConnections();
      }
    },
    hand(next) {
      intent = next;
      exchange.wake();
    },
    waitFor: (what, check, timeoutMs = 15_000) =>
      until(
        what,
        () =>
          latest && intent && latest.applied === revise(intent).revision && check(latest.report)
            ? latest.report
            : undefined,
        { timeoutMs, everyMs: 50 },
      ).catch((error: unknown) => {
        const { dataCenters, refusals, nodes } = latest?.report ?? {
          dataCenters: [],
          refusals: [],
          nodes: [],
        };
        const phases = nodes.map((node) => `${node.name} ${node.phase}`);
        throw new Error(
          `${(error as Error).message} ${JSON.stringify({ applied: latest?.applied, dataCenters, refusals, phases })}`,
        );
      }),
  };
}
