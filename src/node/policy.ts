import type { JoinFile, NodeIntent } from '../exchange/intents/node.ts';
import type { DoorPolicy } from '../network/door.ts';
import { ports } from '../network/ports.ts';
import { addressOf, prefixLengthOf, type Nic, type NodeIdentity } from './identity.ts';

export const tunnelDevice = 'wg0';

interface Ground {
  readonly nic: Nic;
  /** Cassandra's uid where the kernel can tell it from the agent's. */
  readonly deniedUid: number | null;
}

export const nicOf = (nic: Nic): DoorPolicy['nic'] => ({
  device: nic.device,
  address: addressOf(nic),
  prefixLength: prefixLengthOf(nic),
});

/** With the one-time key nothing but the enrolment port may be dialled. */
export function enrollingPolicy(join: JoinFile, { nic, deniedUid }: Ground): DoorPolicy {
  return {
    state: 'joining',
    nic: nicOf(nic),
    endpoint: join.endpoint,
    tunnel: {
      device: tunnelDevice,
      address: bare(join.oneTime.address),
      operator: bare(join.operator.address),
      open: [
        { protocol: 'tcp', port: join.operator.enrolmentPort, reason: 'enrolment with the one-time key' },
      ],
    },
    peers: [],
    clients: [],
    deniedUid,
  };
}

/** Whoever answered at the door could not prove to be the operator: not even the tunnel stays. */
export function distrustPolicy({ nic, deniedUid }: Ground): DoorPolicy {
  return {
    state: 'blocked',
    nic: nicOf(nic),
    endpoint: null,
    tunnel: null,
    peers: [],
    clients: [],
    deniedUid,
  };
}

/** As intended; before the first intent, joining with no peer. */
export function enrolledPolicy(
  identity: NodeIdentity,
  intent: NodeIntent | undefined,
  { nic, deniedUid }: Ground,
): DoorPolicy {
  const own = addressOf(nic);
  return {
    state: intent?.door.state ?? 'joining',
    nic: nicOf(nic),
    endpoint: intent?.door.endpoint ?? identity.endpoint,
    tunnel: {
      device: tunnelDevice,
      address: bare(identity.address),
      operator: bare(identity.operator.address),
      open: [
        { protocol: 'tcp', port: identity.exchange.port, reason: 'the exchange with the operator' },
        { protocol: 'udp', port: ports.mtuProbe, reason: 'the MTU probe' },
        ...services(intent),
      ],
    },
    peers: (intent?.door.peers ?? []).filter((peer) => peer !== own),
    clients: intent?.door.clients ?? [],
    ...(intent?.door.metrics && { metrics: intent.door.metrics }),
    deniedUid,
  };
}

type Open = NonNullable<DoorPolicy['tunnel']>['open'];

const services = (intent: NodeIntent | undefined): Open =>
  intent?.services
    ? [
        {
          protocol: 'tcp',
          port: intent.services.port,
          reason: 'services, by the operator and the gate',
          notBlocked: true,
        },
      ]
    : [];

/** An address without its prefix length. */
export const bare = (address: string): string => address.split('/')[0] ?? address;
