import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isWireguardKey } from './wireguard-keys.ts';
import {
  generateWireguardKeys,
  parseDump,
  segmentsCommand,
  wireguardConfig,
  wireguardDiffers,
  wireguardPublicKey,
  type WireguardIntent,
} from './wireguard.ts';

const own = generateWireguardKeys();
const peer = generateWireguardKeys();
const intent: WireguardIntent = {
  device: 'wg0',
  privateKey: own.privateKey,
  listenPort: 51820,
  addresses: ['fd12:3456:789a::1/48'],
  mtu: 1420,
  peers: [
    {
      publicKey: peer.publicKey,
      endpoint: { address: '10.0.1.10', port: 51820 },
      allowedIps: ['fd12:0:0:1::2/128'],
      keepaliveSeconds: 25,
    },
  ],
};
const dump = (key: string, endpoint: string, allowed: string, keepalive = '25'): string =>
  [
    [own.privateKey, own.publicKey, '51820', 'off'].join('\t'),
    [key, '(none)', endpoint, allowed, '1700000000', '10', '20', keepalive].join('\t'),
    '',
  ].join('\n');

test('a public key is that of its private key', () => {
  // What `wg genkey | wg pubkey` says.
  const privateKey = 'iPHyrS8PGINvIJdcrK5i5l7b923MYtvGczPQr8Mb7ms=';
  assert.equal(wireguardPublicKey(privateKey), 'reiuSGi6M0FzbMCRrmiUWJhv2UlKPTj52hcP6WpZH3o=');
  assert.ok(isWireguardKey(own.privateKey) && isWireguardKey(own.publicKey));
});

test('the configuration names the peer, and nothing that is not what it claims to be', () => {
  assert.match(wireguardConfig(intent), /Endpoint = 10\.0\.1\.10:51820\nPersistentKeepalive = 25\n$/);
  const evil = { ...intent, peers: [{ publicKey: peer.publicKey, allowedIps: ['::1/128\nPostUp = x'] }] };
  assert.throws(() => wireguardConfig(evil), /no address/);
});

test('a device that is as it shall be differs in nothing, whatever the spelling of its addresses', () => {
  const state = parseDump(dump(peer.publicKey, '10.0.1.10:51820', 'fd12:0:0:1::2/128'));
  assert.equal(state.peers[0]!.latestHandshake, 1_700_000_000);
  assert.equal(wireguardDiffers(intent, state), false);
  const spelled = { ...intent, peers: [{ ...intent.peers[0]!, allowedIps: ['fd12:0000:0:1:0:0:0:2/128'] }] };
  assert.equal(wireguardDiffers(spelled, state), false);
});

test('another key, endpoint, prefix or keepalive is a difference; a peer that roamed is not', () => {
  const differs = (text: string): boolean => wireguardDiffers(intent, parseDump(text));
  assert.ok(differs(dump(generateWireguardKeys().publicKey, '10.0.1.10:51820', 'fd12:0:0:1::2/128')));
  assert.ok(differs(dump(peer.publicKey, '10.0.1.11:51820', 'fd12:0:0:1::2/128')));
  assert.ok(differs(dump(peer.publicKey, '10.0.1.10:51820', 'fd12:0:0:1::3/128')));
  assert.ok(differs(dump(peer.publicKey, '10.0.1.10:51820', 'fd12:0:0:1::2/128', 'off')));
  const { publicKey, allowedIps } = intent.peers[0]!;
  const roaming = { ...intent, peers: [{ publicKey, allowedIps, keepaliveSeconds: 25 }] };
  assert.equal(
    wireguardDiffers(roaming, parseDump(dump(peer.publicKey, '10.9.9.9:4', 'fd12:0:0:1::2/128'))),
    false,
  );
});

test('what the kernel hands over at once fits one datagram of the tunnel', () => {
  for (const mtu of [1280, 1420]) {
    const segments = Number(segmentsCommand('wg0', mtu).at(-1));
    assert.ok(segments * (mtu + 32) <= 65_507 && segments > 40);
  }
});
