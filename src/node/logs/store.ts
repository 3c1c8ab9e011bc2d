/** An account of append blobs, as far as it is needed: by the operator's port for services, in the account's own name. */
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import { askByGate, type GateWay } from '../../network/by-gate.ts';

/** By the operator's tunnel address. */
export interface StorePlace extends GateWay {
  readonly container: string;
  /** The right to write, a secret: it stands in no error and in no log. */
  readonly sas: string;
}

export interface Answer {
  readonly status: number;
  /** The service's own word for what is wrong; null: it said none. */
  readonly code: string | null;
  /** The gate's word for why it refused; null: it wasn't the gate. */
  readonly refusal: string | null;
}

export interface LogStore {
  /** Makes an empty blob where there is none. */
  create(blob: string): Promise<Answer>;
  /** Adds where the blob is exactly `position` long, and nowhere else. */
  append(blob: string, bytes: Buffer, position: number): Promise<Answer>;
  close(): void;
}

/** What SAS of this version, and later ones, are good for. */
const version = '2021-12-02';

export function openStore(place: StorePlace, requestMs: number, signal: AbortSignal): LogStore {
  const asking = askByGate(place, requestMs, signal);
  const sas = place.sas.replace(/^\?/, '');

  const put = async (
    blob: string,
    query: string,
    headers: OutgoingHttpHeaders,
    body: Buffer,
  ): Promise<Answer> => {
    const path = `/${[place.container, ...blob.split('/')].map(encodeURIComponent).join('/')}?${query}${sas}`;
    const {
      status,
      headers: said,
      refusal,
    } = await asking.ask({
      ...{ method: 'PUT', path, headers: { 'x-ms-version': version, ...headers }, body },
    });
    return { status, code: codeOf(said), refusal };
  };

  return {
    create: (blob) =>
      put(blob, '', { 'x-ms-blob-type': 'AppendBlob', 'if-none-match': '*' }, Buffer.alloc(0)),
    append: (blob, bytes, position) =>
      put(blob, 'comp=appendblock&', { 'x-ms-blob-condition-appendpos': String(position) }, bytes),
    close: () => asking.close(),
  };
}

/** What was said comes from outside, and is shown: words alone. */
function codeOf(headers: IncomingHttpHeaders): string | null {
  const said = headers['x-ms-error-code'];
  return typeof said === 'string' && /^[A-Za-z0-9]{1,64}$/.test(said) ? said : null;
}
