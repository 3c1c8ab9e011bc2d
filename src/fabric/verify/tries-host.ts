import { vsockFamily } from './outside.ts';
import { ip, mark, type Aims, type Sort } from './try.ts';

/** By what the machine shares with its host, instead of by the network. */
export function hostMeans({ world, facts, as, host, port }: Aims): Sort[] {
  const means = (
    what: string,
    towards: string,
    verb: string,
    more: Readonly<Record<string, string | number>> = {},
  ): Sort => ({
    what,
    towards,
    control: 'host',
    markers: [],
    by: 'host',
    verb,
    arguments: more,
  });
  const canary = world.canaries.ipv4[0]!;
  const used = port();
  const list: Sort[] = [
    ...host.sockets.map((path, n) =>
      means('unix socket', `a socket of the host, ${n + 1}`, 'unix', { path }),
    ),
    means('unix socket, abstract', 'an abstract name of the host', 'unix', { abstract: host.abstract }),
    means('/proc and open files', 'a file of the host', 'file', { path: host.file }),
    {
      ...means('nsenter', 'the namespaces of every process in sight', 'nsenter', {
        path: host.file,
        to: canary,
        port: used,
      }),
      markers: [mark(canary, 'udp', used)],
    },
    means('the user namespace above', "the host's", 'parent'),
    means('mounting', "the host's disks, the kernel's file systems, a new /proc", 'mount', {
      path: host.file,
    }),
    means('devices', '/dev, and nodes made', 'device'),
    {
      ...means('AF_VSOCK', 'the hypervisor or host above (CID 2)', 'vsock', { family: vsockFamily }),
      control: host.vsock ? 'vsock' : 'host',
    },
  ];
  if (as !== 'cassandra') return list;
  const run = (what: string, towards: string, argv: readonly string[], undo: readonly string[] = []): Sort =>
    means(what, towards, 'run', { argv: argv.join('\u001f'), undo: undo.join('\u001f') });
  const table = ['add', 'table', 'inet', 'sallyport_verify'];
  const drop = ['/usr/sbin/nft', 'delete', 'table', 'inet', 'sallyport_verify'];
  list.push(
    means('ptrace', 'every other process in sight', 'ptrace'),
    run('nft', "the machine's own rules", ['/usr/sbin/nft', ...table], drop),
    run(
      'nft in a user namespace of its own',
      "the machine's own rules",
      ['/usr/bin/unshare', '--user', '--map-root-user', '/usr/sbin/nft', ...table],
      drop,
    ),
    run('an added address', "the machine's interface", [
      ip,
      'address',
      'add',
      '198.51.100.253/32',
      'dev',
      facts.device,
    ]),
  );
  return list;
}
