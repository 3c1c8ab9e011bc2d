import type { FastifyInstance } from 'fastify';
import type { Wheel } from './wheel.ts';

export const extensionPath = '/sallyport/az';

/**
 * Our az extension for whoever comes: it holds nothing that is not in the public sources, and az fetches it without a token.
 * `GET /sallyport/az`: `{path, sha256}` of the wheel, which lies beside it.
 */
export function addExtensionRoutes(app: FastifyInstance, wheel: Wheel): void {
  const path = `${extensionPath}/${wheel.file}`;
  app.get(extensionPath, async () => ({ path, sha256: wheel.sha256 }));
  app.get(path, async (_request, reply) =>
    reply
      .type('application/octet-stream')
      .header('content-disposition', `attachment; filename="${wheel.file}"`)
      .send(wheel.content),
  );
}
