import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  clusterType,
  type ClusterProperties,
  type ClusterState,
} from '../../src/kinds/cassandra-cluster/schema.ts';
import { startKinds } from '../../src/kinds/control.ts';
import { kinds as registry } from '../../src/kinds/registry.ts';
import type { Kinds } from '../../src/kinds/plane.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { createLog } from '../../src/lib/log.ts';
import { startControl, type Control } from '../../src/server/control.ts';
import type { ControlStore } from '../../src/store/store.ts';
import { playedLevels, playedProbes } from './played-levels.ts';

export interface Party {
  readonly subscriptionId: string;
  readonly clientId: string;
  readonly secret: string;
  readonly displayName: string;
}

export interface PlayedControl extends AsyncDisposable {
  readonly control: Control;
  readonly tenantId: string;
  readonly provider: Party;
  readonly customer: Party;
  /** Path of the certificate (PEM) that clients are to trust. */
  readonly authority: string;
  /** For what a test needs in there and no client can put there. */
  readonly store: ControlStore;
}

/**
 * The whole control with its own kinds, over HTTPS, its state on disk; the levels below are played. It takes part in no
 * network but loopback and starts no process.
 */
export async function playedControl(): Promise<PlayedControl> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-played-'));
  const party = (displayName: string): Party => ({
    subscriptionId: randomUUID(),
    clientId: randomUUID(),
    secret: `s-${randomUUID()}`,
    displayName,
  });
  const parties = { tenantId: randomUUID(), provider: party('provider'), customer: party('customer') };
  writeFileSync(join(folder, 'bootstrap.json'), JSON.stringify(parties), { mode: 0o600 });
  const stop = new AbortController();
  let store!: ControlStore;
  const control = await startControl(
    {
      clock: systemClock,
      log: createLog({}, { level: 'warn' }),
      signal: stop.signal,
      env: { SALLYPORT_CONTROL: folder },
    },
    {
      kinds: registry,
      start(options) {
        store = options.store as ControlStore;
        const levels = playedLevels(options.store, options.clock, () => kinds);
        const probes = playedProbes(() => kinds, options);
        const played = { heard: levels, probes, availableMegabytes: () => null };
        const kinds: Kinds = startKinds({ ...options, ...played });
        kinds.onIntentChange(() => void setImmediate(report));
        function report(): void {
          if (options.signal.aborted) return;
          const { report: said, applied } = levels.fabric()!;
          kinds.onFabricReport(said, applied);
          for (const { id, state } of store.list<ClusterProperties, ClusterState>(clusterType)) {
            const operator = levels.operator(id);
            if (operator) kinds.onOperatorReport(state.identity, operator.report, operator.applied);
          }
        }
        return kinds;
      },
    },
  );
  return {
    ...parties,
    control,
    store,
    authority: join(folder, 'authority', 'ca.pem'),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await control.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
