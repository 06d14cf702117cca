-- signing_keys: what an app signs its tokens with, and what verifiers fetch as its JWKS.
--
--   next (published, not yet used) ──▶ active ──▶ retired (published, no longer used) ──▶ deleted
--
-- The private key is sealed under the key ring, with app and id as associated data.

create table signing_keys (
  app_id         uuid        not null references apps (id),
  id             uuid        not null,
  algorithm      text        not null,
  state          text        not null,
  public_key     bytea       not null,
  private_sealed bytea       not null,
  created_at     timestamptz not null,
  activated_at   timestamptz,
  retired_at     timestamptz,

  constraint signing_keys_pkey            primary key (app_id, id),
  constraint signing_keys_algorithm_known check (algorithm in ('ES256')),
  constraint signing_keys_state_known     check (state in ('next', 'active', 'retired')),
  constraint signing_keys_activated_dated check ((state = 'next') = (activated_at is null)),
  constraint signing_keys_retired_dated   check ((state = 'retired') = (retired_at is not null))
);

-- Keeps one active key an algorithm.
create unique index signing_keys_active on signing_keys (app_id, algorithm) where state = 'active';

-- Keeps one next key an algorithm.
create unique index signing_keys_next on signing_keys (app_id, algorithm) where state = 'next';

-- Read by jobs/enqueue-key-rotations.sql.
create index signing_keys_age on signing_keys (activated_at) where state = 'active';

-- Read by jobs/activate-signing-keys.sql.
create index signing_keys_waiting on signing_keys (created_at) where state = 'next';

-- Read by jobs/delete-retired-signing-keys.sql.
create index signing_keys_retired on signing_keys (retired_at) where state = 'retired';

alter table signing_keys enable row level security;
create policy signing_keys_of_app on signing_keys to gatepost_app
  using (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid)
  with check (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid);
grant select, insert, update, delete on signing_keys to gatepost_app;
