-- rate_limits: how often something was tried in a window of time; shared by all nodes.
--
-- Spent by a statement that commits on its own, before the work that it bounds: in the transaction of the flow,
-- one hot row would make an app's sign-ups wait for one another, and a rollback would give the try back.

create table rate_limits (
  app_id     uuid        not null references apps (id),
  key_hash   bytea       not null,
  window_at  timestamptz not null,
  count      integer     not null,
  expires_at timestamptz not null,

  constraint rate_limits_pkey primary key (app_id, key_hash, window_at)
);

-- Read by the sweep of past windows.
create index rate_limits_expired on rate_limits (expires_at);

alter table rate_limits enable row level security;
create policy rate_limits_of_app on rate_limits to gatepost_app
  using (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid)
  with check (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid);
grant select, insert, update on rate_limits to gatepost_app;

-- idempotency_keys: writes that were asked for under a key of the caller's, so that a repeat acts once.
--
-- request_hash covers route, principal and body; reference names what the write made, and the answer is
-- rendered from it again. No answer is stored, and routes whose answer holds a secret take no key.
create table idempotency_keys (
  app_id       uuid        not null references apps (id),
  key_hash     bytea       not null,
  request_hash bytea       not null,
  reference    jsonb       not null,
  created_at   timestamptz not null,
  expires_at   timestamptz not null,

  constraint idempotency_keys_pkey primary key (app_id, key_hash)
);

-- Read by the sweep of expired keys.
create index idempotency_keys_expired on idempotency_keys (expires_at);

alter table idempotency_keys enable row level security;
create policy idempotency_keys_of_app on idempotency_keys to gatepost_app
  using (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid)
  with check (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid);
grant select, insert on idempotency_keys to gatepost_app;
