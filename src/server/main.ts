/**
 * The one program's other entry: `node dist/server/main.js ROLE`. It imports the role it runs and no other, so that an
 * agent on a data node never loads the control plane.
 *
 * server/ puts configuration and roles together. It must hold no logic of a role.
 */
import { systemClock } from '../lib/clock.ts';
import { createLog } from '../lib/log.ts';
import type { RoleContext } from '../lib/role.ts';

type Role = (context: RoleContext) => Promise<void>;

const roles: Readonly<Record<string, () => Promise<Role>>> = {
  control: async () => (await import('./control.ts')).runControl,
  fabric: async () => (await import('../fabric/main.ts')).runFabric,
  'control-door': async () => (await import('../fabric/control-door.ts')).runControlDoor,
  gate: async () => (await import('../gate/main.ts')).runGate,
  storage: async () => (await import('../services/storage.ts')).runStorage,
  monitor: async () => (await import('../services/monitor.ts')).runMonitor,
  operator: async () => (await import('../operator/main.ts')).runOperator,
  node: async () => (await import('../node/main.ts')).runNode,
};

const name = process.argv[2] ?? '';
const load = roles[name];
if (!load) {
  process.stderr.write(`No role is called '${name}'. Roles: ${Object.keys(roles).join(', ')}.\n`);
  process.exit(2);
}
const stop = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort());
const log = createLog({ role: name });
try {
  const run = await load();
  await run({ clock: systemClock, log, signal: stop.signal, env: process.env });
  process.exit(0);
} catch (error) {
  log.error('the role ended', { error });
  process.exit(1);
}
