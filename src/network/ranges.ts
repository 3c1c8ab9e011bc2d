/** Ranges that mean something to every network. */

/** Private and link-local ranges: where none of them is a network's own or a peer's, it leads nowhere. */
export const privateRanges = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '169.254.0.0/16',
] as const;

/** What is no part of the tag Internet, whatever a network's own space: private, loopback, multicast and reserved. */
export const notInternet = [...privateRanges, '0.0.0.0/8', '127.0.0.0/8', '224.0.0.0/3'] as const;

/** The address that Azure's load balancer probes from: what the tag AzureLoadBalancer stands for. Nobody has it here. */
export const loadBalancer = '168.63.129.16/32';
