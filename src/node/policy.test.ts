import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JoinFile, NodeIntent } from '../exchange/intents/node.ts';
import { doorRules } from '../network/door.ts';
import { checkJoinFile } from './enrolment/enrol.ts';
import type { NodeIdentity } from './identity.ts';
import { checkNic } from './link.ts';
import { distrustPolicy, enrolledPolicy, enrollingPolicy } from './policy.ts';
import { mapsUid } from './user.ts';

const key = `${'A'.repeat(43)}=`;
const nic = { device: 'eth0', address: '10.0.2.5/24', gateway: '10.0.2.1', mtu: 1500 };
const ground = { nic, deniedUid: null };
const join: JoinFile = {
  version: 1,
  cluster: 'c',
  node: 'dc1-1',
  endpoint: { address: '10.0.1.10', port: 51820 },
  operator: {
    publicKey: key,
    address: 'fd12::1',
    enrolmentPort: 8440,
    authorityFingerprint: 'ab'.repeat(32),
  },
  oneTime: { privateKey: key, address: 'fd12:0:0:e::1' },
};
const identity = {
  node: 'dc1-1',
  endpoint: join.endpoint,
  operator: join.operator,
  address: 'fd12:0:0:1::1',
  exchange: { certificate: '', authority: '', port: 8443 },
} as unknown as NodeIdentity;
const tunnelled = (rules: ReturnType<typeof doorRules>): number[] =>
  rules.filter(({ device }) => device === 'wg0').map(({ port }) => port);

test('the one-time key reaches the enrolment port and nothing else', () => {
  const rules = doorRules(enrollingPolicy(join, ground));
  assert.deepEqual(tunnelled(rules), [8440]);
  assert.equal(rules.length, 2);
});

test('an enrolled node may not dial the enrolment port any more', () => {
  assert.deepEqual(tunnelled(doorRules(enrolledPolicy(identity, undefined, ground))), [8443, 8441]);
});

test('services are dialled on the one port that the intent names, and not by a blocked node', () => {
  const door = { state: 'joined', endpoint: join.endpoint, peers: [], clients: [] } as const;
  const services = { port: 443, authority: '', accounts: ['logs.blob.core.windows.net'] };
  const of = (intent: object): number[] =>
    tunnelled(doorRules(enrolledPolicy(identity, intent as NodeIntent, ground)));
  assert.deepEqual(of({ door, services }), [8443, 8441, 443]);
  assert.deepEqual(of({ door: { ...door, state: 'joining' }, services }), [8443, 8441, 443]);
  assert.deepEqual(of({ door: { ...door, state: 'blocked' }, services }), [8443, 8441]);
  assert.deepEqual(of({ door }), [8443, 8441]);
});

test('before its first intent an enrolled node is joining, with no peer', () => {
  const policy = enrolledPolicy(identity, undefined, ground);
  assert.equal(policy.state, 'joining');
  assert.deepEqual(policy.peers, []);
});

test('a node is no peer of itself', () => {
  const door = {
    state: 'joined',
    endpoint: join.endpoint,
    peers: ['10.0.2.5', '10.0.2.6'],
    clients: [],
  } as const;
  const policy = enrolledPolicy(identity, { door } as unknown as NodeIntent, ground);
  assert.deepEqual(policy.peers, ['10.0.2.6']);
});

test('whoever could not prove to be the operator is not even reached by the tunnel', () => {
  assert.deepEqual(doorRules(distrustPolicy(ground)), []);
});

test('a join file says what is wrong with it', () => {
  const said = (change: object): string => {
    const checked = checkJoinFile(JSON.stringify({ ...join, ...change }), '/join.json');
    return 'code' in checked ? checked.message : 'good';
  };
  assert.equal(said({}), 'good');
  assert.match(said({ version: 2 }), /version is 2/);
  assert.match(said({ endpoint: { address: 'door.example', port: 1 } }), /no IPv4 address/);
  assert.match(said({ operator: { ...join.operator, publicKey: 'x' } }), /who the operator is/);
  assert.match(said({ operator: { ...join.operator, authorityFingerprint: '' } }), /no fingerprint/);
  assert.match(said({ oneTime: undefined }), /no one-time key/);
  assert.match(JSON.stringify(checkJoinFile('{', '/join.json')), /no JSON/);
  assert.match(JSON.stringify(checkJoinFile(undefined, '/join.json')), /NoJoinFile/);
});

test('an interface description says what is wrong with it', () => {
  assert.deepEqual(checkNic(nic, '/nic.json'), nic);
  assert.throws(() => checkNic(undefined, '/nic.json'), /is not there/);
  assert.throws(() => checkNic({ ...nic, address: '10.0.2.5' }, '/nic.json'), /prefix length/);
  assert.throws(() => checkNic({ ...nic, device: 'eth0; x' }, '/nic.json'), /no device/);
});

test('a uid is the machine’s own only where its user namespace maps it', () => {
  assert.equal(mapsUid('         0          0 4294967295\n', 999), true);
  assert.equal(mapsUid('         0       1234          1\n', 999), false);
});
