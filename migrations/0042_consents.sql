-- consents: which clients of others a user has let use their account, and what each may be told.
--
-- A client is the app's own (first_party), and then nobody is asked; or somebody else's (third_party), and then a
-- person says yes once, until they take it back or more is asked for. request_id is the request that the last yes was
-- for: one that asks to have the question put (prompt=consent) is answered by a yes to it and by no earlier one.

alter table clients
  add column party text not null default 'first_party',
  add constraint clients_party_known check (party in ('first_party', 'third_party'));

create table consents (
  app_id     uuid        not null,
  user_id    uuid        not null,
  client_id  uuid        not null,
  scopes     text[]      not null,
  request_id uuid        not null,
  created_at timestamptz not null,
  granted_at timestamptz not null,

  constraint consents_pkey        primary key (app_id, user_id, client_id),
  constraint consents_user_fkey   foreign key (app_id, user_id) references users (app_id, id) on delete cascade,
  constraint consents_client_fkey foreign key (app_id, client_id) references clients (app_id, id) on delete cascade
);

-- Read by the foreign key to clients.
create index consents_client on consents (app_id, client_id);

alter table consents enable row level security;
create policy consents_of_app on consents to gatepost_app
  using (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid)
  with check (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid);
grant select, insert, update, delete on consents to gatepost_app;

-- asks_consent says that the client wants the question put, consenting_session_id in which browser's session it waits.
alter table authorization_requests
  add column asks_consent          boolean not null default false,
  add column consenting_session_id uuid;
