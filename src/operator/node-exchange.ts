/**
 * The exchange with the nodes, on the operator's tunnel address. Who speaks is said three times over, and all must agree:
 * the certificate's name, that very certificate being the granted one, and the tunnel address, for which WireGuard vouches.
 */
import * as https from 'node:https';
import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { Value } from 'typebox/value';
import { NodeReport, type NodeIntent } from '../exchange/intents/node.ts';
import type { Revised } from '../exchange/revision.ts';
import { createExchangeServer, peerByCertificate } from '../exchange/server.ts';
import type { Log } from '../lib/log.ts';
import type { Authority } from '../lib/x509.ts';
import { fingerprintOfDer } from './authorities.ts';

/** A node that may speak. */
export interface Admitted {
  readonly exchangeFingerprint: string;
  /** Whether this is its tunnel address. */
  readonly speaksFrom: (source: string) => boolean;
}

export interface NodeExchangeOptions {
  readonly identity: Authority;
  /** PEM of the exchange authority. */
  readonly authority: string;
  readonly admitted: (node: string) => Admitted | undefined;
  readonly intentFor: (node: string) => Revised<NodeIntent> | undefined;
  readonly onReport: (node: string, report: NodeReport, applied: string | null) => void;
  readonly log: Log;
}

export interface NodeExchange {
  readonly server: https.Server;
  /** The node's intent may have changed. */
  wake(node: string): void;
  renew(identity: Authority): void;
}

export function createNodeExchange(options: NodeExchangeOptions): NodeExchange {
  const exchange = createExchangeServer<NodeIntent, NodeReport>({
    superior: {
      intentFor: options.intentFor,
      onReport(node, report, applied) {
        if (report.name !== node) throw new Error(`Node '${node}' reported as '${report.name}'.`);
        options.onReport(node, report, applied);
      },
    },
    peerOf: (request) => peerOf(request, options.admitted),
    checkReport: checkNodeReport,
    log: options.log,
    bodyLimit: 512 << 10,
  });
  const context = (identity: Authority) => ({
    cert: identity.certificate,
    key: identity.privateKey,
    ca: options.authority,
    minVersion: 'TLSv1.3' as const,
  });
  const server = https.createServer(
    { ...context(options.identity), requestCert: true, rejectUnauthorized: true, keepAliveTimeout: 60_000 },
    exchange.listener,
  );
  server.maxConnections = 512;
  return {
    server,
    wake: (node) => exchange.wake(node),
    renew: (identity) => server.setSecureContext(context(identity)),
  };
}

function peerOf(request: IncomingMessage, admitted: NodeExchangeOptions['admitted']): string | undefined {
  const name = peerByCertificate(request);
  const node = name === undefined ? undefined : admitted(name);
  if (!node?.speaksFrom(request.socket.remoteAddress ?? '')) return undefined;
  const { raw } = (request.socket as TLSSocket).getPeerCertificate();
  return fingerprintOfDer(raw) === node.exchangeFingerprint ? name : undefined;
}

/** A node is a level of less trust. What it says is checked before anybody reads it. */
export function checkNodeReport(value: unknown): NodeReport {
  if (Value.Check(NodeReport, value)) return value;
  const [flaw] = Value.Errors(NodeReport, value);
  throw new Error(`The report is malformed: ${flaw?.instancePath} ${flaw?.message}.`);
}
