/** One long-lived prober in each namespace, fed by lines; what they say they saw is kept for good. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { until } from '../../../src/lib/clock.ts';
import { internetNamespace } from '../../../src/network/internet.ts';
import type { Yard } from '../yard.ts';
import type { Packet } from './reading.ts';
import { machines } from './ground.ts';

/** `f`: towards who was spoken to, `r`: back. `1`: what began a flow and its answer, `2`: what came later. */
export type Kind = 'f1' | 'r1' | 'f2' | 'r2';

export class Probers {
  readonly #children = new Map<string, ChildProcess>();
  readonly #seen = new Map<string, Set<string>>();
  readonly #begun = new Map<number, Packet>();

  static async start(yard: Yard): Promise<Probers> {
    const program = await readFile(new URL('prober.pl', import.meta.url), 'utf8');
    const probers = new Probers();
    const places = [...machines.map(({ id, address }) => [id, [address]] as const), [internetNamespace, []]];
    for (const [id, own] of places as readonly (readonly [string, readonly string[]])[]) {
      const child = yard.start(id, ['perl', '-e', program, ...own]);
      probers.#children.set(id, child);
      const lines = createInterface({ input: child.stdout! });
      await once(lines, 'line');
      lines.on('line', (line) => {
        const at = probers.#seen.get(line) ?? new Set();
        probers.#seen.set(line, at.add(id));
      });
    }
    return probers;
  }

  begin(id: number, packet: Packet): void {
    const { from, to, protocol, sourcePort, port } = packet;
    this.#begun.set(id, packet);
    const { address } = machines.find((one) => one.id === from)!;
    this.#tell(from, `s ${id} ${protocol} ${address} ${to} ${sourcePort} ${port}`);
  }

  goOn(id: number, from: string): void {
    this.#tell(from, `c ${id}`);
  }

  sayBack(id: number, at: string): void {
    this.#tell(at, `b ${id}`);
  }

  #tell(place: string, line: string): void {
    this.#children.get(place)!.stdin!.write(`${line}\n`);
  }

  /** Where a flow's packet of a kind was seen, in order. */
  at(id: number, kind: Kind): readonly string[] {
    return [...(this.#seen.get(`${id} ${kind}`) ?? [])].sort();
  }

  /**
   * Until all that shall arrive did. What doesn't is a disagreement, and for the caller to tell. What began a flow is said again, as
   * everybody does: of two packets that are translated to one and the same flow at one moment the kernel drops one.
   */
  async settle(expected: readonly { readonly id: number; readonly kind: Kind; readonly at: string }[]) {
    const all = () => expected.every(({ id, kind, at }) => this.at(id, kind).includes(at)) || undefined;
    for (let tries = 0; tries < 5; tries++) {
      const done = await until('what shall arrive', all, { timeoutMs: 4_000, everyMs: 5 }).catch(() => false);
      if (done) return;
      const missed = expected.filter(({ id, kind, at }) => !this.at(id, kind).includes(at));
      for (const { id, kind } of missed)
        if (kind === 'f1' || kind === 'r1') this.begin(id, this.#begun.get(id)!);
    }
  }

  close(): void {
    for (const child of this.#children.values()) child.stdin!.end();
  }
}
