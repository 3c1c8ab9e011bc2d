import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exec } from '../lib/exec.ts';
import { planServiceDoor } from './service-door.ts';

const door = { device: 'eth0', port: 10_000, gate: '172.31.3.4' };

test('the gate comes in on one port, and nothing is begun from within', () => {
  const plan = planServiceDoor(door);
  const accepts = plan.split('\n').filter((line) => line.includes('accept') && !line.includes('"lo"'));
  assert.deepEqual(
    accepts.map((line) => line.trim()),
    [
      'meta l4proto { 1, 58 } ct state related accept',
      'iifname "eth0" ip saddr 172.31.3.4 tcp dport 10000 ct direction original counter accept',
      'meta l4proto { 1, 58 } ct state related accept',
      'oifname "eth0" ip daddr 172.31.3.4 tcp sport 10000 ct direction reply ct state established accept',
    ],
  );
  assert.equal(plan.match(/policy drop/g)?.length, 3);
  assert.doesNotMatch(plan, /policy accept/);
});

test('the kernel takes it, the first time and again', async () => {
  const twice = 'ip link set lo up && nft -f - <<X && nft -f - <<X\n';
  const text = `${twice}${planServiceDoor(door)}\nX\n${planServiceDoor(door)}\nX\n`;
  await exec('unshare', ['--user', '--map-root-user', '--net', 'sh'], { input: text });
});

test('what is no address comes into no rule', () => {
  assert.throws(() => planServiceDoor({ ...door, gate: '0.0.0.0/0' }), /which is no IPv4 address/);
});
