/**
 * The policy of a service's own machine: the gate comes in on one port, and nothing goes out. A pure plan, applied as one atomic
 * transaction; it has no open state, and the wall outside says the same.
 */
import { isIPv4 } from 'node:net';
import { answers, errors, renderMachineDoor } from './machine-door.ts';

export interface ServiceDoor {
  /** The machine's interface in the provider's network. */
  readonly device: string;
  readonly port: number;
  /** IPv4. */
  readonly gate: string;
}

export const serviceDoorTable = 'sallyport_service';

export function planServiceDoor({ device, port, gate }: ServiceDoor): string {
  if (!isIPv4(gate))
    throw new Error(`The gate's address is ${JSON.stringify(gate.slice(0, 80))}, which is no IPv4 address.`);
  return renderMachineDoor({
    table: serviceDoorTable,
    input: [
      errors,
      `iifname "${device}" ip saddr ${gate} tcp dport ${port} ct direction original counter accept`,
    ],
    output: [errors, `oifname "${device}" ip daddr ${gate} tcp sport ${port} ${answers}`],
  });
}
