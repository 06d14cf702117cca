-- pushed_requests: what a client asks for, sent by itself before it sends a browser (RFC 9126).
--
-- The browser carries only a token, of which the hash is here: it stands for the parameters once, for a minute, and for
-- this client alone. A client can be made to send all its requests like this.

-- web_origins says where scripts of the client run that may read answers across origins (CORS), post_logout_uris where
-- a browser may go after it was signed out; both are compared byte for byte.

alter table clients
  add column requires_pushed  boolean not null default false,
  add column web_origins      text[]  not null default '{}',
  add column post_logout_uris text[]  not null default '{}';

create table pushed_requests (
  app_id     uuid        not null,
  token_hash bytea       not null,
  client_id  uuid        not null,
  parameters text        not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  used_at    timestamptz,

  constraint pushed_requests_pkey              primary key (app_id, token_hash),
  constraint pushed_requests_client_fkey       foreign key (app_id, client_id) references clients (app_id, id)
    on delete cascade,
  constraint pushed_requests_parameters_length check (octet_length(parameters) <= 65536)
);

-- Read by the foreign key to clients.
create index pushed_requests_client on pushed_requests (app_id, client_id);

-- Read by jobs/delete-expired-pushed-requests.sql.
create index pushed_requests_expired on pushed_requests (expires_at);

alter table pushed_requests enable row level security;
create policy pushed_requests_of_app on pushed_requests to gatepost_app
  using (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid)
  with check (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid);
grant select, insert, update on pushed_requests to gatepost_app;

create policy pushed_requests_of_worker on pushed_requests to gatepost_worker using (true);
-- update for `for update skip locked`, which asks for the right to update.
grant select, update, delete on pushed_requests to gatepost_worker;
