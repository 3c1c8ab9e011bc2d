/** The product's model, asked in the words of the second reading. */
import type { FabricIntent } from '../../../src/exchange/intents/fabric.ts';
import { judge, reach, type Flow, type Walls } from '../../../src/network/reachability.ts';
import { wallsOfIntent } from '../../../src/network/walls.ts';
import { why, type Why } from '../../../src/network/why.ts';
import type { Fate, Packet } from './reading.ts';
import { machines } from './ground.ts';
import type { Question } from './worlds.ts';

const protocols = { tcp: 'Tcp', udp: 'Udp', icmp: 'Icmp' } as const;
const addressOf = (id: string): string => machines.find((machine) => machine.id === id)!.address;

const flowOf = ({ from, to, protocol, sourcePort, port }: Packet): Flow => {
  const icmp = protocol === 'icmp';
  return {
    protocol: protocols[protocol],
    source: { address: addressOf(from), port: icmp ? null : sourcePort },
    destination: { address: to, port: icmp ? null : port },
  };
};

export class Model {
  readonly #walls: Walls;
  readonly #destinations: ReadonlyMap<string, string>;
  constructor(intent: FabricIntent) {
    this.#walls = wallsOfIntent(intent);
    this.#destinations = new Map(
      intent.links.map(({ id, provider }) => [
        id,
        intent.machines.find(({ address }) => address === provider.destination)!.id,
      ]),
    );
  }

  why(packet: Packet): Why {
    return why(this.#walls, packet.from, flowOf(packet), 'provider');
  }

  fate(packet: Packet): Fate {
    const reached = reach(this.#walls, this.#place(packet.from), flowOf(packet));
    if (!reached.reached) return { at: reached.why === 'route' ? reached.at : null, answered: false };
    const at = reached.at === 'Internet' ? 'internet' : (this.#destinations.get(reached.at) ?? reached.at);
    return { at, answered: reached.astray === null };
  }

  allows({ machine, direction, far, protocol, sourcePort, port }: Question): boolean {
    const own = addressOf(machine);
    const outbound = direction === 'Outbound';
    const icmp = protocol === 'icmp';
    const flow: Flow = {
      protocol: protocols[protocol],
      source: { address: outbound ? own : far, port: icmp ? null : sourcePort },
      destination: { address: outbound ? far : own, port: icmp ? null : port },
    };
    return judge(this.#walls, this.#place(machine), direction, flow).access === 'Allow';
  }

  #place(id: string) {
    return this.#walls.places.find((place) => place.id === id)!;
  }
}
