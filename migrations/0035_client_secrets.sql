-- client_secrets: what confidential clients prove themselves with; only hashes are here.
--
-- A client is public, and proves nothing but that it began what it ends (PKCE), or confidential. A confidential one has
-- either secrets or a set of public keys of its own, never both: the weaker of two would be the one that counts.

alter table clients
  add column type    text not null default 'public',
  add column key_set text,
  add constraint clients_type_known     check (type in ('public', 'confidential')),
  add constraint clients_key_set_proves check (key_set is null or type = 'confidential'),
  add constraint clients_key_set_length check (octet_length(key_set) <= 32768);

-- Read by the list of clients, oldest first.
create index clients_time on clients (app_id, created_at, id);

-- At most two of a client live: the current one, and the one before it, which then has an end.
create table client_secrets (
  app_id      uuid        not null,
  id          uuid        not null,
  client_id   uuid        not null,
  prefix      text        not null,
  secret_hash bytea       not null,
  created_at  timestamptz not null,
  expires_at  timestamptz,
  revoked_at  timestamptz,

  constraint client_secrets_pkey        primary key (app_id, id),
  constraint client_secrets_client_fkey foreign key (app_id, client_id) references clients (app_id, id)
    on delete cascade
);

-- Read when a client proves itself, and by the foreign key to clients.
create index client_secrets_client on client_secrets (app_id, client_id);

alter table client_secrets enable row level security;
create policy client_secrets_of_app on client_secrets to gatepost_app
  using (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid)
  with check (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid);
grant select, insert, update, delete on client_secrets to gatepost_app;

-- client_assertions: signed proofs of clients that were used, so that each works once, on whichever node.
create table client_assertions (
  app_id     uuid        not null,
  client_id  uuid        not null,
  jti_hash   bytea       not null,
  expires_at timestamptz not null,

  constraint client_assertions_pkey        primary key (app_id, client_id, jti_hash),
  constraint client_assertions_client_fkey foreign key (app_id, client_id) references clients (app_id, id)
    on delete cascade
);

-- Read by jobs/delete-used-client-assertions.sql.
create index client_assertions_expired on client_assertions (expires_at);

alter table client_assertions enable row level security;
create policy client_assertions_of_app on client_assertions to gatepost_app
  using (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid)
  with check (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid);
grant select, insert on client_assertions to gatepost_app;

create policy client_assertions_of_worker on client_assertions to gatepost_worker using (true);
-- update for `for update skip locked`, which asks for the right to update.
grant select, update, delete on client_assertions to gatepost_worker;
