import type { Activity, ActivityFilter } from '../store/activity.ts';
import type { JsonObject } from '../store/resource.ts';
import { checkApiVersion } from './api-version.ts';
import { ArmError } from './errors.ts';
import type { ExtensionRoute } from './extension-route.ts';
import { parseArmId } from './id.ts';
import { authorize, type ArmContext, type ArmReply, type ArmRequest } from './wire.ts';

const page = 1_000;

/** `GET /subscriptions/{s}/providers/Microsoft.Insights/eventtypes/management/values`: who did what, when, with what result. */
export function answerActivityLog(cx: ArmContext, request: ArmRequest, route: ExtensionRoute): ArmReply {
  const { on, rest, scope } = route;
  if (!on || on.resourceGroup !== undefined || rest.join('/').toLowerCase() !== 'management/values')
    throw new ArmError(
      'NotFound',
      'The activity log is at /subscriptions/{s}/providers/Microsoft.Insights/eventtypes/management/values.',
    );
  if (request.method !== 'GET') throw new ArmError('MethodNotAllowed', 'The activity log can only be read.');
  authorize(cx, request.caller, 'Microsoft.Insights/eventtypes/values/read', scope);
  checkApiVersion(request.query);
  const skip = Number(request.query.get('$skiptoken') ?? 0);
  if (!Number.isInteger(skip) || skip < 0)
    throw new ArmError('BadRequest', '$skiptoken is not one of ours: follow nextLink as it is.', {
      target: '$skiptoken',
    });
  const wanted = filterOf(request.query.get('$filter'));
  const found = cx.store.activity.find({
    ...wanted,
    subscriptionId: on.subscriptionId,
    skip,
    limit: page + 1,
  });
  const select = request.query
    .get('$select')
    ?.split(',')
    .map((one) => one.trim());
  const value = found.slice(0, page).map((one) => pick(show(cx, one), select));
  return {
    status: 200,
    body: { value, ...(found.length > page && { nextLink: nextLink(request, skip + page) }) },
  };
}

function nextLink(request: ArmRequest, skip: number): string {
  const query = new URLSearchParams(request.query);
  query.set('$skiptoken', String(skip));
  return `${request.endpoint}${request.path}?${query.toString()}`;
}

const pick = (shown: JsonObject, keys: readonly string[] | undefined): JsonObject =>
  keys === undefined
    ? shown
    : Object.fromEntries(Object.entries(shown).filter(([key]) => keys.includes(key)));

function show(cx: ArmContext, one: Activity): JsonObject {
  const both = (value: string): JsonObject => ({ value, localizedValue: value });
  const type = one.operation.split('/').slice(0, -1).join('/');
  const http = one.httpStatus === null ? '' : `HTTP ${one.httpStatus}`;
  return {
    id: `${one.resourceId}/events/${one.id}`,
    eventDataId: one.id,
    eventTimestamp: one.at,
    submissionTimestamp: one.at,
    correlationId: one.correlationId,
    operationId: one.correlationId,
    eventName: both(one.status === 'Accepted' ? 'BeginRequest' : 'EndRequest'),
    category: both('Administrative'),
    channels: 'Operation',
    level: one.refused ? 'Warning' : one.status === 'Failed' ? 'Error' : 'Informational',
    operationName: both(one.operation),
    status: both(one.status),
    subStatus: both(http),
    caller: one.caller,
    claims: { appid: one.caller, name: one.callerName },
    authorization: { action: one.operation, scope: one.resourceId },
    resourceId: one.resourceId,
    resourceGroupName: one.resourceGroup ?? '',
    resourceProviderName: both(one.operation.split('/')[0] ?? ''),
    resourceType: both(type),
    subscriptionId: one.subscriptionId,
    tenantId: cx.tenantId,
    description: '',
    properties: {
      ...(one.httpStatus !== null && { statusCode: String(one.httpStatus) }),
      ...(one.code !== null && {
        statusMessage: JSON.stringify({ error: { code: one.code, message: one.message } }),
      }),
    },
  };
}

type Wanted = Pick<ActivityFilter, 'from' | 'to' | 'resourceGroup' | 'resourceId' | 'correlationId'>;

/** The terms that clients send, joined by `and`; eventChannels says nothing here, as there is one. */
function filterOf(text: string | null): Wanted {
  const found: { -readonly [K in keyof Wanted]: Wanted[K] } = { from: '0000', to: '9999' };
  for (const term of (text ?? '').split(/ and /i).filter((one) => one.trim() !== '')) {
    // az writes its times without quotes.
    const match = /^\s*(\w+)\s+(eq|ge|le)\s+(?:'([^']*)'|([\w:.+-]+))\s*$/i.exec(term);
    const [, name = '', operator = '', quoted, bare = ''] = match ?? [];
    const value = quoted ?? bare;
    switch (`${name} ${operator}`.toLowerCase()) {
      case 'eventtimestamp ge':
        found.from = time(value);
        break;
      case 'eventtimestamp le':
        found.to = time(value);
        break;
      case 'resourcegroupname eq':
        found.resourceGroup = value;
        break;
      case 'resourceid eq':
      case 'resourceuri eq':
        found.resourceId = parseArmId(value)?.text ?? value;
        break;
      case 'correlationid eq':
        found.correlationId = value;
        break;
      case 'eventchannels eq':
        break;
      default:
        throw new ArmError(
          'BadRequest',
          `The filter '${term.trim().slice(0, 100)}' is not understood: eventTimestamp ge|le, resourceGroupName eq, resourceId eq and correlationId eq are.`,
          { target: '$filter' },
        );
    }
  }
  return found;
}

function time(text: string): string {
  // Without a zone it is UTC.
  const at = Date.parse(/T[\d:.]+$/.test(text) ? `${text}Z` : text);
  if (Number.isNaN(at))
    throw new ArmError('BadRequest', `'${text.slice(0, 60)}' is no time: write it as 2026-11-24T10:00:00Z.`, {
      target: '$filter',
    });
  return new Date(at).toISOString();
}
