/** Runs inside a test's machine, beside the node: tries a TCP port, or asks CQL over verified TLS. Answers with JSON. */
import cassandra from 'cassandra-driver';
import { connect } from 'node:net';
import { readInput } from '../../src/node/child.ts';

type Ask =
  | { readonly tcp: { readonly from: string; readonly to: string; readonly port: number } }
  | {
      readonly cql: string;
      readonly address: string;
      readonly authority: string;
      readonly username: string;
      readonly password: string;
    };

function reaches({ from, to, port }: { from: string; to: string; port: number }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: to, port, localAddress: from, timeout: 1_000 });
    const finish = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.on('connect', () => finish(true));
    socket.on('timeout', () => finish(false));
    socket.on('error', () => finish(false));
  });
}

async function query(ask: Extract<Ask, { cql: string }>): Promise<unknown> {
  const { address, authority, username, password } = ask;
  const client = new cassandra.Client({
    contactPoints: [`${address}:9042`],
    localDataCenter: 'dc1',
    credentials: { username, password },
    sslOptions: { ca: [authority], host: address },
  });
  try {
    return (await client.execute(ask.cql)).rows;
  } finally {
    await client.shutdown();
  }
}

const ask = JSON.parse(await readInput()) as Ask;
const said = 'tcp' in ask ? { reached: await reaches(ask.tcp) } : { rows: await query(ask) };
process.stdout.write(JSON.stringify(said), () => process.exit(0));
