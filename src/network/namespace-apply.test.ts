import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { execStatus } from '../lib/exec.ts';

/** Runs lines of a module within namespaces of its own, where named network namespaces can be made; answers what it prints. */
async function inside(lines: readonly string[]): Promise<unknown> {
  const module = (name: string): string => JSON.stringify(join(import.meta.dirname, name));
  const script = [
    `import { applyNamespaces } from ${module('namespace-apply.ts')};`,
    `import { planNamespace } from ${module('namespace.ts')};`,
    `import { readNamespace, readNamespaceNames } from ${module('namespace-read.ts')};`,
    ...lines,
  ].join('\n');
  const prepare = 'mount -t tmpfs tmpfs /run && mkdir /run/netns && exec "$@"';
  const said = await execStatus(
    'unshare',
    [
      ...['--user', '--map-root-user', '--net', '--mount', 'sh', '-c', prepare, 'sh'],
      ...[process.execPath, '--input-type=module', '-e', script],
    ],
    { timeoutMs: 20_000 },
  );
  assert.equal(said.exitCode, 0, said.stderr);
  return JSON.parse(said.stdout);
}

/** Two routers joined by a cable, `left` with a table that nft can't read. */
const world = (family: string): readonly string[] => [
  'const setup = { ipv4: [], ipv6: [] }, rest = { sysctls: {}, setup, addresses: [], neighbours: [], rules: [] };',
  "const wall = { family: 'inet', name: 'wall', body: '  chain f { type filter hook forward priority filter; policy drop;\\n  }' };",
  `const broken = { family: '${family}', name: 'nic_cab0', body: '  chain x { nonsense }' };`,
  'const end = (name, namespace, device, mac, other) => ({ name, mac, far: { namespace, device, mac: other }, sysctls: {} });',
  "const a = end('cab0', 'right', 'cab1', '02:00:00:00:00:01', '02:00:00:00:00:02');",
  "const b = end('cab1', 'left', 'cab0', '02:00:00:00:00:02', '02:00:00:00:00:01');",
  "const left = { ...rest, name: 'left', devices: [a], routes: ['10.9.0.0/24 dev cab0'], tables: [wall, broken] };",
  "const right = { ...rest, name: 'right', devices: [b], routes: ['10.8.0.0/24 dev cab1'], tables: [wall] };",
  'const failed = [];',
  'await applyNamespaces(',
  '  [left, right].map((shall) => ({ shall, plan: planNamespace(shall, undefined, new Map()) })),',
  '  { marks: new Map(), failed: (name, step) => failed.push(`${name}: ${step}`) },',
  ');',
  "const [l, r] = await Promise.all(['left', 'right'].map((name) => readNamespace(name)));",
  'console.log(JSON.stringify({ failed, up: [l, r].map((is) => is.devices.some(({ up }) => up)), routes: [l.routes, r.routes] }));',
];

for (const [family, step] of [
  ['inet', 'rules'],
  ['netdev', 'interface rules'],
] as const) {
  test(`where the ${step} can't be put in place, nothing is raised and nothing routed; elsewhere it goes on`, async () => {
    assert.deepEqual(await inside(world(family)), {
      failed: [`left: ${step}`],
      up: [false, true],
      routes: [[], ['10.8.0.0/24 dev cab1']],
    });
  });
}

test('of a namespace that could not be made whole nothing is left to be taken for one', async () => {
  const said = await inside([
    "const shall = { name: 'half', sysctls: { 'ipv4/no_such_key': '1' }, setup: { ipv4: [], ipv6: [] }, devices: [], addresses: [], routes: [], neighbours: [], rules: [], tables: [] };",
    'const failed = [];',
    'await applyNamespaces([{ shall, plan: planNamespace(shall, undefined, new Map()) }], { marks: new Map(), failed: (name, step) => failed.push(step) });',
    'console.log(JSON.stringify({ failed, names: await readNamespaceNames() }));',
  ]);
  assert.deepEqual(said, { failed: ['create'], names: [] });
});

test('of a table that is put back, what another hand leaves of it is not taken for it', async () => {
  const said = (await inside([
    "const wall = { family: 'inet', name: 'wall', body: '  chain f { type filter hook forward priority filter; policy drop;\\n    accept\\n  }' };",
    "const shall = { name: 'router', sysctls: {}, setup: { ipv4: [], ipv6: [] }, devices: [], addresses: [], routes: [], neighbours: [], rules: [], tables: [wall] };",
    'const marks = new Map();',
    'const failed = (...what) => { throw new Error(String(what)); };',
    "const apply = async (is) => applyNamespaces([{ shall, plan: planNamespace(shall, is, marks.get('router') ?? new Map()) }], { marks, failed });",
    "const mark = () => marks.get('router').get('inet wall');",
    'await apply(undefined);',
    'const first = mark();',
    // As if a hand had come between the putting and the looking, once with each of the two that can be remembered.
    'const remember = (listed) => marks.get("router").set("inet wall", { ...first, listed });',
    "remember('before the hand');",
    "await apply(await readNamespace('router'));",
    'const kept = mark().listed;',
    "remember('absent');",
    "await apply(await readNamespace('router'));",
    'console.log(JSON.stringify({ kept, learned: mark().listed === first.listed }));',
  ])) as { readonly kept: string; readonly learned: boolean };
  assert.deepEqual(said, { kept: 'before the hand', learned: true });
});
