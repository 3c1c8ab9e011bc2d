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
];
