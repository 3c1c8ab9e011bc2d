import type { Extension } from '../store/extensions.ts';
import type { JsonObject } from '../store/resource.ts';
import { checkApiVersion } from './api-version.ts';
import { ArmError } from './errors.ts';
import type { ExtensionRoute } from './extension-route.ts';
import { needScope } from './lookup.ts';
import { isObject } from './request-body.ts';
import { authorize, type ArmContext, type ArmReply, type ArmRequest } from './wire.ts';

const type = 'Microsoft.Insights/diagnosticSettings';
const destinations = [
  'workspaceId',
  'storageAccountId',
  'eventHubAuthorizationRuleId',
  'marketplacePartnerId',
];
const known = [
  ...destinations,
  'eventHubName',
  'logs',
  'metrics',
  'logAnalyticsDestinationType',
  'serviceBusRuleId',
];

/** Where a resource's logs shall go. They are kept and shown; sending comes with the services that take them. */
export function answerDiagnosticSettings(
  cx: ArmContext,
  request: ArmRequest,
  { scope, on, rest }: ExtensionRoute,
): ArmReply {
  const [name, ...more] = rest;
  if (on?.type === undefined || more.length > 0)
    throw new ArmError(
      'NotFound',
      `Diagnostic settings hang on a resource: {resource}/providers/${type}/{name}.`,
    );
  const { extensions } = cx.store;
  const verb = name === undefined && request.method !== 'GET' ? 'list' : request.method;
  const words: Readonly<Record<string, string | undefined>> = { GET: 'read', PUT: 'write', DELETE: 'delete' };
  const word = words[verb];
  if (word === undefined)
    throw new ArmError(
      'MethodNotAllowed',
      'Diagnostic settings are listed, read, PUT and DELETEd by their name.',
    );
  authorize(cx, request.caller, `${type}/${word}`, scope);
  checkApiVersion(request.query);
  needScope(cx, scope);
  const id = `${scope}/providers/${type}/${name}`;
  if (name === undefined)
    return { status: 200, body: { value: extensions.list(scope, type).map((one) => show(one)) } };
  if (verb === 'DELETE') return { status: extensions.remove(id) ? 200 : 204 };
  if (verb === 'PUT') {
    const body = { properties: readProperties(request.body) };
    return { status: 200, body: show(extensions.put({ id, type, body }, scope, request.caller.principalId)) };
  }
  const found = extensions.get(id);
  if (!found)
    throw new ArmError('ResourceNotFound', `The diagnostic setting '${name.slice(0, 100)}' is not found.`);
  return { status: 200, body: show(found) };
}

function readProperties(body: ArmRequest['body']): JsonObject {
  const properties = isObject(body) ? body['properties'] : undefined;
  if (!isObject(properties))
    throw new ArmError('InvalidRequestContent', 'Send {"properties": {"logs": […], "workspaceId": "…"}}.');
  const unknown = Object.keys(properties).find((key) => !known.includes(key));
  if (unknown !== undefined)
    throw new ArmError('InvalidRequestContent', `A diagnostic setting has no '${unknown.slice(0, 100)}'.`, {
      target: `properties.${unknown.slice(0, 100)}`,
    });
  if (!destinations.some((key) => typeof properties[key] === 'string'))
    throw new ArmError('InvalidParameter', `A destination is missing: one of ${destinations.join(', ')}.`);
  for (const list of ['logs', 'metrics']) {
    const entries = properties[list] ?? [];
    if (
      Array.isArray(entries) &&
      entries.every((one) => isObject(one) && typeof one['enabled'] === 'boolean')
    )
      continue;
    throw new ArmError(
      'InvalidParameter',
      `'${list}' must be a list of {"category": "…", "enabled": true|false}.`,
      {
        target: `properties.${list}`,
      },
    );
  }
  return { logs: [], metrics: [], ...properties };
}

const show = ({ id, body }: Extension): JsonObject => ({
  id,
  name: id.split('/').at(-1)!,
  type,
  ...body,
});
