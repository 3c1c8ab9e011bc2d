import { join } from 'node:path';

/**
 * node/ is the agent of one Cassandra node: its door, its tunnel, its enrolment, its Cassandra. It must never accept a
 * packet that its written policy does not name, never decide what the ring shall be, and hold nothing in memory that a
 * short-lived child can hold instead: it lives beside the database.
 */
export interface NodePaths {
  readonly disk: string;
  readonly tools: string;
  readonly javaHome: string;
  /** Of this boot only. */
  readonly run: string;
  /** Seeded: which interface, which address. */
  readonly nic: string;
  /** Seeded: how to join, once. Gone after enrolment. */
  readonly join: string;
  /** The policy in force, applied at the next start before anybody is asked. */
  readonly door: string;
  /** Keys made here, before they have certificates. */
  readonly keys: string;
  /** What enrolment gave, and the keys: the node's whole identity. */
  readonly identity: string;
  readonly intent: string;
  /** The ledger of one-shot work. */
  readonly work: string;
  /** What came of commands. */
  readonly commands: string;
  /** How far logs were sent. */
  readonly logs: string;
  /** The agent's own. */
  readonly ownLog: string;
  readonly cassandra: CassandraPaths;
}

export interface CassandraPaths {
  readonly root: string;
  readonly conf: string;
  readonly certificates: string;
  readonly data: string;
  readonly log: string;
  /** The agent's own notes about the process; Cassandra can't see them. */
  readonly notes: string;
  readonly jars: string;
}

export function nodePaths(env: NodeJS.ProcessEnv): NodePaths {
  const disk = env['SALLYPORT_DISK'] ?? '/var/lib/sallyport';
  const tools = env['SALLYPORT_TOOLS'] ?? '/opt/tools';
  const root = join(disk, 'cassandra');
  return {
    disk,
    tools,
    javaHome: env['JAVA_HOME'] ?? '',
    run: env['SALLYPORT_RUN'] ?? '/run/sallyport',
    nic: join(disk, 'nic.json'),
    join: join(disk, 'join.json'),
    door: join(disk, 'door.json'),
    keys: join(disk, 'keys.json'),
    identity: join(disk, 'identity.json'),
    intent: join(disk, 'intent.json'),
    work: join(disk, 'work.json'),
    commands: join(disk, 'commands.json'),
    logs: join(disk, 'logs.json'),
    ownLog: join(disk, 'log', 'node.log'),
    cassandra: {
      root,
      conf: join(root, 'conf'),
      certificates: join(root, 'certificates'),
      data: join(root, 'data'),
      log: join(root, 'log'),
      notes: join(disk, 'cassandra.json'),
      jars: join(tools, 'cassandra', 'lib'),
    },
  };
}
