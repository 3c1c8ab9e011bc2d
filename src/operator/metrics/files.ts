/** What the operator's Prometheus is told: pure. It collects, and hands over at once to the role beside it; it dials nobody else. */
import { join } from 'node:path';
import type { AskedNode } from './shall.ts';

export interface CollectorGround {
  /** Of its configuration. */
  readonly folder: string;
  /** Where the nodes export. */
  readonly port: number;
  /** On loopback: where it hands over. */
  readonly handOver: number;
  readonly everyMs: number;
}

export const configurationFile = 'prometheus.yml';
export const authorityFile = 'client-authority.pem';

/**
 * What one node may say at once. A table has seven series, so it is good for thousands of tables; who is root on a node says what
 * it likes, and must not fill the operator's memory by it. So many series of the longest names that tables can have are 3.4 MB.
 */
const bounds = {
  sample_limit: 20_000,
  body_size_limit: '4MB',
  label_limit: 30,
  label_name_length_limit: 100,
  label_value_length_limit: 400,
} as const;
const samplesOfBatch = 2_000;
/** Of a label in a batch, beside its words; and of a sample, beside its labels. */
const around = { label: 10, sample: 30 };

/**
 * Bytes. No batch is larger, whatever nodes say: one batch holds samples of many nodes, and one that isn't taken is lost for all of
 * them. Snappy makes what it can't press together a sixth larger at the most.
 */
export const mostOfBatch = Math.ceil(
  (7 / 6) *
    samplesOfBatch *
    (around.sample +
      bounds.label_limit * (bounds.label_name_length_limit + bounds.label_value_length_limit + around.label)),
);

export function collectorConfiguration(
  nodes: readonly AskedNode[],
  { folder, port, handOver, everyMs }: CollectorGround,
): string {
  return `${JSON.stringify(
    {
      global: {
        scrape_interval: `${everyMs}ms`,
        scrape_timeout: `${Math.min(everyMs, 10_000)}ms`,
      },
      scrape_configs: nodes.map(({ name, address, labels }) => ({
        job_name: name,
        scheme: 'https',
        ...bounds,
        // A node can't name itself otherwise, tell other times, or send who asks elsewhere.
        ...{ honor_labels: false, honor_timestamps: false, follow_redirects: false, enable_http2: false },
        tls_config: { ca_file: join(folder, authorityFile), server_name: name, min_version: 'TLS12' },
        static_configs: [{ targets: [`[${address}]:${port}`], labels }],
      })),
      remote_write: [
        {
          url: `http://127.0.0.1:${handOver}/`,
          ...{ follow_redirects: false, enable_http2: false },
          // Prometheus keeps descriptions by itself for a while only; they would double the requests.
          metadata_config: { send: false },
          // One after the other: what is kept is in order.
          queue_config: {
            ...{ min_shards: 1, max_shards: 1, capacity: 20_000, max_samples_per_send: samplesOfBatch },
            ...{ batch_send_deadline: `${Math.min(everyMs / 2, 10_000)}ms`, max_backoff: '5s' },
          },
        },
      ],
    },
    null,
    1,
  )}\n`;
}

const megabyte = 2 ** 20;

/** Bytes of memory, by how many nodes there are: what it aims at, and what the kernel doesn't let it pass. */
export const memoryFor = (nodes: number): { readonly aim: number; readonly most: number } => {
  const aim = (256 + 4 * nodes) * megabyte;
  return { aim, most: 2 * aim };
};
