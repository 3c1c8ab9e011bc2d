import assert from 'node:assert/strict';
import { test } from 'node:test';
import { execStatus } from '../lib/exec.ts';
import { planGateDoor, type GateDoor } from './gate-door.ts';

const fixed = { device: 'eth0', control: { address: '172.31.0.4', ports: [8442, 8440] } };
const account = (address: string, port = 443) => ({
  name: 'logs.example',
  enabled: true,
  upstream: { address, port, authority: '' },
  rules: [],
});
const door: GateDoor = {
  ...fixed,
  clusters: [
    { source: '172.31.1.4', port: 20_004, accounts: [account('10.9.0.4'), account('fd00::4', 10_000)] },
    { source: '172.31.1.5', port: 20_005, accounts: [] },
  ],
};
const accepts = (text: string): readonly string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.endsWith('counter accept') || line.includes('redirect'));

test('without clusters only control is reached, and nobody comes in', () => {
  assert.deepEqual(accepts(planGateDoor({ ...fixed, clusters: [] })), [
    'oifname "eth0" ip daddr 172.31.0.4 tcp dport { 8440, 8442 } counter accept',
  ]);
});

test('a cluster is led to its own port, and the accounts’ places alone are reached', () => {
  assert.deepEqual(accepts(planGateDoor(door)), [
    'iifname "eth0" ip saddr 172.31.1.4 tcp dport 443 redirect to :20004',
    'iifname "eth0" ip saddr 172.31.1.4 tcp dport 20004 ct status dnat counter accept',
    'oifname "eth0" ip daddr 172.31.0.4 tcp dport { 8440, 8442 } counter accept',
    'oifname "eth0" ip daddr . tcp dport { 10.9.0.4 . 443 } counter accept',
    'oifname "eth0" ip6 daddr . tcp dport { fd00::4 . 10000 } counter accept',
  ]);
});

test('the kernel takes it, again and again', async () => {
  for (const plan of [planGateDoor(door), planGateDoor({ ...fixed, clusters: [] })]) {
    const said = await execStatus(
      'unshare',
      [
        '--user',
        '--map-root-user',
        '--net',
        'sh',
        '-c',
        'plan=$(cat); for i in 1 2; do printf "%s\n" "$plan" | nft -f - || exit 1; done; nft list ruleset',
      ],
      { input: plan },
    );
    assert.equal(said.exitCode, 0, said.stderr);
    assert.equal(said.stdout.match(/policy drop/g)?.length, 3);
  }
});
