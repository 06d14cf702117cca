-- clients: the programs that sign users of an app in, and where each may be sent back to.
--
-- A redirect URI is compared byte for byte, so it is a row, not a pattern.

create table clients (
  app_id     uuid        not null references apps (id),
  id         uuid        not null,
  name       text        not null,
  created_at timestamptz not null,

  constraint clients_pkey        primary key (app_id, id),
  constraint clients_name_length check (char_length(name) between 1 and 100)
);

alter table clients enable row level security;
create policy clients_of_app on clients to gatepost_app
  using (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid)
  with check (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid);
grant select, insert, update, delete on clients to gatepost_app;

create table client_redirect_uris (
  app_id    uuid not null,
  client_id uuid not null,
  uri       text not null,

  constraint client_redirect_uris_pkey        primary key (app_id, client_id, uri),
  constraint client_redirect_uris_client_fkey foreign key (app_id, client_id) references clients (app_id, id)
    on delete cascade,
  constraint client_redirect_uris_uri_length  check (octet_length(uri) between 1 and 2000)
);

alter table client_redirect_uris enable row level security;
create policy client_redirect_uris_of_app on client_redirect_uris to gatepost_app
  using (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid)
  with check (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid);
grant select, insert, delete on client_redirect_uris to gatepost_app;
