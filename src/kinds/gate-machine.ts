/** The gate's machine, as the fabric shall make it: pure. */
import { isIPv4 } from 'node:net';
import type { AllowRule, FabricMachine } from '../exchange/intents/fabric.ts';
import { ports } from '../network/ports.ts';
import type { Store } from '../store/resource.ts';
import { gateJoin } from './gate-enrolment.ts';
import { reviseGate } from './gate-intent.ts';
import { platform } from './platform.ts';
import type { Remember } from './remember.ts';
import type { Settings } from './settings.ts';

const host = (address: string): string => `${address}/32`;

/** Operators that may reach an account come in; out it goes to the accounts' addresses, and to control. */
export function gateMachine(
  store: Pick<Store, 'get' | 'list' | 'idsOf' | 'secrets'>,
  settings: Pick<Settings, 'operatorAuthority' | 'providerSubscription' | 'accounts'>,
  remember: Remember,
): FabricMachine | undefined {
  const intent = reviseGate(store, settings, remember)?.document;
  if (!intent) return undefined;
  const open = intent.clusters.filter(({ accounts }) => accounts.length > 0);
  const out = (remote: readonly string[], port: number, reason: string): AllowRule => ({
    ...{ direction: 'out', protocol: 'tcp', remote: remote.map(host), port, reason },
  });
  const upstreams = open.flatMap(({ accounts }) => accounts.map(({ upstream }) => upstream));
  const servicePorts = [...new Set(upstreams.map(({ port }) => port))].sort((a, b) => a - b);
  const addressesAt = (port: number): readonly string[] =>
    [
      ...new Set(
        upstreams.filter((one) => one.port === port && isIPv4(one.address)).map((one) => one.address),
      ),
    ].sort();
  const join = gateJoin(store, settings);
  const control = [platform.controlDoor.address];
  return {
    id: platform.gate.machine,
    kind: 'gate',
    hostname: 'gate',
    network: platform.network,
    subnet: 'gate',
    address: platform.gate.address,
    allow: [
      ...(open.length > 0
        ? [
            {
              ...({ direction: 'in', protocol: 'tcp' } as const),
              remote: open.map(({ source }) => host(source)),
              port: ports.gate,
              reason: 'operators reach the accounts of their policies',
            },
          ]
        : []),
      ...servicePorts.map((port) => out(addressesAt(port), port, 'accounts that policies name')),
      out(control, ports.controlGate, 'the exchange with control'),
      out(control, ports.controlEnrolment, 'enrolment at control'),
    ],
    seed: join === undefined ? {} : { 'gate.json': join },
  };
}
