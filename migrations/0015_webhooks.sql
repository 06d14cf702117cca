-- webhook_endpoints: where an app wants to be told, and of what.
--
-- A notice is owed only to endpoints that are enabled when something happens; whether one is still there and enabled
-- is looked at again when the notice is sent. An endpoint that answered 410 is disabled by the worker, by nobody else.

create table webhook_endpoints (
  app_id          uuid        not null references apps (id),
  id              uuid        not null,
  url             text        not null,
  description     text        not null,
  event_types     text[]      not null,
  state           text        not null,
  disabled_reason text,
  created_at      timestamptz not null,
  changed_at      timestamptz not null,
  disabled_at     timestamptz,

  constraint webhook_endpoints_pkey               primary key (app_id, id),
  -- A second fence: no spaces, no control characters, no user information.
  constraint webhook_endpoints_url_safe
    check (url ~ '^https?://[][a-z0-9.:-]+(/[!-~]*)?$' and octet_length(url) <= 2000),
  constraint webhook_endpoints_description_length check (char_length(description) <= 200),
  constraint webhook_endpoints_event_types_some   check (cardinality(event_types) between 1 and 50),
  constraint webhook_endpoints_state_known        check (state in ('enabled', 'disabled')),
  constraint webhook_endpoints_disabled_dated     check
    ((state = 'disabled') = (disabled_at is not null) and (disabled_at is null) = (disabled_reason is null)),
  constraint webhook_endpoints_disabled_reason_known check (disabled_reason in ('by_admin', 'gone'))
);

alter table webhook_endpoints enable row level security;
create policy webhook_endpoints_of_app on webhook_endpoints to gatepost_app
  using (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid)
  with check (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid);
grant select, insert, update, delete on webhook_endpoints to gatepost_app;

-- For jobs/end-stale-sessions.sql, which owes notices.
create policy webhook_endpoints_of_worker on webhook_endpoints for select to gatepost_worker using (true);
grant select on webhook_endpoints to gatepost_worker;

-- webhook_secrets: what an endpoint's notices are signed with, sealed under the key ring.
--
-- An endpoint has one secret that does not expire and, after a rotation, one that does: notices carry a signature by
-- each, so that a receiver can be changed over without missing one. Workers and jobs read none of them across apps.
create table webhook_secrets (
  app_id        uuid        not null,
  id            uuid        not null,
  endpoint_id   uuid        not null,
  secret_sealed bytea       not null,
  created_at    timestamptz not null,
  -- Null for the current one.
  expires_at    timestamptz,

  constraint webhook_secrets_pkey          primary key (app_id, id),
  constraint webhook_secrets_endpoint_fkey foreign key (app_id, endpoint_id)
    references webhook_endpoints (app_id, id) on delete cascade
);

-- Keeps one current secret and one that is being replaced; read when a notice is signed, and by the foreign key to
-- webhook_endpoints.
create unique index webhook_secrets_endpoint on webhook_secrets (app_id, endpoint_id, (expires_at is null));

alter table webhook_secrets enable row level security;
create policy webhook_secrets_of_app on webhook_secrets to gatepost_app
  using (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid)
  with check (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid);
grant select, insert, update, delete on webhook_secrets to gatepost_app;
