import { findSession, authorityFile } from '../arm/session.ts';
import { defineCommand } from '../command.ts';
import { exportLines } from '../output/exports.ts';

export const env = defineCommand({
  path: 'env',
  summary: 'Print export lines with which az, Azure SDKs and scripts use this installation.',
  examples: ['env --as customer', 'env --as provider'],
  options: {},
  async run(cx) {
    const as = cx.globals.as ?? (cx.env['SALLYPORT_AS'] || 'customer');
    const session = await findSession(cx.home, cx.env, { as, subscription: cx.globals.subscription });
    const value = {
      SALLYPORT_ENDPOINT: session.endpoint,
      REQUESTS_CA_BUNDLE: authorityFile(cx.home),
      NODE_EXTRA_CA_CERTS: authorityFile(cx.home),
      AZURE_TENANT_ID: session.tenantId,
      AZURE_CLIENT_ID: session.clientId,
      AZURE_CLIENT_SECRET: session.clientSecret,
      AZURE_SUBSCRIPTION_ID: session.subscriptionId,
    };
    return { value, human: exportLines(value) };
  },
});
