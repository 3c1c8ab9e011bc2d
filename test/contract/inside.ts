/**
 * Run by contract.test.ts in a network namespace that has loopback and nothing else: control with played levels below, one
 * SDK after the other as a process of its own, and what went over the wire meanwhile. Standard output: one JSON array.
 */
import { readFileSync } from 'node:fs';
import * as https from 'node:https';
import { playedControl, type Party, type PlayedControl } from '../harness/played-control.ts';
import { recordExchanges, type Exchange } from '../harness/recorder.ts';
import { onlyLoopback } from './alone.ts';
import { sdkNames, type ClientName, type SdkName } from './clients/clients.ts';
import { runSdk, type SdkRun } from './clients/run.ts';

export interface ClientRun extends SdkRun {
  readonly client: ClientName;
  readonly exchanges: readonly Exchange[];
}

const location = 'eastus2';

await onlyLoopback();
const runs: ClientRun[] = [];
for (const client of sdkNames) {
  await using played = await playedControl();
  runs.push(await runClient(played, client));
}
process.stdout.write(JSON.stringify(runs));

async function runClient(played: PlayedControl, client: SdkName): Promise<ClientRun> {
  const { control, tenantId, customer, provider, authority } = played;
  const group = `rg-${client}`;
  await makeGroup(played, group);
  const exchanges: Exchange[] = [];
  const recording = recordExchanges((exchange) => exchanges.push(exchange));
  const { endpoint } = control;
  const ran = await runSdk(client, authority, { endpoint, tenantId, customer, provider, group, location });
  recording.stop();
  return { client, ...ran, exchanges };
}

/** The one thing that these clients have no package for here. */
async function makeGroup(played: PlayedControl, group: string): Promise<void> {
  const { control, customer } = played;
  const token = await tokenOf(played, customer);
  const path = `/subscriptions/${customer.subscriptionId}/resourcegroups/${group}?api-version=2024-11-01`;
  const status = await send(played, 'PUT', path, JSON.stringify({ location }), {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
  });
  if (status.status !== 201) throw new Error(`${control.endpoint} made no group: ${status.text}`);
}

async function tokenOf(played: PlayedControl, party: Party): Promise<string> {
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: party.clientId,
    client_secret: party.secret,
    scope: `${played.control.endpoint}/.default`,
  });
  const answer = await send(played, 'POST', '/adfs/oauth2/token', form.toString(), {
    'content-type': 'application/x-www-form-urlencoded',
  });
  return (JSON.parse(answer.text) as { access_token: string }).access_token;
}

function send(
  { control, authority }: PlayedControl,
  method: string,
  path: string,
  body: string,
  headers: Readonly<Record<string, string>>,
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const ca = readFileSync(authority, 'utf8');
    const options = {
      host: '127.0.0.1',
      port: control.port,
      method,
      path,
      headers,
      ca,
      agent: false as const,
    };
    const request = https.request(options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    request.on('error', reject);
    request.end(body);
  });
}
