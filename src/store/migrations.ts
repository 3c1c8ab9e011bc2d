/**
 * Applied in order, each once; `PRAGMA user_version` counts them. What was released is never edited: add another.
 */
export const migrations: readonly string[] = [
  `
  create table resources (
    seq integer primary key autoincrement,
    key text not null unique,
    id text not null,
    type text not null,
    type_key text not null,
    name text not null,
    subscription_id text not null,
    resource_group text not null,
    location text,
    tags text not null,
    identity text,
    properties text not null,
    state text not null,
    provisioning_state text not null,
    fault text,
    generation integer not null,
    etag text not null,
    system_data text not null
  ) strict;
  create index resources_by_type on resources (type_key, key);

  create table operations (
    id text primary key,
    resource_key text not null,
    resource_id text not null,
    type text not null,
    subscription_id text not null,
    location text not null,
    verb text not null,
    creates integer not null,
    generation integer not null,
    state text not null,
    fault text,
    started_by text not null,
    started_at text not null,
    ended_at text
  ) strict, without rowid;
  create index operations_running on operations (resource_key) where state = 'Running';
  create index operations_ended on operations (ended_at) where ended_at is not null;

  create table events (
    seq integer primary key autoincrement,
    resource_key text not null,
    resource_id text not null,
    type text not null,
    reason text not null,
    message text not null,
    count integer not null,
    first_at text not null,
    last_at text not null
  ) strict;
  create index events_by_resource on events (resource_key, seq);

  create table secrets (name text primary key, value blob not null) strict, without rowid;

  create table principals (
    client_id text primary key,
    object_id text not null,
    display_name text not null,
    secret_hash text not null,
    created_at text not null
  ) strict, without rowid;
  create table role_assignments (
    id text primary key,
    principal text not null references principals (client_id),
    role text not null,
    scope text not null,
    created_at text not null
  ) strict, without rowid;
  create table subscriptions (id text primary key, display_name text not null, created_at text not null) strict, without rowid;

  create table enrolments (
    token_hash text primary key,
    request_hash text not null,
    identity text not null,
    created_at text not null
  ) strict, without rowid;
  create table verify_runs (
    id text primary key,
    network text,
    asked_by text not null,
    state text not null,
    fault text,
    created_at text not null,
    ended_at text
  ) strict, without rowid;
  `,
  // Around the resources: credentials that overlap, who did what, and what hangs on a scope.
  `
  create table credentials (
    id text primary key,
    principal text not null references principals (client_id),
    name text not null,
    kind text not null,
    value text not null,
    thumbprint text,
    thumbprint_sha1 text,
    created_at text not null,
    expires_at text,
    unique (principal, name)
  ) strict, without rowid;
  insert into credentials (id, principal, name, kind, value, created_at)
    select lower(hex(randomblob(16))), client_id, 'first', 'secret', secret_hash, created_at from principals;
  alter table principals drop column secret_hash;
  create unique index principals_by_object on principals (object_id);
  create table spent_assertions (
    principal text not null,
    jti text not null,
    expires_at integer not null,
    primary key (principal, jti)
  ) strict, without rowid;

  create table activity (
    seq integer primary key autoincrement,
    id text not null,
    at text not null,
    subscription_id text not null,
    resource_group text,
    resource_key text not null,
    resource_id text not null,
    caller text not null,
    caller_name text not null,
    operation text not null,
    status text not null,
    refused integer not null,
    http_status integer,
    code text,
    message text,
    correlation_id text not null
  ) strict;
  create index activity_by_subscription on activity (subscription_id, refused, seq);

  create table extensions (
    key text primary key,
    id text not null,
    type text not null,
    scope_key text not null,
    body text not null,
    changed_by text not null,
    changed_at text not null
  ) strict, without rowid;
  create index extensions_by_scope on extensions (scope_key, type);
  create index operations_by_resource on operations (resource_key, started_at);
  `,
  // Questions whose answers are fetched afterwards.
  `
  alter table operations add column answer text;
  create index operations_answered on operations (ended_at) where answer is not null;
  `,
];
