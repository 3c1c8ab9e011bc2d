/**
 * What answers hold beyond the models, and why. Old clients leave unknown properties alone. Anything else that no model
 * has is a flaw.
 */
export const beyond: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  ClusterResourceProperties: {
    privateLinkAutoApproveSubscriptions:
      'The real service has it on every cluster, undeclared; here it can be written.',
    clientCertificateAuthorities: 'Ours: the authority that a client of CQL must trust.',
    waitingFor: 'Ours: what a running operation waits for, in words.',
  },
  DataCenterResourceProperties: {
    waitingFor: 'Ours: what a running operation waits for, in words.',
  },
};
