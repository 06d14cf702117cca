-- authorization_requests: what a client asked for when it sent a browser here, and where the answer goes.
--
-- Every sign-in that takes more than one step hangs on one. It belongs to the browser, or to the caller of the JSON
-- API, whose token's hash it keeps: its id stands in addresses and forms and opens nothing without that token. It is
-- answered once: whoever of any number of racing callers writes code_hash has signed in.
--
-- A browser that has signed in keeps a session of its own, without a client: from it, another client of the app is
-- answered without asking again, and the account's pages are shown. Only the hash of its cookie is here.

alter table sessions
  alter column client_id drop not null,
  add column token_hash bytea,
  add constraint sessions_hosted_token check ((client_id is null) = (token_hash is not null)),
  drop constraint sessions_end_reason_known,
  add constraint sessions_end_reason_known check (end_reason in
    ('signed_out', 'signed_out_everywhere', 'idle', 'expired', 'refresh_reused', 'code_reused', 'epoch',
     'user_deactivated', 'replaced'));

-- Read when a page asks whose browser it is shown in.
create unique index sessions_token on sessions (app_id, token_hash) where token_hash is not null;

create table authorization_requests (
  app_id         uuid        not null,
  id             uuid        not null,
  client_id      uuid        not null,
  redirect_uri   text        not null,
  code_challenge text        not null,
  state          text,
  nonce          text,
  browser_hash   bytea       not null,
  login_hint     text,
  locale         text,
  created_at     timestamptz not null,
  expires_at     timestamptz not null,
  answered_at    timestamptz,
  code_hash      bytea,

  constraint authorization_requests_pkey                primary key (app_id, id),
  constraint authorization_requests_client_fkey         foreign key (app_id, client_id)
    references clients (app_id, id) on delete cascade,
  constraint authorization_requests_answered_once       check ((answered_at is null) = (code_hash is null)),
  constraint authorization_requests_redirect_uri_length check (octet_length(redirect_uri) between 1 and 2000),
  constraint authorization_requests_state_length        check (octet_length(state) between 1 and 4000),
  constraint authorization_requests_nonce_length        check (octet_length(nonce) between 1 and 500),
  constraint authorization_requests_login_hint_length   check (octet_length(login_hint) <= 254),
  constraint authorization_requests_locale_length       check (octet_length(locale) <= 35)
);

-- Read by the foreign key to clients.
create index authorization_requests_client on authorization_requests (app_id, client_id);

-- Read by jobs/delete-expired-authorization-requests.sql.
create index authorization_requests_expired on authorization_requests (expires_at);

alter table authorization_requests enable row level security;
create policy authorization_requests_of_app on authorization_requests to gatepost_app
  using (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid)
  with check (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid);
grant select, insert, update on authorization_requests to gatepost_app;

create policy authorization_requests_of_worker on authorization_requests to gatepost_worker using (true);

-- update for `for update skip locked`, which asks for the right to update.
grant select, update, delete on authorization_requests to gatepost_worker;
