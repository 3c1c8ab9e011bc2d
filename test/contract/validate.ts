import type { Exchange } from '../harness/recorder.ts';
import { beyond } from './beyond.ts';
import {
  around,
  isPoll,
  modelOf,
  operationOf,
  preview,
  propertiesOf,
  type Operation,
  type Property,
} from './model.ts';

const guid = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi;

/** What is wrong with one exchange, in words; nothing where it is as the models and ARM's rules have it. */
export function flawsOf(exchange: Exchange): readonly string[] {
  const { status, headers, response, method, path } = exchange;
  const flaws: string[] = [];
  if (!/^[0-9a-f-]{36}$/.test(headers['x-ms-request-id'] ?? '')) flaws.push('has no x-ms-request-id');
  if (response !== undefined && !headers['content-type']?.startsWith('application/json'))
    flaws.push(`has a body of type ${headers['content-type']}`);
  if (status >= 400) {
    // The answer to HEAD has no body, whatever it is.
    if (method !== 'HEAD') flaws.push(...flawsOfError(response));
  } else if (isPoll(path)) {
    flaws.push(...flawsOfPoll(exchange));
  } else {
    const operation =
      operationOf(modelOf(exchange.apiVersion), method, path) ?? operationOf(around, method, path);
    if (operation) flaws.push(...flawsOfOperation(operation, exchange));
    flaws.push(...flawsOfLongRunning(exchange));
  }
  return flaws.map((flaw) => `${method} ${path.replaceAll(guid, '…')} → ${status}: ${flaw}`);
}

function flawsOfError(response: unknown): readonly string[] {
  const error = (response as { error?: { code?: unknown; message?: unknown } } | undefined)?.error;
  if (typeof error?.code !== 'string' || typeof error.message !== 'string')
    return ['is no error with code and message'];
  return flawsOfValue(error, 'ErrorDetail', 'error', 'response');
}

function flawsOfPoll({ headers, status, response }: Exchange): readonly string[] {
  if (status === 204) return [];
  const word = (response as { status?: unknown } | undefined)?.status;
  // The result of an operation is the resource itself.
  if (typeof word !== 'string') return status === 200 ? [] : ['has no status'];
  const terminal = ['Succeeded', 'Failed', 'Canceled'].includes(word);
  if (!terminal && headers['retry-after'] === undefined) return ['runs and has no Retry-After'];
  return [];
}

function flawsOfOperation(operation: Operation, exchange: Exchange): readonly string[] {
  const { status, response, request } = exchange;
  const flaws: string[] = [];
  if (!operation.ok.includes(status)) flaws.push(`${operation.id} may answer ${operation.ok.join(', ')}`);
  if (operation.request) flaws.push(...flawsOfValue(request, operation.request, 'request', 'request'));
  // While it runs, a POST may show its cluster, or how far it is.
  if (operation.response && !(operation.method === 'POST' && status === 202))
    flaws.push(...flawsOfBody(response, operation.response));
  return flaws;
}

function flawsOfBody(response: unknown, type: string): readonly string[] {
  if (!type.endsWith('[]')) return flawsOfValue(response, type, 'response', 'response');
  const { value, nextLink, ...more } = (response ?? {}) as Record<string, unknown>;
  const flaws = flawsOfValue(value, type, 'value', 'response');
  return [
    ...flaws,
    ...(nextLink === undefined || typeof nextLink === 'string' ? [] : ['nextLink is no text']),
    ...Object.keys(more).map((key) => `a list has no '${key}'`),
  ];
}

/** What runs on must say where it is followed, and when to ask. */
function flawsOfLongRunning({ status, headers, response, method }: Exchange): readonly string[] {
  const state = (response as { properties?: { provisioningState?: string } } | undefined)?.properties
    ?.provisioningState;
  const running =
    status === 202 ||
    ((method === 'PUT' || method === 'PATCH') && ['Creating', 'Updating', 'Deleting'].includes(state ?? ''));
  if (!running) return [];
  return [
    ...((headers['azure-asyncoperation'] ?? headers['location']) ? [] : ['runs on, and does not say where']),
    ...(headers['retry-after'] === undefined ? ['runs on, and has no Retry-After'] : []),
  ];
}

type Direction = 'request' | 'response';

function flawsOfValue(value: unknown, type: string, at: string, direction: Direction): readonly string[] {
  if (value === null) return [];
  if (type.endsWith('[]')) {
    return Array.isArray(value)
      ? value.flatMap((item, index) => flawsOfValue(item, type.slice(0, -2), `${at}[${index}]`, direction))
      : [`${at} is no list`];
  }
  if (type.endsWith('{}')) {
    return isObject(value)
      ? Object.entries(value).flatMap(([key, item]) =>
          flawsOfValue(item, type.slice(0, -2), `${at}.${key}`, direction),
        )
      : [`${at} is no object`];
  }
  const options = preview.enums[type];
  if (options) {
    return options.includes(value as string)
      ? []
      : [`${at} is ${JSON.stringify(value)}, none of ${options.join(', ')}`];
  }
  const properties = propertiesOf(preview, type);
  if (!properties) return isOf(value, type) ? [] : [`${at} is no ${type}: ${JSON.stringify(value)}`];
  if (!isObject(value)) return [`${at} is no object`];
  return flawsOfObject(value, type, properties, at, direction);
}

function flawsOfObject(
  value: Readonly<Record<string, unknown>>,
  type: string,
  properties: Readonly<Record<string, Property>>,
  at: string,
  direction: Direction,
): readonly string[] {
  const unknown = Object.keys(value).filter((key) => !properties[key] && !beyond[type]?.[key]);
  return [
    ...unknown.map((key) => `${at}.${key} is no property of ${type}`),
    ...Object.entries(properties).flatMap(([key, property]) => {
      const item = value[key];
      if (item === undefined)
        return property.required || (direction === 'response' && isIdentity(type, key))
          ? [`${at}.${key} is missing`]
          : [];
      if (property.neverShown && direction === 'response' && item !== null) return [`${at}.${key} is shown`];
      return flawsOfValue(item, property.type, `${at}.${key}`, direction);
    }),
  ];
}

/** Who has an id says all three. */
const isIdentity = (type: string, key: string): boolean =>
  ['ClusterResource', 'DataCenterResource'].includes(type) && ['id', 'name', 'type'].includes(key);

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function isOf(value: unknown, type: string): boolean {
  switch (type) {
    case 'any':
      return true;
    case 'integer':
      return Number.isSafeInteger(value);
    case 'datetime':
      return typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(value);
    default:
      return typeof value === type;
  }
}
