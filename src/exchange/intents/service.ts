/**
 * control → a service behind the gate: what it serves, as a file on its machine's disk. There is no exchange with it: it may start
 * nothing outward. What it says of itself, the fabric reads off its disk.
 */
import { Type, type Static } from 'typebox';
import { Nullable } from './json.ts';

export const serviceKinds = ['storage', 'monitor'] as const;
export type ServiceKind = (typeof serviceKinds)[number];

/** Azure's rule; it is a file's name, and a label of a host name, too. */
const StorageAccountName = Type.String({ pattern: '^[a-z0-9]{3,24}$' });

/** 64 bytes, as Azure's are; others would do. */
export const AccountKey = Type.String({ pattern: '^[A-Za-z0-9+/]{22,}={0,2}$' });
export const ContainerName = Type.String({ pattern: '^(?=.{3,63}$)[a-z0-9]+(?:-[a-z0-9]+)*$' });

export const ServiceSeed = Type.Object({
  version: Type.Literal(1),
  /** A higher one takes the place of a lower. */
  number: Type.Integer({ minimum: 1 }),
  /** Names in its certificate. */
  names: Type.Array(Type.String(), { minItems: 1 }),
  /** Of storage: whom it keeps blobs for. */
  accounts: Type.Array(StorageAccountName),
  /** Of storage: the key of each, base64. Left out by a control that is older than this field: the machine has some of its own. */
  keys: Type.Optional(Type.Record(StorageAccountName, AccountKey)),
  /** Of storage: a container that shall be there, by account. */
  containers: Type.Optional(Type.Record(StorageAccountName, ContainerName)),
  /** IPv4; who alone comes in. */
  gate: Type.String(),
  /** PEM: of who signed the certificate, the certificate, its key. */
  authority: Type.String(),
  certificate: Type.String(),
  privateKey: Type.String(),
});
export type ServiceSeed = Static<typeof ServiceSeed>;

/** A file on a disk is put there once: another content has another name. */
export const serviceSeedName = (kind: ServiceKind, number: number): string => `${kind}-${number}.json`;

/** The file in which a service says how it is. */
export const serviceHealthName = 'service.json';
/** It is written at least as often as a third of this; what is older says nothing. */
export const healthHoldsMs = 30_000;

export const ServiceHealth = Type.Object({
  /** Whether it answered over TLS that was verified, when it was last asked. */
  answers: Type.Boolean(),
  /** Why not, in words. */
  error: Nullable(Type.String()),
});
export type ServiceHealth = Static<typeof ServiceHealth>;
