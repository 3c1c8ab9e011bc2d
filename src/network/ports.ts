/**
 * Every port that is spoken on, in one place: the door policies, the platform policy and the servers all read it here.
 *
 * network/ holds the data plane as pure plans, and the few functions that read and apply them. It must never decide
 * what shall be: that arrives as a document.
 */
export const ports = {
  /** UDP, the only port of the private endpoint. */
  wireguard: 51820,
  /** TCP between Cassandra nodes, TLS (storage_port). */
  ring: 7001,
  /** TCP, CQL over TLS, from the virtual network. */
  cql: 9042,
  /** TCP, Cassandra's metrics over HTTPS, from the virtual network; on the node's tunnel address, for the operator. */
  metrics: 9443,
  /** TCP on the operator's tunnel address, for a one-time peer only. */
  enrolment: 8440,
  /** UDP echo on the operator's tunnel address, by which a node finds the tunnel's MTU. */
  mtuProbe: 8441,
  /** TCP on the operator's tunnel address, mutual TLS, for enrolled nodes only. */
  exchange: 8443,
  /** TCP on the operator's tunnel address, for enrolled nodes only: bytes to the gate and back. As a service's own, so that a Host needs no port. */
  services: 443,
  /** TCP on control's address in the provider's network, for operators only. */
  control: 8443,
  /** TCP on control's address in the provider's network: an operator's first words, before it has a certificate. */
  controlEnrolment: 8440,
  /** TCP on control's address in the provider's network, for the gate only. */
  controlGate: 8442,
  /** TCP on the gate, from operators: HTTPS to the accounts that policies name. */
  gate: 443,
  /** TCP on the storage machine, from the gate only: HTTPS to its accounts. */
  storage: 10_000,
  /** TCP on the monitoring machine, from the gate only: HTTPS to Prometheus. */
  monitor: 9090,
  /** TCP on the operator's loopback: the Prometheus that collects nodes' metrics. */
  collector: 9091,
  /** TCP on the operator's loopback: what that Prometheus has collected is taken here. */
  collected: 9092,
  /** TCP on a node's loopback. */
  jolokia: 8778,
  /** TCP on a node's loopback. */
  jmx: 7199,
} as const;

/** Seconds. The private link drops a flow that is idle for 240 s. */
export const keepaliveSeconds = 25;
