-- user_factors: what a user proves beside a first factor: an authenticator that shows codes (TOTP, RFC 6238).
--
-- The seed is sealed for its row. Until its first code is typed an authenticator only waits, and counts for nothing.
-- last_step is the last step whose code was taken: none is taken twice, and none that lies before it.
create table user_factors (
  app_id       uuid        not null,
  id           uuid        not null,
  user_id      uuid        not null,
  kind         text        not null,
  seed_sealed  bytea       not null,
  last_step    bigint,
  created_at   timestamptz not null,
  confirmed_at timestamptz,
  expires_at   timestamptz,
  last_used_at timestamptz,

  constraint user_factors_pkey       primary key (app_id, id),
  constraint user_factors_user_fkey  foreign key (app_id, user_id) references users (app_id, id) on delete cascade,
  constraint user_factors_kind_known check (kind = 'totp'),
  -- One that waits ends; one that is confirmed has taken a code.
  constraint user_factors_confirmed_or_ends check
    ((confirmed_at is null) = (last_step is null) and (confirmed_at is null) = (expires_at is not null))
);

-- Read by the foreign key to users.
create index user_factors_user on user_factors (app_id, user_id);

-- Keeps one authenticator a user; read by every sign-in.
create unique index user_factors_confirmed on user_factors (app_id, user_id) where confirmed_at is not null;

-- Keeps one that waits a user.
create unique index user_factors_waiting on user_factors (app_id, user_id) where confirmed_at is null;

alter table user_factors enable row level security;
create policy user_factors_of_app on user_factors to gatepost_app
  using (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid)
  with check (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid);
grant select, insert, update, delete on user_factors to gatepost_app;

-- recovery_codes: each stands in once for an authenticator that is lost; shown once, and kept as hashes.
create table recovery_codes (
  app_id     uuid        not null,
  user_id    uuid        not null,
  code_hash  bytea       not null,
  created_at timestamptz not null,
  used_at    timestamptz,

  constraint recovery_codes_pkey      primary key (app_id, user_id, code_hash),
  constraint recovery_codes_user_fkey foreign key (app_id, user_id) references users (app_id, id) on delete cascade
);

alter table recovery_codes enable row level security;
create policy recovery_codes_of_app on recovery_codes to gatepost_app
  using (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid)
  with check (app_id = nullif(current_setting('gatepost.app_id', true), '')::uuid);
grant select, insert, update, delete on recovery_codes to gatepost_app;
