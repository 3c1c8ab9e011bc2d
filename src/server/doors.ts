import { chmod, mkdir, rm } from 'node:fs/promises';
import * as http from 'node:http';
import * as https from 'node:https';
import type { Server } from 'node:net';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { Compile } from 'typebox/compile';
import type { TSchema, Static } from 'typebox';
import { FabricReport, type FabricIntent } from '../exchange/intents/fabric.ts';
import { GateReport, type GateIntent } from '../exchange/intents/gate.ts';
import { gatePeer } from '../exchange/intents/join.ts';
import { OperatorReport, type OperatorIntent } from '../exchange/intents/operator.ts';
import { createExchangeServer, peerByCertificate } from '../exchange/server.ts';
import { UserError } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import type { Authority } from '../lib/x509.ts';
import type { Kinds } from '../kinds/plane.ts';

export interface DoorOptions {
  /** Control's folder. */
  readonly folder: string;
  readonly kinds: Pick<Kinds, 'fabricIntent' | 'operatorIntent' | 'gateIntent'>;
  readonly operators: { readonly authority: Authority; readonly server: Authority };
  readonly gate: { readonly authority: Authority; readonly server: Authority };
  readonly onFabric: (report: FabricReport, applied: string | null) => void;
  readonly onOperator: (identity: string, report: OperatorReport, applied: string | null) => void;
  readonly onGate: (report: GateReport, applied: string | null) => void;
  readonly onEvidence: (name: string, body: Readable) => Promise<void>;
  /** Answers the first words of operators and of the gate. */
  readonly enrolment: http.RequestListener;
  readonly log: Log;
}

export interface Doors {
  /** The intent of `fabric`, of `gate`, or of an operator's identity, may have changed. */
  wake(peer: string): void;
  close(): Promise<void>;
}

export const fabricPeer = 'fabric';

/** The unix sockets by which the levels below dial in: the fabric's, and those of operators and the gate, with TLS inside. */
export async function openDoors(options: DoorOptions): Promise<Doors> {
  const { kinds, log, operators } = options;
  const fabric = createExchangeServer<FabricIntent, FabricReport>({
    superior: {
      intentFor: () => kinds.fabricIntent(),
      onReport: (_peer, report, applied) => options.onFabric(report, applied),
      onStream: (_peer, name, body) => options.onEvidence(name, body),
    },
    // Who may open the socket is decided by its mode and the folders around it: there are one-time secrets in the intent.
    peerOf: () => fabricPeer,
    checkReport: checked(FabricReport),
    log: log.with({ door: 'fabric' }),
  });
  const operator = createExchangeServer<OperatorIntent, OperatorReport>({
    superior: {
      intentFor: (identity) => kinds.operatorIntent(identity),
      onReport(identity, report, applied) {
        // A cluster that is gone has no say; its operator is refused after this.
        if (kinds.operatorIntent(identity)) options.onOperator(identity, report, applied);
      },
    },
    peerOf: peerByCertificate,
    checkReport: checked(OperatorReport),
    log: log.with({ door: 'operators' }),
  });
  const gate = createExchangeServer<GateIntent, GateReport>({
    superior: {
      intentFor: (peer) => (peer === gatePeer ? kinds.gateIntent?.() : undefined),
      onReport(peer, report, applied) {
        if (peer === gatePeer && kinds.gateIntent?.()) options.onGate(report, applied);
      },
    },
    peerOf: peerByCertificate,
    checkReport: checked(GateReport),
    log: log.with({ door: 'gate' }),
  });
  const tlsOf = ({ privateKey, certificate }: Authority) => ({
    ...{ key: privateKey, cert: certificate, minVersion: 'TLSv1.3' as const },
  });
  const mutual = ({ authority, server }: DoorOptions['operators']) => ({
    ...{ ...tlsOf(server), ca: authority.certificate, requestCert: true, rejectUnauthorized: true },
  });
  const servers: readonly (readonly [string, http.Server])[] = [
    ['fabric/sock', http.createServer(fabric.listener)],
    ['operators/exchange', https.createServer(mutual(operators), operator.listener)],
    ['operators/gate', https.createServer(mutual(options.gate), gate.listener)],
    ['operators/enrolment', https.createServer(tlsOf(operators.server), options.enrolment)],
  ];
  for (const [name, server] of servers) await listen(server, join(options.folder, 'doors', name));

  return {
    wake(peer) {
      if (peer === fabricPeer) return fabric.wake();
      return peer === gatePeer ? gate.wake(peer) : operator.wake(peer);
    },
    async close() {
      await Promise.all(
        servers.map(([, server]) => {
          const closed = new Promise((resolve) => server.close(resolve));
          server.closeAllConnections();
          return closed;
        }),
      );
    },
  };
}

/**
 * For control's own user alone, folders and socket: the fabric may pass as the one who made that user, the door's machine
 * belongs to it, and nobody else of the host has business here. A socket left from before is nobody's: the store's lock says so.
 */
async function listen(server: Server, path: string): Promise<void> {
  if (Buffer.byteLength(path) > 107) {
    throw new UserError(
      'PathTooLong',
      `The path ${path} is longer than the 107 bytes a unix socket can have.`,
      'Set SALLYPORT_HOME to a shorter path.',
    );
  }
  await mkdir(dirname(path), { recursive: true });
  for (const folder of [dirname(path), dirname(dirname(path))]) await chmod(folder, 0o700);
  await rm(path, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  await chmod(path, 0o600);
}

function checked<T extends TSchema>(schema: T): (value: unknown) => Static<T> {
  const check = Compile(schema);
  return (value) => {
    if (check.Check(value)) return value;
    const flaw = check.Errors(value)[0];
    throw new Error(`The report is not of its schema: ${flaw?.instancePath || '/'} ${flaw?.message ?? ''}.`);
  };
}
