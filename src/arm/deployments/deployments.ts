import { randomUUID } from 'node:crypto';
import { checkApiVersion } from '../api-version.ts';
import { ArmError } from '../errors.ts';
import type { ExtensionRoute } from '../extension-route.ts';
import { needGroup, needParent } from '../lookup.ts';
import { parseArmId, type ArmId } from '../id.ts';
import { operationHeaders, regionOf } from '../operations.ts';
import { routeOf } from '../route.ts';
import { needSubscription } from '../subscriptions.ts';
import { actionOf, authorize, type ArmContext, type ArmReply, type ArmRequest } from '../wire.ts';
import { planDeployment, type Plan, type Step } from './plan.ts';
import { hashOf, readDeployment, withoutSecrets, type DeploymentRequest } from './request.ts';
import { end } from './end.ts';
import {
  bodiesName,
  deploymentType,
  type Deployment,
  type DeploymentProperties,
  type DeploymentState,
} from './schema.ts';
import { showDeployment, showOperations } from './show.ts';

const namePattern = /^[\p{L}\p{N}_.()-]{1,64}$/u;
const wire = { type: deploymentType, operations: 'network' } as const;

/** `Microsoft.Resources/deployments` of a resource group: templates, and what became of them. */
export function answerDeployments(cx: ArmContext, request: ArmRequest, route: ExtensionRoute): ArmReply {
  const { on, rest, scope } = route;
  if (!on || on.type !== undefined) throw new ArmError('NotFound', 'A deployment lies in a resource group.');
  if (on.resourceGroup === undefined)
    throw new ArmError(
      'NotYetSupported',
      'Deployments at a subscription are not there: deploy into a resource group.',
    );
  const [name, word, ...more] = rest;
  if (name === undefined) return list(cx, request, on);
  const id = parseArmId(`${scope}/providers/${deploymentType}/${name}`)!;
  const asked = `${request.method} ${word?.toLowerCase() ?? ''}`.trim();
  if (more.length > 0 && !(word?.toLowerCase() === 'operations' && more.length === 1))
    throw new ArmError('NotFound', `A deployment has no '${rest.slice(1).join('/').slice(0, 100)}'.`);
  switch (asked) {
    case 'GET':
      may(cx, request, 'read', id);
      return { status: 200, body: showDeployment(need(cx, id)) };
    case 'HEAD':
      may(cx, request, 'read', id);
      return { status: cx.store.get(id.text) ? 204 : 404 };
    case 'PUT':
      return put(cx, request, id);
    case 'DELETE':
      return remove(cx, request, id);
    case 'POST validate':
      return validate(cx, request, id);
    case 'POST exporttemplate':
      may(cx, request, 'exportTemplate/action', id);
      return { status: 200, body: { template: need(cx, id).properties.template } };
    case 'POST cancel':
      return cancel(cx, request, id);
    case 'GET operations':
      return operations(cx, request, id, more[0]);
    default:
      throw new ArmError(
        'MethodNotAllowed',
        'A deployment is read, PUT and DELETEd; it takes POST validate, cancel and exportTemplate, and GET operations.',
      );
  }
}

function may(cx: ArmContext, request: ArmRequest, word: string, id: ArmId): string {
  authorize(cx, request.caller, `${deploymentType}/${word}`, id.text);
  return checkApiVersion(request.query);
}

function list(cx: ArmContext, request: ArmRequest, group: ArmId): ArmReply {
  if (request.method !== 'GET') throw new ArmError('MethodNotAllowed', 'Deployments are listed with GET.');
  authorize(cx, request.caller, `${deploymentType}/read`, group.text);
  checkApiVersion(request.query);
  needGroup(cx, group);
  const all = cx.store.list<DeploymentProperties, DeploymentState>(deploymentType, group.text);
  return { status: 200, body: { value: all.toReversed().map(showDeployment) } };
}

function put(cx: ArmContext, request: ArmRequest, id: ArmId): ArmReply {
  const version = may(cx, request, 'write', id);
  const asked = readDeployment(request.body);
  const plan = checked(cx, request, id, asked);
  return cx.store.transaction(() => {
    needParent(cx, id);
    const existing = cx.store.get(id.text);
    if (existing && cx.store.operations.running(existing.id)) throw active(id.name);
    const now = new Date(cx.clock.now()).toISOString();
    const properties: DeploymentProperties = {
      template: withoutSecrets(asked.template),
      templateHash: hashOf(asked.template),
      contentVersion: String(asked.template['contentVersion'] ?? '1.0.0.0'),
      parameters: plan.parameters,
      outputs: plan.outputs,
    };
    const state: DeploymentState = {
      steps: plan.steps.map((step) => ({
        id: step.id,
        type: step.type,
        dependsOn: step.dependsOn,
        at: 'waiting',
        operation: null,
        fault: null,
        changedAt: now,
      })),
      canceled: false,
      startedAt: now,
      endedAt: null,
      correlationId: randomUUID(),
      by: request.caller.principalId,
    };
    cx.store.secrets.set(bodiesName(id.text), JSON.stringify(plan.steps));
    const { resource, operation } = cx.store.write({
      id: existing?.id ?? id.text,
      type: deploymentType,
      location: null,
      tags: asked.tags,
      identity: null,
      properties,
      state,
      by: request.caller.principalId,
      verb: 'PUT',
      operationIn: regionOf(cx, id.text, null),
    });
    cx.wake(`PUT ${id.text}`);
    return {
      status: existing ? 200 : 201,
      headers: operation ? operationHeaders(wire, operation, request, version) : {},
      body: showDeployment(resource as unknown as Deployment),
    };
  });
}

