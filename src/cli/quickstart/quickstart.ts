import { defineCommand, type Outcome } from '../command.ts';
import type { CliContext } from '../context.ts';
import { exitCodes } from '../errors.ts';
import { createHomeFolders } from '../setup/set-up.ts';
import { alone } from '../stack/lock.ts';
import { start } from '../stack/start.ts';
import type { VerifyResult } from '../../fabric/verify/result.ts';
import { nextAsTyped } from '../output/typed.ts';
import { wrap } from '../output/wrap.ts';
import { names } from './names.ts';
import { proveDoor, ringTable, writeAndRead } from './proof.ts';
import { createReport, type Report } from './report.ts';
import {
  makeCluster,
  makeDataCenter,
  makeEndpoint,
  makeNetwork,
  readAddress,
  readService,
  type StepContext,
} from './steps.ts';

export const quickstart = defineCommand({
  path: 'quickstart',
  summary:
    'Set up, start, do the five steps of the reference document, and prove the door. Leaves it running.',
  examples: ['quickstart', 'quickstart --json'],
  options: { json: { kind: 'switch', flags: ['--json'], help: 'One JSON object a line, for machines.' } },
  async run(cx, options) {
    const report = createReport({
      json: options.json === true,
      interactive: cx.interactive && !options.json,
      width: cx.width,
      clock: cx.clock,
      // Where it isn't a terminal the steps are the output.
      write: cx.interactive && !options.json ? cx.stderr : cx.stdout,
      steps: 9,
    });
    await createHomeFolders(cx.home);
    return alone(cx.home, 'quickstart', () => all(cx, report));
  },
});

async function all(cx: CliContext, report: Report): Promise<Outcome> {
  await report.step('Set up and start', async (progress) => {
    const changed = await start(cx, (text) => progress.show(text));
    return { changed, note: changed ? 'control and fabric are up' : 'running already' };
  });
  const context: StepContext = {
    home: cx.home,
    customer: await cx.arm('customer'),
    provider: await cx.arm('provider'),
  };
  await report.step('A network without a way to the service', (progress) => makeNetwork(context, progress));
  await report.step('Step 1: create the cluster', (progress) => makeCluster(context, progress));
  await report.step('Step 2: read its private link service', () => readService(context));
  await report.step('Step 3: create the private endpoint', (progress) => makeEndpoint(context, progress));
  await report.step('Step 4: read the endpoint’s address', () => readAddress(context));
  await report.step('Step 5: create the data centre', (progress) => makeDataCenter(context, progress));
  const { customer } = context;
  await report.step('CQL at QUORUM, from the application machine', async (progress) => {
    progress.show('over verified TLS');
    const { wrote, row, node } = await writeAndRead(cx, customer);
    return { changed: wrote, note: `${wrote ? 'wrote and read' : 'read'} "${row}" by ${node}` };
  });

  let proof: VerifyResult | undefined;
  await report.step('The door: try to get out of every node', async (progress) => {
    const { result, before } = await proveDoor(cx, customer, report.changes() > 0, progress);
    proof = result;
    return {
      changed: result !== undefined,
      note: result ? `${result.verdict}, ${result.tries.length} tries` : `proved at ${before}`,
    };
  });

  const ring = await ringTable(customer);
  report.block('ring', ring.value, ring.text);
  if (proof) {
    const { verdict, summary, seconds } = proof;
    report.block(
      'proof',
      { verdict, summary, seconds },
      summary.map((line) => wrap(line, cx.width, '  ')).join('\n'),
    );
  }
  const changed = report.changes() > 0;
  const text = changed
    ? closing()
    : 'Nothing to do: all of it is there and runs.\nNext: sallyport verify proves the door anew';
  report.block('done', { changed }, nextAsTyped(text, cx.env));
  return {
    value: undefined,
    human: '',
    exitCode: proof && proof.verdict !== 'proved' ? exitCodes.failed : 0,
  };
}

const closing =
  (): string => `Running, also after this shell: control, the fabric, an operator, ${names.nodes} Cassandra nodes.
Next:
  sallyport status                     what runs
  sallyport verify                     every try to get out, and what stopped it
  sallyport cql -e "SELECT release_version FROM system.local"
  sallyport connect -- CMD             a program of yours inside ${names.network}
  sallyport env --as customer          exports for az and Azure SDKs
  sallyport down                       ends it all; up brings it back with its data`;
