import { ArmError } from '../../arm/errors.ts';
import { parentOf, parseArmId } from '../../arm/id.ts';
import type { ActionRequest, KindContext } from '../../arm/kind.ts';
import { groupIdOf } from '../../arm/lookup.ts';
import type { OperatorReport } from '../../exchange/intents/operator.ts';
import { silentMs } from '../levels.ts';
import { settingsOf } from '../settings.ts';
import type { DataCenter } from './schema.ts';

const force = 'x-ms-force-delete';

/** People's keyspaces whose replication names it, in a report; undefined where nobody in its ring could be asked. */
export const keyspacesNaming = (
  dataCenter: Pick<DataCenter, 'name'>,
  operator: OperatorReport | undefined,
): readonly string[] | undefined =>
  operator?.dataCenters.find((item) => item.name === dataCenter.name)?.keyspaces;

/**
 * A data centre that a keyspace names stays: its replicas would be gone, and requests for them would fail. What was known last
 * counts, and only what isn't known now can be passed over: a ring that is lost must not keep its data centre for ever. In a
 * group that is deleted as a whole the keyspaces go too: that was asked for.
 */
export function refuseWhileNamed(
  dataCenter: DataCenter,
  { store, now }: KindContext,
  request: Pick<ActionRequest, 'header'>,
): void {
  const id = parseArmId(dataCenter.id)!;
  if (store.get(groupIdOf(id))?.provisioningState === 'Deleting') return;
  const heard = settingsOf(store).levels.operator(parentOf(id)!);
  const said = heard && now().getTime() - heard.at <= silentMs ? heard.report : undefined;
  const current = keyspacesNaming(dataCenter, said);
  const names = current ?? dataCenter.state.keyspaces ?? [];
  if (names.length === 0) return;
  if (!current && request.header(force)?.trim().toLowerCase() === 'true') return;
  const { name } = dataCenter;
  const example = inCql(names[0]!);
  const next =
    `Take it out of each (ALTER KEYSPACE ${example} WITH replication = {'class': 'NetworkTopologyStrategy', …} without '${name}'), or drop it ` +
    `(DROP KEYSPACE ${example}), then send the request again; it may take some seconds until it is seen.`;
  const unknown =
    ' That is what was known last: no node of the cluster can be asked now. Start the cluster if it is deallocated; if its data is given ' +
    `up, send the header ${force}: true (sallyport managed-cassandra datacenter delete --force).`;
  throw new ArmError(
    'InUse',
    `Data centre '${name}' can't be deleted: it is named in the replication of ${names.length === 1 ? 'keyspace' : 'keyspaces'} ` +
      `${some(names)}. ${next}${current ? '' : unknown}`,
    { target: dataCenter.id },
  );
}

const shown = 10;
const some = (names: readonly string[]): string =>
  names.length <= shown
    ? names.join(', ')
    : `${names.slice(0, shown).join(', ')} and ${names.length - shown} more`;

const inCql = (name: string): string => (/^[a-z][a-z0-9_]*$/.test(name) ? name : `"${name}"`);
