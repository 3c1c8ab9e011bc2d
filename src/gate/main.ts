/** The role `gate`: one for all clusters, in a machine of its own. Puts the parts together; each part says what it does. */
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Value } from 'typebox/value';
import { follow, type Following } from '../exchange/client.ts';
import { gateEnroller, linkToControl, readJoinFile } from '../exchange/control-link.ts';
import { GateIntent, type GateReport } from '../exchange/intents/gate.ts';
import type { Revised } from '../exchange/revision.ts';
import { readJson, writeJson } from '../lib/files.ts';
import type { RoleContext } from '../lib/role.ts';
import { judgeGate } from '../network/gate.ts';
import { ports } from '../network/ports.ts';
import { drive, type Driven } from '../reconcile/driver.ts';
import { createDoorKeeper } from './door.ts';
import type { GateStatus } from './gate.ts';
import { openGate } from './open.ts';
import { gatePaths } from './paths.ts';
import { noReport } from './report.ts';

export async function runGate({ clock, log, signal, env }: RoleContext): Promise<void> {
  const disk = env['SALLYPORT_DISK'] ?? '/var/lib/sallyport';
  const paths = gatePaths(disk, env['SALLYPORT_RUN'] ?? '/run/sallyport');
  await mkdir(dirname(paths.intent), { recursive: true, mode: 0o700 });
  const joined = await readJoinFile(paths.join, gateEnroller);
  const nic = await readJson<{ device: string }>(join(disk, 'nic.json'));
  const enrolmentPort = joined.control.enrolmentPort ?? ports.controlEnrolment;
  const control = {
    address: joined.control.address,
    ports: [...new Set([joined.control.port, enrolmentPort])],
  };
  let intent = await readJson<Revised<GateIntent>>(paths.intent);
  let incoming: Revised<GateIntent> | undefined;

  // First of all, before anything listens or dials.
  const door = createDoorKeeper({ device: nic?.device ?? 'eth0', control }, clock);
  await door.ensure(intent ? judgeGate(intent.document).clusters : []);

  let driven: Driven<GateStatus> | undefined;
  let latest: GateStatus | undefined;
  let poke = (): void => undefined;
  const wake = (reason: string): void => driven?.wake(reason);
  const reconciler = await openGate({
    ...{ paths, program: 'haproxy', listen: '0.0.0.0', wake, clock, log },
    door,
    /** On disk first: with control gone, or after a restart, it is what holds. */
    async intent() {
      const next = incoming;
      if (next && next !== intent) {
        await writeJson(paths.intent, next);
        intent = next;
      }
      return intent;
    },
  });

  // What was told before is in force before control is asked for anything new.
  const running = new Promise<void>((resolve, reject) => {
    let told = '';
    driven = drive(reconciler, {
      ...{ clock, log, signal },
      onPass(status) {
        latest = status;
        const now = headline(status);
        if (now !== told) poke();
        told = now;
      },
    });
    driven.stopped.then(resolve, reject);
  });
  const { dial } = await linkToControl({
    ...{ join: joined, joinPath: paths.join, credentialsPath: paths.control, who: gateEnroller },
    ...{ enrolmentPort: ports.controlEnrolment, clock, log, signal },
  });
  const following: Following = follow<GateIntent, GateReport>({
    ...{ dial, clock, log, signal, seen: intent?.revision ?? null },
    report: () => latest ?? { applied: null, report: noReport },
    onIntent(next) {
      if (!Value.Check(GateIntent, next.document)) {
        const [flaw] = Value.Errors(GateIntent, next.document);
        const words = `${flaw?.instancePath} ${flaw?.message}`;
        log.error('control sent an intent that is malformed', { flaw: words });
        return;
      }
      incoming = next;
      wake('intent');
    },
  });
  poke = () => following.poke();
  await running;
}

/** What is news: sums change with every request, and are told with the next beat. */
const headline = ({ applied, report }: GateStatus): string =>
  JSON.stringify([
    applied,
    report.state,
    report.error,
    Object.entries(report.clusters).map(([identity, { authority, accounts, error }]) => [
      ...[identity, authority, error],
      Object.entries(accounts).map(([name, { state, upstream, error: flaw }]) => [
        name,
        state,
        upstream,
        flaw,
      ]),
    ]),
  ]);
