/**
 * A data centre of three nodes, from its request until the operation has succeeded (applied and observed: enrolled, secured,
 * the door open), against three bare JVMs of the same options from their start until each answers CQL and sees the others.
 */
import { startBareRing } from './bare-ring.ts';
import { benchTools } from './ground.ts';
import { openManagedRing } from './managed-ring.ts';
import { interleave, report } from './rounds.ts';

const rounds = Number(process.env['ROUNDS'] ?? 5);
/** As control gives it to a data centre in the embedded default. */
const heapMegabytes = 512;

const tools = await benchTools();
const managed = await openManagedRing();
try {
  const ours = async (): Promise<number> => {
    const took = await managed.createDataCenter();
    await managed.deleteDataCenter();
    return took / 1000;
  };
  const bare = async (): Promise<number> => {
    const ring = await startBareRing(
      { javaHome: tools.javaHome, jars: tools.cassandra, tools: tools.folder },
      heapMegabytes,
    );
    await ring.stop();
    return ring.startedInMs / 1000;
  };
  const pairs = await interleave(rounds, ours, bare);
  report({ name: 'data centre of 3 nodes, request to Succeeded', unit: 's', goal: 'ratio ≤ 1.6', pairs });
} finally {
  await managed.close();
}
