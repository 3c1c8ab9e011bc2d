import { request } from 'node:https';

export interface Asked {
  readonly address: string;
  readonly port: number;
  /** A name of the service's certificate. */
  readonly name: string;
  /** PEM. */
  readonly authority: string;
  readonly path: string;
  /** GET where it is left out; with nothing in its body. */
  readonly method?: 'PUT';
}

const withinMs = 5_000;

/** Asks a service as its clients do, over TLS that is verified. The status of its answer; throws where there is none. */
export function ask({ address, port, name, authority, path, method }: Asked): Promise<number> {
  return new Promise((resolve, reject) => {
    const asking = request(
      {
        ...(method && { method }),
        ...{ host: address, port, path, servername: name, ca: authority, agent: false },
        ...{ headers: { host: name }, signal: AbortSignal.timeout(withinMs) },
      },
      (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      },
    );
    asking.on('error', reject);
    asking.end();
  });
}
