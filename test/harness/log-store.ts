/** Append blobs as a storage account keeps them, as far as logs need them; and the ways in which one fails. */
import type { IncomingMessage, ServerResponse } from 'node:http';

/** lost: it is done, and the answer never comes. broken: nothing is done, and the connection ends. slow: done, and not answered. */
export type Mood = 'well' | 'lost' | 'broken' | 'slow' | 'full' | 'refusing';

export interface PlayedBlobs {
  readonly answer: (request: IncomingMessage, response: ServerResponse) => void;
  readonly blobs: Map<string, Buffer>;
  /** How many blocks were added. */
  readonly blocks: () => number;
  mood: (request: IncomingMessage) => Mood;
  /** What is in the blobs of a log, those of later days and higher numbers after the others. */
  text(log: string): string;
}

export function playBlobs(container: string, signature: string): PlayedBlobs {
  const blobs = new Map<string, Buffer>();
  let blocks = 0;

  function handle(request: IncomingMessage, body: Buffer): readonly [status: number, code?: string] {
    const { pathname, searchParams } = new URL(request.url ?? '', 'https://account');
    if (searchParams.get('sig') !== signature) return [403, 'AuthenticationFailed'];
    if (pathname.split('/')[1] !== container) return [404, 'ContainerNotFound'];
    const had = blobs.get(pathname);
    if (searchParams.get('comp') !== 'appendblock') {
      if (request.headers['x-ms-blob-type'] !== 'AppendBlob') return [400, 'InvalidHeaderValue'];
      // As Azurite says it to whom may create and not write; Azure's own word is UnauthorizedBlobOverwrite.
      if (had) return [403, 'AuthorizationPermissionMismatch'];
      blobs.set(pathname, Buffer.alloc(0));
      return [201];
    }
    if (!had) return [404, 'BlobNotFound'];
    if (Number(request.headers['x-ms-blob-condition-appendpos']) !== had.length)
      return [412, 'AppendPositionConditionNotMet'];
    blobs.set(pathname, Buffer.concat([had, body]));
    blocks++;
    return [201];
  }

  const played: PlayedBlobs = {
    blobs,
    blocks: () => blocks,
    mood: () => 'well',
    answer(request, response) {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const mood = played.mood(request);
        if (mood === 'broken') return request.socket.destroy();
        const [status, code] =
          mood === 'full'
            ? [507]
            : mood === 'refusing'
              ? [403, 'AuthenticationFailed']
              : handle(request, Buffer.concat(chunks));
        if (mood === 'lost') return request.socket.destroy();
        if (mood === 'slow') return undefined;
        response.writeHead(status, { ...(code !== undefined && { 'x-ms-error-code': code }) });
        return response.end();
      });
    },
    text(log) {
      return Buffer.concat(inOrder([...blobs.keys()], log).map((path) => blobs.get(path)!)).toString();
    },
  };
  return played;
}

/** A log's blobs among others, those of later days and higher numbers after the others. */
export function inOrder(paths: readonly string[], log: string): readonly string[] {
  const name = new RegExp(`/(\\d{4}-\\d\\d-\\d\\d)/${log.replaceAll('.', '\\.')}(?:\\.(\\d+))?$`);
  return paths
    .flatMap((path) => {
      const [, day, number] = name.exec(path) ?? [];
      return day === undefined ? [] : [{ path, day, number: Number(number ?? 1) }];
    })
    .toSorted((a, b) => a.day.localeCompare(b.day) || a.number - b.number)
    .map(({ path }) => path);
}
