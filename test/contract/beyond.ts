import type { ClientName } from './clients/clients.ts';

/**
 * What answers hold beyond the models, and why. Old clients leave unknown properties alone. Anything else that no model
 * has is a flaw.
 */
export const beyond: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  ClusterResourceProperties: {
    privateLinkAutoApproveSubscriptions:
      'The real service has it on every cluster, undeclared; here it can be written.',
    backupRetentionPeriodInHours: 'The real service has it on every cluster, undeclared.',
    diagnosticSettingsId: 'The real service has it on every cluster, undeclared.',
    notInForce: 'Ours: the properties that are kept, and have no effect yet.',
    clientCertificateAuthorities: 'Ours: the authority that a client of CQL must trust.',
    waitingFor: 'Ours: what a running operation waits for, in words.',
  },
  CommandOutput: {
    commandErrorOutput: 'The documentation of the real service shows it; its models lack it.',
    exitCode: 'The documentation of the real service shows it; its models lack it.',
  },
  DataCenterResourceProperties: {
    notInForce: 'Ours: the properties that are kept, and have no effect yet.',
    waitingFor: 'Ours: what a running operation waits for, in words.',
  },
};

/** What a client sends that no model has, and is taken all the same. It must be seen, or its line goes. */
export const habits: readonly {
  readonly client: ClientName;
  readonly flaw: RegExp;
  readonly what: string;
}[] = [
  {
    client: 'az',
    flaw: /: request\.properties\.\w+ is no integer: "\d+"$/,
    what: 'The commands of core send numbers as text (`"nodeCount":"6"`).',
  },
];
