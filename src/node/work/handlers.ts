import type { NodeIntent, NodeWork } from '../../exchange/intents/node.ts';
import { until, type Clock } from '../../lib/clock.ts';
import { UserError } from '../../lib/errors.ts';
import type { Jolokia } from '../cassandra/jolokia.ts';
import { storageService } from '../cassandra/truth.ts';
import { runChild } from '../child.ts';
import { cleanup } from './cleanup.ts';
import { decommission } from './decommission.ts';
import type { WorkHandler, WorkKind } from './runner.ts';
import type { RolesOutcome, RolesTask } from './wire.ts';

export interface WorkContext {
  readonly jolokia: Jolokia;
  readonly address: string;
  /** The intent in force, for the name of the data centre and the client authority. */
  readonly intent: () => NodeIntent | undefined;
  readonly clock: Clock;
}

const childMs = 90_000;

export function workHandlers(context: WorkContext): Readonly<Record<WorkKind, WorkHandler>> {
  const askRoles = async (task: Pick<RolesTask, 'task'>, signal: AbortSignal): Promise<void> => {
    const intent = context.intent();
    if (!intent) throw new Error('Nothing is intended for this node.');
    const whole: RolesTask = {
      ...task,
      address: context.address,
      dataCenter: intent.cassandra.dataCenter,
      authority: intent.certificates.client.authority,
    } as RolesTask;
    const outcome = await runChild<RolesOutcome>(['work', 'roles-child'], whole, {
      timeoutMs: childMs,
      signal,
    });
    if (outcome.at === 'failed')
      throw new UserError(outcome.error.code, outcome.error.message, 'look at the log of this node');
  };

  return {
    async 'start-native-transport'(_, signal) {
      const { jolokia, clock } = context;
      const isOpen = async (): Promise<unknown> => {
        const answers = await jolokia
          .read([{ mbean: storageService, attribute: 'NativeTransportRunning' }])
          .catch(() => []);
        return answers[0];
      };
      const answering = async (): Promise<boolean | undefined> => {
        const open = await isOpen();
        return typeof open === 'boolean' ? open : undefined;
      };
      const open = await until('Cassandra to answer', answering, { timeoutMs: 60_000, clock, signal });
      if (!open) await jolokia.exec(storageService, 'startNativeTransport()');
      const opened = async (): Promise<true | undefined> => ((await isOpen()) === true ? true : undefined);
      await until('CQL to be open on this node', opened, { timeoutMs: 20_000, clock, signal });
    },
    async 'secure-roles'(work, signal) {
      if (work.kind === 'secure-roles') await askRoles({ task: { kind: 'secure-roles', work } }, signal);
    },
    cleanup: (_, signal) => cleanup(context.jolokia, context.clock, signal),
    decommission: (_, signal) => decommission(context.jolokia, context.clock, signal),
    async 'check-default-password-refused'(_: NodeWork, signal) {
      // What was let in a moment ago is remembered for two seconds: asked afresh, the answer is there at once.
      await context.jolokia
        .exec('org.apache.cassandra.auth:type=CredentialsCache', 'invalidate()')
        .catch(() => undefined);
      await askRoles({ task: { kind: 'check-default-password-refused' } }, signal);
    },
  };
}
