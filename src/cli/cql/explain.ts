/** What a driver's error means to a person: who refused, why, and what to do next. No stack of the driver's. */
export function explain(error: Error): { readonly code: string; readonly message: string } {
  const inner = 'innerErrors' in error ? Object.entries(error.innerErrors as Record<string, Error>) : [];
  // The driver puts the stack of the first node's error into the message of the whole.
  const [said] = inner.length > 0 ? error.message.split('. First host tried') : [error.message];
  const details = inner.map(([node, cause]) => `${node}: ${cause.message}`);
  // Every node refuses the same login for the same reason.
  const refused = inner.find(([, cause]) => cause.constructor.name === 'AuthenticationError');
  if (refused) return { code: 'AuthenticationError', message: `${refused[0]}: ${refused[1].message}.` };
  return { code: error.constructor.name, message: [said, ...details].join('; ') };
}

const nodesNext = 'sallyport managed-cassandra cluster status -o table shows which nodes are up.';

/** The next step, from the message alone: that is all which comes back from the session. */
export function nextFor(message: string): string {
  if (/timed out|cannot achieve/i.test(message)) return nodesNext;
  if (/consistency level/i.test(message)) return 'Give one of ONE, LOCAL_ONE, QUORUM, LOCAL_QUORUM, ALL, …';
  if (/credentials|authenticat|username/i.test(message))
    return 'Give the role and its password: --user NAME --password @FILE.';
  if (/syntax|line \d+|does not exist|undefined|unknown|invalid/i.test(message))
    return 'Correct the statement.';
  return nodesNext;
}
