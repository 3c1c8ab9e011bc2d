/**
 * How long a change of a security group of 1,000 rules takes: compiled from the intent to the router's table, and swapped in by
 * one transaction of the kernel's. In namespaces of its own; it runs itself a second time inside them.
 */
import { readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import type { FabricIntent, FabricMachine } from '../src/exchange/intents/fabric.ts';
import { routerNamespace } from '../src/fabric/names.ts';
import { numberNetworks, planWorld } from '../src/fabric/plan.ts';
import { namespacePath } from '../src/network/namespace-read.ts';
import { putTables, readMarks } from '../src/network/nft.ts';
import { insideYard, runInYard, Yard } from '../test/network/yard.ts';
import { median, reportAbsolute } from './rounds.ts';

const rounds = Number(process.env['ROUNDS'] ?? 15);
const count = Number(process.env['RULES'] ?? 1000);

const machine = (id: string, address: string, allow: FabricMachine['allow'] = null): FabricMachine => ({
  id,
  kind: 'application',
  hostname: id,
  network: 'customer',
  subnet: 'cass',
  address,
  allow,
  seed: {},
});

type Rule = NonNullable<FabricIntent['securityGroups']>[number]['rules'][number];
/**
 * As people write them: half for each direction; most name one prefix and one port, some a range, several ports, several
 * prefixes, a tag, or every protocol. `turn` makes each round's other than the last.
 */
const rules = (turn: number): Rule[] =>
  Array.from({ length: count }, (_, n): Rule => {
    const prefix = `10.${n % 250}.${turn}.0/28`;
    const kind = n % 20;
    const far =
      kind === 0
        ? ['VirtualNetwork']
        : kind === 1
          ? ['Internet']
          : kind === 2
            ? [prefix, `192.168.${n % 250}.0/24`, '203.0.113.7/32', '198.51.100.0/24', '8.8.8.8/32']
            : kind < 5
              ? [prefix, `192.168.${n % 250}.0/24`]
              : [prefix];
    const ports =
      kind === 5
        ? ['80', '443', `${1000 + n}`]
        : kind < 9
          ? [`${20_000 + n}-${20_010 + n}`]
          : kind === 9
            ? ['*']
            : [`${1000 + n}`];
    const inbound = n % 2 === 0;
    const all = { prefixes: ['*'], groups: [] };
    const named = { prefixes: far, groups: [] };
    return {
      name: `rule-${n}`,
      priority: 100 + n,
      direction: inbound ? 'Inbound' : 'Outbound',
      access: n % 3 === 0 ? 'Deny' : 'Allow',
      protocol: kind === 10 || kind === 11 ? '*' : n % 3 === 0 ? 'Udp' : 'Tcp',
      source: inbound ? named : all,
      sourcePorts: ['*'],
      destination: inbound ? all : named,
      destinationPorts: ports,
    };
  });

const intent = (turn: number): FabricIntent => ({
  networks: [
    {
      id: 'customer',
      label: 'customer',
      prefixes: ['10.0.0.0/16'],
      subnets: [{ name: 'cass', prefix: '10.0.2.0/24', securityGroup: 'group' }],
      internet: true,
    },
  ],
  machines: ['10.0.2.4', '10.0.2.5', '10.0.2.6', '10.0.2.7'].map((address, n) => machine(`m${n}`, address)),
  links: [],
  work: [],
  securityGroups: [{ id: 'group', rules: rules(turn) }],
});

/** Milliseconds of processor time of programs of ours that have ended. */
function spent(): number {
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]!.split(' ');
  return 10 * (Number(fields[13]) + Number(fields[14]));
}

async function measure(): Promise<void> {
  const yard = new Yard();
  try {
    await yard.tell(intent(0));
    const running = yard.running();
    const numbers = numberNetworks(intent(0).networks, {});
    const path = namespacePath(routerNamespace('customer'));
    let lines = 0;
    let busy = 0;
    const compiled: number[] = [];
    const swapped: number[] = [];
    const listed: number[] = [];
    for (let turn = 1; turn <= rounds; turn++) {
      const next = intent(turn);
      const began = performance.now();
      const shall = planWorld(next, running, numbers, false).namespaces.find(
        ({ name }) => name === routerNamespace('customer'),
      )!;
      const tables = shall.tables.filter(({ name }) => name === 'router');
      lines = tables[0]!.body.split('\n').length;
      const middle = performance.now();
      const before = spent();
      await putTables(path, tables);
      const end = performance.now();
      busy += spent() - before;
      await readMarks(path);
      compiled.push(middle - began);
      swapped.push(end - middle);
      listed.push(performance.now() - end);
      process.stderr.write(
        `round ${turn}/${rounds}: compiled ${(middle - began).toFixed(1)} ms, swapped ${(end - middle).toFixed(1)} ms, load ${loadavg()[0]!.toFixed(2)}\n`,
      );
    }
    reportAbsolute({
      name: `a change of a group of ${count} rules, compiled and swapped in`,
      unit: 'ms',
      goal: '<= 100',
      values: compiled.map((ms, round) => ms + swapped[round]!),
      parts: {
        lines,
        compiled: Math.round(median(compiled)),
        swapped: Math.round(median(swapped)),
        // Of the processors, in the programs that swap: what is left of it where nobody else is at work.
        swappingCpu: Math.round(busy / rounds),
        // A pass reads all tables before and after; packets don't wait for it.
        listed: Math.round(median(listed)),
      },
    });
  } finally {
    yard.close();
  }
}

if (insideYard) await measure();
else process.stdout.write(await runInYard(import.meta.url));
