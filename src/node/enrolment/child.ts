/**
 * The short-lived process that enrols: makes the node's keys and requests, checks who the operator is, asks for
 * certificates. A process of its own because the X.509 library is larger than the agent.
 */
import { X509Certificate, createHash } from 'node:crypto';
import { request } from 'node:http';
import { dialler, ExchangeRefused } from '../../exchange/client.ts';
import type { EnrolmentGrant, EnrolmentRequest } from '../../exchange/intents/node.ts';
import { faultOf } from '../../lib/errors.ts';
import { readJson, writeJson } from '../../lib/files.ts';
import { createRequest } from '../../lib/x509.ts';
import { generateWireguardKeys } from '../../network/wireguard-keys.ts';
import { readInput } from '../child.ts';
import type { NodeKeys } from '../identity.ts';
import { bare } from '../policy.ts';
import type { EnrolmentOutcome, EnrolmentTask } from './wire.ts';

interface KeptKeys extends NodeKeys {
  readonly requests: EnrolmentRequest['requests'];
}

async function enrol({ join, ringAddress, keysPath }: EnrolmentTask): Promise<EnrolmentOutcome> {
  const keys = await keysFor(join, keysPath);
  const host = bare(join.operator.address);
  const port = join.operator.enrolmentPort;
  const authority = await fetchAuthority(host, port);
  const found = fingerprintOf(authority);
  if (found !== join.operator.authorityFingerprint.toLowerCase().replaceAll(':', '')) {
    return {
      at: 'distrusted',
      error: {
        code: 'WrongAuthority',
        message:
          `Whoever answers at the door shows an authority with fingerprint ${found ?? '(no certificate)'}, but the join file ` +
          `names ${join.operator.authorityFingerprint}. The node stays closed; get a fresh join file for '${join.node}'.`,
      },
    };
  }
  const tls = { ca: authority, servername: 'operator', minVersion: 'TLSv1.3' as const };
  const operator = dialler({ host, port, tls });
  const body: EnrolmentRequest = {
    node: join.node,
    wireguardPublicKey: keys.wireguard.publicKey,
    address: ringAddress,
    requests: keys.requests,
  };
  try {
    return { at: 'granted', grant: await operator.json<EnrolmentGrant>('POST', '/enrol', body, 15_000) };
  } catch (error) {
    if (error instanceof ExchangeRefused) {
      const { code, message } = error;
      return { at: error.status >= 500 ? 'unreachable' : 'refused', error: { code, message } };
    }
    const fault = faultOf(error);
    // A certificate that the pinned authority didn't issue is no lost packet.
    const untrusted = /CERT|SELF_SIGNED|UNABLE_TO_|ALTNAME/.test(fault.code);
    return { at: untrusted ? 'distrusted' : 'unreachable', error: fault };
  } finally {
    operator.close();
  }
}

/** On disk before they are used: who asks again after a cut asks with the same keys. */
async function keysFor(join: EnrolmentTask['join'], path: string): Promise<KeptKeys> {
  const kept = await readJson<KeptKeys>(path);
  if (kept && kept.node === join.node && kept.cluster === join.cluster) return kept;
  const [exchange, internode, client] = await Promise.all([
    createRequest(join.node),
    createRequest(join.node),
    createRequest(join.node),
  ]);
  const keys: KeptKeys = {
    node: join.node,
    cluster: join.cluster,
    wireguard: generateWireguardKeys(),
    exchange: exchange.privateKey,
    internode: internode.privateKey,
    client: client.privateKey,
    requests: { exchange: exchange.request, internode: internode.request, client: client.request },
  };
  await writeJson(path, keys, 0o600);
  return keys;
}

/** In the clear, and worth nothing until its fingerprint was checked. */
function fetchAuthority(host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ host, port, path: '/authority', agent: false, timeout: 5_000 }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
        if (text.length > 65_536)
          asked.destroy(new Error('The authority is longer than a certificate can be.'));
      });
      response.on('error', reject);
      response.on('end', () => {
        if (response.statusCode === 200) resolve(text);
        else reject(new Error(`The enrolment port answers ${response.statusCode} to GET /authority.`));
      });
    });
    asked.on('timeout', () => asked.destroy(new Error('The enrolment port does not answer within 5 s.')));
    asked.on('error', reject);
    asked.end();
  });
}

function fingerprintOf(pem: string): string | undefined {
  try {
    return createHash('sha256').update(new X509Certificate(pem).raw).digest('hex');
  } catch {
    return undefined;
  }
}

const outcome = await enrol(JSON.parse(await readInput()) as EnrolmentTask).catch(
  (error: unknown): EnrolmentOutcome => ({ at: 'unreachable', error: faultOf(error) }),
);
process.stdout.write(JSON.stringify(outcome));