/** Everything that can be said without changing anything: the template, its parameters, and each resource's type, version and role. */
function checked(cx: ArmContext, request: ArmRequest, id: ArmId, asked: DeploymentRequest): Plan {
  if (!namePattern.test(id.name))
    throw new ArmError(
      'InvalidResourceName',
      `Deployment name '${id.name.slice(0, 100)}' is invalid: 1 to 64 letters, digits and _ . ( ) -.`,
      { target: 'name' },
    );
  const group = needGroup(cx, id);
  const subscription = needSubscription(cx, id.subscriptionId);
  const plan = planDeployment(asked.template, asked.parameters, {
    group: { id: group.id, name: group.name, location: group.location ?? cx.location, tags: group.tags },
    subscription: {
      subscriptionId: subscription.id,
      tenantId: cx.tenantId,
      displayName: subscription.displayName,
    },
  });
  for (const step of plan.steps) checkStep(cx, request, step);
  return plan;
}

function checkStep(cx: ArmContext, request: ArmRequest, step: Step): void {
  const route = routeOf(step.id, cx.kinds);
  if (route.at === 'nothing')
    throw new ArmError(
      'InvalidTemplate',
      `The resource '${step.id.slice(0, 300)}' can't be deployed: ${route.why}`,
      { target: step.id },
    );
  if (route.at === 'resource') {
    checkApiVersion(new URLSearchParams({ 'api-version': step.apiVersion }), route.kind.operations);
    authorize(cx, request.caller, actionOf(route.kind, 'PUT'), step.id);
  }
}

function validate(cx: ArmContext, request: ArmRequest, id: ArmId): ArmReply {
  may(cx, request, 'validate/action', id);
  const asked = readDeployment(request.body);
  const plan = checked(cx, request, id, asked);
  const body = {
    id: id.text,
    name: id.name,
    type: deploymentType,
    properties: {
      provisioningState: 'Succeeded',
      mode: 'Incremental',
      correlationId: randomUUID(),
      timestamp: new Date(cx.clock.now()).toISOString(),
      duration: 'PT0S',
      templateHash: hashOf(asked.template),
      parameters: plan.parameters,
      providers: [],
      dependencies: [],
      validatedResources: plan.steps.map((step) => ({ id: step.id })),
    },
  };
  return { status: 200, body };
}

function remove(cx: ArmContext, request: ArmRequest, id: ArmId): ArmReply {
  may(cx, request, 'delete', id);
  return cx.store.transaction(() => {
    const existing = cx.store.get(id.text);
    if (!existing) return { status: 204 };
    if (cx.store.operations.running(existing.id)) throw active(id.name);
    cx.store.remove(existing.id);
    return { status: 204 };
  });
}

function cancel(cx: ArmContext, request: ArmRequest, id: ArmId): ArmReply {
  may(cx, request, 'cancel/action', id);
  const deployment = need(cx, id);
  if (!cx.store.operations.running(deployment.id))
    throw new ArmError('Conflict', `The deployment '${id.name}' is not running: there is nothing to cancel.`);
  end(
    cx,
    deployment,
    { ...deployment.state, canceled: true },
    {
      code: 'DeploymentCanceled',
      message: 'The deployment was canceled. What it had begun goes on; nothing more is begun.',
    },
  );
  return { status: 204 };
}

function operations(cx: ArmContext, request: ArmRequest, id: ArmId, one: string | undefined): ArmReply {
  authorize(cx, request.caller, `${deploymentType}/operations/read`, id.text);
  checkApiVersion(request.query);
  const all = showOperations(need(cx, id));
  if (one === undefined) return { status: 200, body: { value: all } };
  const found = all.find((operation) => operation['operationId'] === one);
  if (!found)
    throw new ArmError('NotFound', `The deployment '${id.name}' has no operation '${one.slice(0, 100)}'.`);
  return { status: 200, body: found };
}

function need(cx: ArmContext, id: ArmId): Deployment {
  needGroup(cx, id);
  const found = cx.store.get<DeploymentProperties, DeploymentState>(id.text);
  if (found) return found;
  throw new ArmError('DeploymentNotFound', `Deployment '${id.name}' could not be found.`);
}

const active = (name: string): ArmError =>
  new ArmError(
    'DeploymentActive',
    `The deployment '${name}' is running. Wait until it ends, or cancel it, then send the request again.`,
  );
