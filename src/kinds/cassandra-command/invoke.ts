import { randomUUID } from 'node:crypto';
import { ArmError } from '../../arm/errors.ts';
import type { KindContext, Started } from '../../arm/kind.ts';
import { isObject } from '../../arm/request-body.ts';
import type { Json, JsonObject } from '../../store/resource.ts';
import { dataCentersOf } from '../cassandra-data-center/find.ts';
import { needAllocated } from '../cassandra-cluster/deallocate.ts';
import type { Cluster } from '../cassandra-cluster/schema.ts';
import { fields, type Fields } from '../fields.ts';
import { listed } from '../rules.ts';
import { nodetoolLine, otherCommands } from './nodetool.ts';
import { commandsOf, commandType, isOpen, type CommandProperties, type CommandState } from './schema.ts';

/** More at a time would only wait for each other. */
const mostOpen = 10;

const names = ['command', 'host', 'arguments', 'cassandra-stop-start', 'readwrite'];

/** Writes down a command that shall run on one node of a cluster. Throws an ArmError for what may not, or not yet, be run. */
export function invokeCommand(
  cluster: Cluster,
  sent: Json | undefined,
  { store, now }: KindContext,
  caller: CommandProperties['caller'],
): Started {
  const body = readBody(sent);
  const command = readCommand(body);
  const readWrite = body.flag('readwrite') ?? false;
  if (body.flag('cassandra-stop-start') === true) {
    return body.fail(
      'cassandra-stop-start',
      'is true, but nodetool speaks to a Cassandra that runs. Send false, or leave it out.',
    );
  }
  const given = readArguments(body);
  const line = nodetoolLine(given, 'arguments');
  needAllocated(cluster, 'a command');
  const { host, dataCenter } = findHost(body, cluster, store);
  const open = commandsOf(store, cluster.id).filter(isOpen).length;
  if (open >= mostOpen) {
    throw new ArmError(
      'TooManyRequests',
      `${open} commands of cluster '${cluster.name}' have not ended yet, which is as many as there may be. Wait until some have.`,
    );
  }
  const properties: CommandProperties = {
    command,
    arguments: given,
    line,
    host,
    dataCenter,
    readWrite,
    cassandraStopStart: false,
    caller,
    askedAt: now().getTime(),
  };
  const state: CommandState = { at: 'queued', exitCode: null, size: 0, fault: null };
  const later = caller === 'asks later';
  return {
    id: `${cluster.id}/commands/${randomUUID()}`,
    type: commandType,
    properties,
    state,
    follow: later ? 'both' : 'location',
    withBody: later,
  };
}

/** The two bodies spell readwrite differently (contract §1.6): any case is taken. */
function readBody(sent: Json | undefined): Fields {
  if (!isObject(sent)) {
    throw new ArmError(
      'InvalidRequestContent',
      'The request content is not one JSON object. Send {"command": "nodetool", "host": "10.0.2.4", "arguments": {"status": ""}}.',
    );
  }
  const found: Record<string, Json | undefined> = {};
  for (const [given, value] of Object.entries(sent)) {
    const name = names.find((one) => one === given.toLowerCase());
    if (name === undefined || name in found) {
      throw new ArmError(
        'InvalidRequestContent',
        `Could not find member '${given.slice(0, 100)}' on a command, or it is said twice. Its members are ${names.join(', ')}.`,
        { target: given.slice(0, 100) },
      );
    }
    found[name] = value;
  }
  return fields(found as JsonObject, 'command body');
}

function readCommand(body: Fields): 'nodetool' {
  const command = body.text('command')?.trim();
  if (!command) return body.fail('command', 'is missing: "nodetool".');
  if (command.toLowerCase() === 'nodetool') return 'nodetool';
  if (otherCommands.includes(command.toLowerCase())) {
    throw new ArmError(
      'NotYetSupported',
      `The command ${command} is not there yet: this version runs nodetool's subcommands that read.`,
      { target: 'command' },
    );
  }
  return body.fail(
    'command',
    `is '${command.slice(0, 100)}', which is no command that is known here. There is nodetool.`,
  );
}

function readArguments(body: Fields): Readonly<Record<string, string>> {
  const given = body.object('arguments');
  const entries = given?.entries() ?? [];
  const most = 40;
  if (entries.length > most)
    return body.fail('arguments', `has ${entries.length} entries; at most ${most} are allowed.`);
  return Object.fromEntries(
    entries.map(([key, value]) => {
      const text = value ?? '';
      if (typeof text !== 'string' && typeof text !== 'number' && typeof text !== 'boolean')
        return body.fail('arguments', `has no text for '${key.slice(0, 100)}'.`);
      return [key, String(text)];
    }),
  );
}

function findHost(
  body: Fields,
  cluster: Cluster,
  store: KindContext['store'],
): { readonly host: string; readonly dataCenter: string } {
  const host = body.text('host')?.trim();
  const nodes = dataCentersOf(store, cluster.id)
    .filter((dataCenter) => dataCenter.provisioningState !== 'Deleting')
    .flatMap((dataCenter) =>
      dataCenter.state.nodes.map((node) => ({ host: node.address, dataCenter: dataCenter.name })),
    );
  const found = nodes.find((node) => node.host === host);
  if (found) return found;
  const hosts =
    nodes.length > 0 ? `Its nodes are ${listed(nodes.map((node) => node.host))}.` : 'It has no nodes yet.';
  return body.fail(
    'host',
    `is ${host ? `'${host.slice(0, 100)}', no node of cluster '${cluster.name}'` : 'missing'}. ${hosts}`,
  );
}
