/** The dashboard that is handed to people, as they will import it. */
import { readFileSync } from 'node:fs';

export interface Dashboard {
  readonly title: string;
  readonly panels: readonly {
    readonly id: number;
    readonly title: string;
    readonly fieldConfig: { readonly defaults: { readonly unit: string } };
    readonly targets: readonly { readonly expr: string }[];
  }[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
}

const path = new URL('../../docs/operate/grafana/sallyport-cassandra.json', import.meta.url);

export const readDashboard = (): Dashboard => JSON.parse(readFileSync(path, 'utf8')) as Dashboard;

/** Names of exported metrics in PromQL: all of ours begin with one of these words, and no label does. */
export const metricsIn = (text: string): readonly string[] => [
  ...new Set(text.match(/\b(cassandra|jvm|process|jmx)_\w+/g) ?? []),
];

export function dashboardMetrics(): readonly string[] {
  const { panels, templating } = readDashboard();
  const asked = [
    ...panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
    ...templating.list.flatMap(({ definition }) => definition ?? []),
  ];
  return metricsIn(asked.join('\n')).toSorted();
}
